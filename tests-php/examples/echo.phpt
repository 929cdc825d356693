--TEST--
examples/echo.php sends back what it gets, and Ctrl-C ends it
--EXTENSIONS--
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(realpath(__DIR__ . '/../../examples/echo.php'), args: ['ROTOR_PORT']);
$bytes = random_bytes(100_000);
var_dump($server->request($bytes) === $bytes);
$server->waitForLog("/listening on port $server->port/");
$server->stop(SIGINT);
?>
--EXPECT--
bool(true)
