--TEST--
php --ri swoole says who serves the names, and that there are no coroutines
--EXTENSIONS--
rotor
--FILE--
<?php
$extension = getenv('ROTOR_EXTENSION') ?: 'rotor';
passthru(escapeshellarg(PHP_BINARY) . ' -n -d rotor.swoole_aliases=1 -d extension=' . escapeshellarg($extension) . ' --ri swoole');
?>
--EXPECTF--
swoole

Swoole => names served by Rotor (rotor.swoole_aliases)
Version => 6.2.2
Rotor => %s
coroutine => not there
