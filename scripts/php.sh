# shellcheck shell=bash
# Sourced: finds the PHP to build for and to test with, and its php-config.
#
# Sets `php` and `php_config`, empty where there is none. PHP or TEST_PHP_EXECUTABLE chooses; then php-config is
# looked for beside it, under the same suffix (php8.3 -> php-config8.3).

php=${PHP:-${TEST_PHP_EXECUTABLE:-php}}
php_chosen=$([[ $php == php ]] || echo yes)
if [[ -n ${PHP_CONFIG:-} ]]; then
    php_config=$(command -v "$PHP_CONFIG" || true)
elif [[ $php == */* ]]; then
    php_config=$(command -v "${php%/*}/php-config${php##*/php}" || command -v "${php%/*}/php-config" || true)
else
    php_config=$(command -v "php-config${php#php}" || true)
fi
php=$(command -v "$php" || true)

# The build script of ext-php-rs looks at these two, and runs again when one changes: left alone for the PHP on the
# PATH, so that a plain `cargo build` shares what make has built.
if [[ -n $php_chosen && -n $php && $php != "$(command -v php)" ]]; then
    export PHP=$php PHP_CONFIG=$php_config
fi
