--TEST--
getSocket() gives a socket of the extension sockets for each port, before start() and in the master; whoever keeps it keeps nobody from stopping
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'tcp_keepidle' => 1000, 'open_tcp_keepalive' => true, 'max_wait_time' => 120]);
    $other = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    $unix = $server->listen(getenv('ROTOR_TMP') . '/socket', 0, Rotor\Server::SOCK_UNIX_STREAM);
    $number = function (Socket $socket): int {
        socket_getsockname($socket, $address, $number);
        return (int) $number;
    };
    // Kept by the script: the manager and the workers have copies, too.
    $kept = $server->getSocket();
    note(json_encode([
        get_class($kept), $number($kept) === $server->port, $number($server->getSocket($other->port)) === $other->port,
        $number($other->getSocket()) === $other->port, $number($server->ports[0]->getSocket()) === $server->port,
    ]));
    socket_getsockname($unix->getSocket(), $path);
    note(json_encode([$path === getenv('ROTOR_TMP') . '/socket', socket_get_option($kept, SOL_SOCKET, SO_KEEPALIVE)]));
    // What is told to it, the server's own socket is told. Closing it closes nothing else.
    socket_set_option($other->getSocket(), SOL_SOCKET, SO_RCVBUF, 8192);
    note((string) socket_get_option($other->getSocket(), SOL_SOCKET, SO_RCVBUF));
    socket_close($server->getSocket());
    set_error_handler(fn ($code, $message) => note($message));
    note(json_encode([$server->getSocket(1), $server->getLastError()]));
    $server->on('start', fn ($server) => note(json_encode([
        socket_get_option($server->getSocket(), SOL_SOCKET, SO_KEEPALIVE), socket_get_option($server->getSocket(), SOL_TCP, 4),
        $number($other->getSocket()) === $other->port,
    ])));
    $server->on('receive', function ($server, $fd, $reactor, $data) use ($other) {
        if ($data === 'linger') {
            $server->send($fd, "lingers\n");
            while (!file_exists(getenv('ROTOR_TMP') . '/enough')) {
                usleep(1000);
            }
            return;
        }
        $server->send($fd, json_encode([$server->getSocket(), $server->getLastError(), $other->getSocket(), $server->getLastError()]) . "\n");
    });
    $server->start();
    note(json_encode([$server->getSocket(), $server->getLastError()]));
    PHP);
$client = $server->connect();
$client->write('x');
echo $client->readLine(), "\n";
$client->write('linger');
$client->readLine();
$server->signal(SIGTERM);
// While the worker is still busy nobody gets in, though the script has the socket open.
$server->waitFor(function () use ($server): bool {
    try {
        $server->connect()->readToEnd();
        return false;
    } catch (RuntimeException) {
        return true;
    }
}, 'connections to be refused');
touch("$server->tmp/enough");
$server->expectFile('enough');
$server->wait();
echo implode("\n", $server->notes()), "\n";
?>
--EXPECT--
[false,509,false,509]
["Socket",true,true,true,true]
[true,0]
16384
Rotor\Server::getSocket(): no port has the number 1; 0 is the primary one
[false,505]
[1,1000,true]
Rotor\Server::getSocket(): only the master has the sockets of ports; call it before start() or in onStart
Rotor\Server\Port::getSocket(): only the master has the sockets of ports; call it before start() or in onStart
Rotor\Server::getSocket(): server is not running any more
[false,509]
