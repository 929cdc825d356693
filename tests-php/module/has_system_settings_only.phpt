--TEST--
rotor.swoole_aliases cannot be changed by a script
--EXTENSIONS--
rotor
--FILE--
<?php
var_dump(ini_set('rotor.swoole_aliases', '1'), ini_get('rotor.swoole_aliases'), class_exists('Swoole\Server'), extension_loaded('swoole'));
?>
--EXPECT--
bool(false)
string(1) "0"
bool(false)
bool(false)
