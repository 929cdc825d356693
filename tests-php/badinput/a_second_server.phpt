--TEST--
A second server in the process throws, also by a second constructor call; the first goes on
--EXTENSIONS--
rotor
--FILE--
<?php
$server = new Rotor\Server('127.0.0.1');
foreach ([fn () => new Rotor\Server('127.0.0.1'), fn () => $server->__construct('127.0.0.1')] as $call) {
    try {
        $call();
        echo "no exception\n";
    } catch (Rotor\Exception $exception) {
        echo $exception->getMessage(), "\n";
    }
}
var_dump($server->set(['worker_num' => 1]));
?>
--EXPECT--
Rotor\Server::__construct(): this process has a server already; there can be one at a time
Rotor\Server::__construct(): this process has a server already; there can be one at a time
bool(true)
