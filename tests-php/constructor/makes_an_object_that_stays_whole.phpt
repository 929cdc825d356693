--TEST--
A server cannot be cloned or serialized, and the properties that it has declared cannot be unset; those of subclasses can
--EXTENSIONS--
rotor
--FILE--
<?php
class Extended extends Rotor\Server
{
    public $port = 1;
    public int $own = 1;
}
$server = new Extended('127.0.0.1');
foreach ([
    function () use ($server) { clone $server; },
    function () use ($server) { serialize($server); },
    function () use ($server) { unset($server->port); },
    function () use ($server) { unset($server->connections); },
    function () use ($server) { unset($server->own, $server->dynamic); echo json_encode(isset($server->own)), "\n"; },
    function () { new Rotor\Connection\Iterator(); },
] as $call) {
    try {
        $call();
    } catch (Throwable $error) {
        echo $error->getMessage(), "\n";
    }
}
?>
--EXPECT--
Trying to clone an uncloneable object of class Extended
Serialization of 'Extended' is not allowed
Cannot unset property Extended::$port
Cannot unset property Extended::$connections
false
Call to private Rotor\Connection\Iterator::__construct() from global scope
