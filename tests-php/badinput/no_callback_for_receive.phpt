--TEST--
start() without a callback for receive throws; with one it can be called again
--EXTENSIONS--
rotor
--FILE--
<?php
$server = new Rotor\Server('127.0.0.1');
$server->on('connect', 'strlen');
try {
    $server->start();
} catch (Rotor\Exception $exception) {
    echo $exception->getMessage(), "\n";
}
var_dump($server->set(['worker_num' => 1]));
?>
--EXPECT--
Rotor\Server::start(): the event "receive" has no callback; register one with on('receive', ...)
bool(true)
