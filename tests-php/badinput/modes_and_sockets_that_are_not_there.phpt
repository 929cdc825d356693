--TEST--
Modes and types of sockets that do not exist yet throw, saying so
--EXTENSIONS--
rotor
--FILE--
<?php
use Rotor\Server;

foreach ([
    [Server::MODE_BASE, Server::SOCK_TCP],
    [3, Server::SOCK_TCP],
    [Server::MODE_PROCESS, Server::SOCK_UDP | Server::SSL],
    [Server::MODE_PROCESS, 99],
] as [$mode, $type]) {
    try {
        new Server('127.0.0.1', 0, $mode, $type);
        echo "no exception\n";
    } catch (Rotor\Exception $exception) {
        echo $exception->getMessage(), "\n";
    }
}
?>
--EXPECT--
Rotor\Server::__construct(): MODE_BASE does not exist yet; use MODE_PROCESS
Rotor\Server::__construct(): $mode must be Rotor\Server::MODE_PROCESS (2), 3 given
Rotor\Server::__construct(): datagrams with TLS (DTLS) do not exist here; leave SSL out
Rotor\Server::__construct(): $sock_type must be Rotor\Server::SOCK_TCP (1), SOCK_UDP (2), SOCK_TCP6 (3), SOCK_UDP6 (4), SOCK_UNIX_STREAM (5) or SOCK_UNIX_DGRAM (6), 99 given
