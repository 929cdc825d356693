#!/usr/bin/env bash
# Installs what is missing for a purpose, through apt, saying what and why: build, tools or debootstrap.
# Does nothing when all is there. Without root or apt it names the packages and stops.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=()
reasons=()

need() { # package, reason
    packages+=("$1")
    reasons+=("$(printf '  %-16s %s' "$1" "$2")")
}

has() { command -v "$1" >/dev/null 2>&1; }

stop() {
    printf 'setup: %s\n' "$1" >&2
    exit 1
}

# bindgen loads libclang.so at build time, and libclang reads its own stddef.h.
has_libclang() {
    [[ -n ${LIBCLANG_PATH:-} ]] && return
    compgen -G '/usr/lib/llvm-*/lib/libclang[.-][s0-9]*' >/dev/null || compgen -G '/usr/lib*/libclang.so*' >/dev/null || return 1
    compgen -G '/usr/lib*/llvm-*/lib/clang/*/include/stddef.h' >/dev/null || compgen -G '/usr/lib*/clang/*/include/stddef.h' >/dev/null
}

for_build() {
    has cargo || stop 'Rust is missing: install it from https://rustup.rs, then run this again'
    has cc || need gcc 'compiles a C shim of the PHP binding, and links'
    if ! has cc || ! echo '#include <stdio.h>' | cc -E - >/dev/null 2>&1; then
        need libc6-dev "the C library's headers"
    fi
    has_libclang || need libclang-dev "reads PHP's headers for the binding (bindgen loads it)"

    source scripts/php.sh
    if [[ -n $php_chosen ]]; then
        [[ -n $php ]] || stop "PHP=${PHP:-$TEST_PHP_EXECUTABLE} is not there"
        [[ -n $php_config ]] || stop "no php-config beside $php: install that PHP's headers, or set PHP_CONFIG"
    else
        [[ -n $php ]] || need php-cli 'runs the server'
        [[ -n $php_config ]] || need php-dev "PHP's headers and php-config"
    fi
    if [[ -n $php && -n $php_config ]]; then
        # shellcheck disable=SC2016 # PHP's variable, not the shell's
        local version=('-n' '-r' 'echo PHP_VERSION;')
        [[ $("$php" "${version[@]}") == $("$php_config" --version) ]] ||
            stop "$php is version $("$php" "${version[@]}") but $php_config is of $("$php_config" --version): set PHP and PHP_CONFIG"
    fi
}

for_tools() {
    has redis-benchmark || need redis-tools 'redis-cli and redis-benchmark, real clients of examples/redis.php'
    has valgrind || need valgrind 'memory errors and leaks in the extension'
    has strace || need strace 'counts system calls'
    has ps || need procps 'process titles as users see them'
    has haproxy || need haproxy 'a proxy in front, which says who the client is'
    has nginx || need nginx-light 'another one'
    compgen -G '/usr/lib/nginx/modules/ngx_stream_module.so' >/dev/null || need libnginx-mod-stream 'for connections that are not HTTP'
    has openssl || need openssl 'makes certificates, and is a client of ports with TLS'
    has curl || need curl 'another one'
    has shellcheck || need shellcheck 'lints the shell scripts'
}

for_debootstrap() {
    has debootstrap || need debootstrap 'makes the bare Debian root of make test-fresh'
}

case ${1:-} in
build | tools | debootstrap) "for_$1" ;;
*) stop 'usage: setup.sh build|tools|debootstrap' ;;
esac
((${#packages[@]})) || exit 0

echo "setup: these Debian packages are missing:"
printf '%s\n' "${reasons[@]}"
has apt-get || stop "no apt-get here: install them, or what your system calls them, then run this again"
as_root=()
if ((EUID)); then
    # -n: a password is for a person to give, who can run the command below.
    sudo -n true 2>/dev/null || stop "not root. Run: apt-get install ${packages[*]}"
    as_root=(sudo -n)
fi
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@" </dev/null; }
apt update
apt install --no-install-recommends "${packages[@]}"
