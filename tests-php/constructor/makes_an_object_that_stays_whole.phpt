--TEST--
A server cannot be cloned or serialized, and its declared properties cannot be unset
--EXTENSIONS--
rotor
--FILE--
<?php
$server = new Rotor\Server('127.0.0.1');
foreach ([
    function () use ($server) { clone $server; },
    function () use ($server) { serialize($server); },
    function () use ($server) { unset($server->port); },
    function () use ($server) { unset($server->connections); },
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
Trying to clone an uncloneable object of class Rotor\Server
Serialization of 'Rotor\Server' is not allowed
Cannot unset property Rotor\Server::$port
Cannot unset property Rotor\Server::$connections
Call to private Rotor\Connection\Iterator::__construct() from global scope
