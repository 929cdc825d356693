--TEST--
With an extension swoole loaded the aliases are refused, and PHP says why
--EXTENSIONS--
rotor
--SKIPIF--
<?php
if (!getenv('ROTOR_EXTENSION')) {
    die('skip needs the path of the extension in ROTOR_EXTENSION');
}
exec('command -v cc && php-config --version', $lines);
if (count($lines) !== 2 || $lines[1] !== PHP_VERSION) {
    die('skip needs cc and the php-config of this PHP');
}
?>
--FILE--
<?php
// A module of that name, as small as it can be.
$name = tempnam(sys_get_temp_dir(), 'rotor');
file_put_contents("$name.c", <<<'C'
    #include "php.h"
    zend_module_entry swoole_module_entry = {
        STANDARD_MODULE_HEADER, "swoole", NULL, NULL, NULL, NULL, NULL, NULL, "6", STANDARD_MODULE_PROPERTIES};
    ZEND_GET_MODULE(swoole)
    C);
passthru("cc -shared -fPIC \$(php-config --includes) -o $name.so $name.c 2>&1");

$php = escapeshellarg(PHP_BINARY) . ' -n -d display_errors=1 -d log_errors=0';
$rotor = '-d extension=' . escapeshellarg((string) getenv('ROTOR_EXTENSION'));
$code = escapeshellarg('var_dump(extension_loaded("rotor"), class_exists("Swoole\Server"), phpversion("swoole"));');
foreach (["$rotor -d extension=$name.so", "-d extension=$name.so $rotor"] as $order) {
    passthru("$php -d rotor.swoole_aliases=1 $order -r $code");
}
// Side by side they are no trouble.
passthru("$php $rotor -d extension=$name.so -r $code");
array_map(unlink(...), [$name, "$name.c", "$name.so"]);
?>
--EXPECT--
Warning: PHP Startup: rotor.swoole_aliases=1 is not possible: the swoole extension is loaded; load one of the two, or set rotor.swoole_aliases=0 in Unknown on line 0

Fatal error: Unable to start rotor module in Unknown on line 0

Warning: PHP Startup: rotor.swoole_aliases=1 is not possible: the swoole extension is loaded; load one of the two, or set rotor.swoole_aliases=0 in Unknown on line 0

Fatal error: Unable to start rotor module in Unknown on line 0
bool(true)
bool(false)
string(1) "6"
