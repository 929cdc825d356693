--TEST--
The stub of the Swoole names and what rotor.swoole_aliases declares are the same, both ways
--EXTENSIONS--
rotor
--INI--
rotor.swoole_aliases=1
--FILE--
<?php
require __DIR__ . '/signatures.inc';

$folder = __DIR__ . '/../../php-stubs';
$stub = stub_signatures("$folder/rotor.stub.php", "$folder/swoole.stub.php");
$swoole = new ReflectionExtension('swoole');
$constants = $swoole->getConstants();
ksort($constants);
$functions = array_map(function_signature(...), $swoole->getFunctions());
ksort($functions);
var_dump(same($stub['constants'], $constants, 'constants'), count($constants) > 40);
var_dump(same($stub['functions'], $functions, 'functions'), count($functions));
var_dump($stub['undocumented']);
foreach (['Server', 'Server\Event', 'Server\Packet', 'Server\StatusInfo', 'Process', 'Exception', 'Connection\Iterator'] as $name) {
    echo (new ReflectionClass("Swoole\\$name"))->name, "\n";
}
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
int(8)
array(0) {
}
Rotor\Server
Rotor\Server\Event
Rotor\Server\Packet
Rotor\Server\StatusInfo
Rotor\Process
Rotor\Exception
Rotor\Connection\Iterator
