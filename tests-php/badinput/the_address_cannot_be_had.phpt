--TEST--
A port in use, one out of range and an address of another machine throw with the reason and the errno
--EXTENSIONS--
rotor
--FILE--
<?php
$taken = stream_socket_server('tcp://127.0.0.1:0');
$port = (int) substr(strrchr(stream_socket_get_name($taken, false), ':'), 1);
foreach ([
    ['127.0.0.1', $port],
    ['127.0.0.1', -1],
    ['127.0.0.1', 65536],
    ['203.0.113.1', 0],
    ['no.such.name.invalid', 0],
    ["\xff", 0],
] as [$host, $number]) {
    try {
        new Rotor\Server($host, $number);
        echo "no exception\n";
    } catch (Rotor\Exception $exception) {
        echo str_replace((string) $port, 'PORT', $exception->getMessage()), ' [', $exception->getCode(), "]\n";
    }
}
?>
--EXPECTF--
Rotor\Server::__construct(): cannot listen on 127.0.0.1:PORT: address %s in use%S [98]
Rotor\Server::__construct(): $port must be 0 (any free one) to 65535, -1 given [0]
Rotor\Server::__construct(): $port must be 0 (any free one) to 65535, 65536 given [0]
Rotor\Server::__construct(): cannot listen on 203.0.113.1:0: cannot assign requested address%S [99]
Rotor\Server::__construct(): %s [%d]
Rotor\Server::__construct(): $host must be an IP address%S [0]
