--TEST--
Each key of the settings in the stub is one that set() knows
--EXTENSIONS--
rotor
--FILE--
<?php
$stub = file_get_contents(__DIR__ . '/../../php-stubs/rotor.stub.php');
preg_match('/@param array\{(.*?)\} \$settings/s', $stub, $match);
preg_match_all('/(\w+)\?: /', $match[1], $keys);
$server = new Rotor\Server('127.0.0.1');
foreach ($keys[1] as $key) {
    $server->set([$key => null]) || print($key);
}
var_dump(count($keys[1]) > 25);
?>
--EXPECT--
bool(true)
