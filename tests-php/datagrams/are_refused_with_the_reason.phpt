--TEST--
sendto() refuses what cannot be sent with a warning that says why; what the network does not take is counted
--EXTENSIONS--
rotor
posix
pcntl
sockets
--FILE--
<?php
require __DIR__ . '/../inc/datagrams.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'), Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_UDP);
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP')]);
    $server->listen(getenv('ROTOR_TMP') . '/server.sock', 0, Rotor\Server::SOCK_UNIX_DGRAM);
    $tcp = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    $tcp->on('receive', fn () => null);
    $server->on('start', fn () => ready());
    $server->on('packet', function ($server, $data, $client) {
        set_error_handler(function (int $level, string $message) use ($server) {
            note("$message ({$server->getLastError()})");
            return true;
        });
        foreach ([
            ['127.0.0.1', 0, 'x'],
            ['127.0.0.1', -1, 'x'],
            ['127.0.0.1', 65536, 'x'],
            ['localhost', 1, 'x'],
            ['', 1, 'x'],
            ['1.2.3.4.5', 1, "\xff"],
            ["a\0b\n", 1, 'x'],
            ['::1', 1, 'x'],
            ['127.0.0.1', 1, 'x', 1],
            ['127.0.0.1', 1, 'x', 2],
            ['127.0.0.1', 1, 'x', 99],
            ['127.0.0.1', 1, 'x', -2],
            ['/nobody/there', 0, 'x', 0],
            ['/' . str_repeat('x', 107), 0, 'x'],
            ['127.0.0.1', 1, str_repeat('x', 65_508)],
            ['/nobody/there', 0, str_repeat('x', 65_537)],
        ] as $arguments) {
            if ($server->sendto(...$arguments) !== false) {
                note('it was taken');
            }
        }
        note(json_encode([$server->send('nobody', 'x'), $server->send('/nobody/there', 'x', 0)]));
        // These are handed over; nobody is there, and nobody may broadcast.
        note(json_encode([$server->send('/nobody/there', 'x'), $server->sendto('255.255.255.255', 9, 'x')]));
        while ($server->stats()['datagrams_unsent'] < 2) {
            usleep(1000);
        }
        $server->sendto($client['address'], $client['port'], 'done');
    });
    $server->start();
    PHP);
$client = new DatagramClient('127.0.0.1', $server->port);
echo $client->exchange('go'), "\n";
echo implode("\n", $server->notes()), "\n";
$server->stop();

// Before it starts.
foreach ([
    ['127.0.0.1', 0, Rotor\Server::SOCK_UDP6],
    ['::1', 0, Rotor\Server::SOCK_UDP],
    ['', 0, Rotor\Server::SOCK_UNIX_DGRAM],
    ['/nowhere/at/all', 0, Rotor\Server::SOCK_UNIX_DGRAM],
] as [$host, $port, $type]) {
    try {
        new Rotor\Server($host, $port, Rotor\Server::MODE_PROCESS, $type);
    } catch (Rotor\Exception $exception) {
        echo $exception->getMessage(), "\n";
    }
}
$main = new Rotor\Server('127.0.0.1', 0, Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_UDP);
foreach ([fn () => $main->start(), fn () => $main->listen('127.0.0.1', $main->port, Rotor\Server::SOCK_UDP)] as $try) {
    try {
        $try();
    } catch (Rotor\Exception $exception) {
        echo str_replace((string) $main->port, 'PORT', $exception->getMessage()), "\n";
    }
}
$main->on('packet', 'strlen');
$main->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
try {
    $main->start();
} catch (Rotor\Exception $exception) {
    echo $exception->getMessage(), "\n";
}
?>
--EXPECT--
done
Rotor\Server::sendto(): $port must be 1 to 65535, 0 given (505)
Rotor\Server::sendto(): $port must be 1 to 65535, -1 given (505)
Rotor\Server::sendto(): $port must be 1 to 65535, 65536 given (505)
Rotor\Server::sendto(): $ip must be an IPv4 or IPv6 address, or the path of a unix socket, "localhost" given (505)
Rotor\Server::sendto(): $ip is empty: who has bound no path cannot be answered; give an IP address or the path of a unix socket (505)
Rotor\Server::sendto(): $ip must be an IPv4 or IPv6 address, or the path of a unix socket, "1.2.3.4.5" given (505)
Rotor\Server::sendto(): $ip must be an IPv4 or IPv6 address, or the path of a unix socket, "a\0b\n" given (505)
Rotor\Server::sendto(): no port of this server has the type SOCK_UDP6, from which it could be sent; listen() on one (505)
Rotor\Server::sendto(): the socket must be the place of a port of the type SOCK_UDP in $ports, or -1 for the first of them, 1 given (505)
Rotor\Server::sendto(): the socket must be the place of a port of the type SOCK_UDP in $ports, or -1 for the first of them, 2 given (505)
Rotor\Server::sendto(): the socket must be the place of a port of the type SOCK_UDP in $ports, or -1 for the first of them, 99 given (505)
Rotor\Server::sendto(): the socket must be the place of a port of the type SOCK_UDP in $ports, or -1 for the first of them, -2 given (505)
Rotor\Server::sendto(): the socket must be the place of a port of the type SOCK_UNIX_DGRAM in $ports, or -1 for the first of them, 0 given (505)
Rotor\Server::sendto(): the path of a unix socket has at most 107 bytes, 108 given (505)
Rotor\Server::sendto(): 65508 bytes are more than a datagram to 127.0.0.1:1 carries (65507) (90)
Rotor\Server::sendto(): 65537 bytes are more than a datagram to /nobody/there carries (65536) (90)
Rotor\Server::send(): session ids are positive numbers, "nobody" given (1006)
Rotor\Server::send(): the socket must be the place of a port of the type SOCK_UNIX_DGRAM in $ports, or -1 for the first of them, 0 given (505)
[false,false]
[true,true]
Rotor\Server::__construct(): $host must be an IPv6 address such as :: or ::1, "127.0.0.1" given
Rotor\Server::__construct(): $host must be an IPv4 address such as 0.0.0.0 or 127.0.0.1, "::1" given
Rotor\Server::__construct(): $host must be the path of the socket, "" given
Rotor\Server::__construct(): cannot listen on unix:/nowhere/at/all: no such file or directory (the directory does not exist)
Rotor\Server::start(): the event "packet" has no callback; register one with on('packet', ...)
Rotor\Server::listen(): cannot listen on 127.0.0.1:PORT: address already in use (another process listens there; stop it or choose another port)
Rotor\Server::start(): the event "receive" has no callback on port 1; register one with on('receive', ...)
