--TEST--
php --ri rotor tells version, build, what is there and what is not
--EXTENSIONS--
rotor
--FILE--
<?php
$extension = getenv('ROTOR_EXTENSION') ?: 'rotor';
passthru(escapeshellarg(PHP_BINARY) . ' -n -d extension=' . escapeshellarg($extension) . ' --ri rotor');
var_dump(phpversion('rotor') === (new ReflectionExtension('rotor'))->getVersion(), (new ReflectionExtension('rotor'))->getINIEntries());
?>
--EXPECTF--
rotor

Rotor => enabled
Version => %d.%d.%s
Build => %r(debug|release)%r, rustc %s
Built for => PHP %d.%d.%d NTS, %s
C library => %s

Feature => State
PROCESS mode => yes
TCP over IPv4 and IPv6 => yes
framing by terminator, by length field, by a function => yes
BASE mode => not yet
more than one port, unix sockets, UDP => yes
TLS 1.2 and 1.3 => yes
task workers, timers => not yet
HTTP, WebSocket => not yet
coroutines => no: callbacks run one after the other in each worker
THREAD mode => no

Directive => Local Value => Master Value
rotor.swoole_aliases => 0 => 0
bool(true)
array(1) {
  ["rotor.swoole_aliases"]=>
  string(1) "0"
}
