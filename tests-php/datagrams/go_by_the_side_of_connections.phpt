--TEST--
Datagram ports and ports for connections serve side by side, each with callbacks and a file of its own; TCP and UDP may have the same number
--EXTENSIONS--
rotor
posix
pcntl
sockets
--FILE--
<?php
require __DIR__ . '/../inc/datagrams.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'unix_socket_mode' => 0640]);
    $udp = $server->listen('127.0.0.1', (int) getenv('ROTOR_PORT'), Rotor\Server::SOCK_UDP);
    $unix = $server->listen(getenv('ROTOR_TMP') . '/server.sock', 0, Rotor\Server::SOCK_UNIX_DGRAM);
    note(sprintf('before: %o', fileperms(getenv('ROTOR_TMP') . '/server.sock') & 0777));
    $server->on('connect', fn ($server, $fd) => note("connect $fd"));
    $server->on('close', fn ($server, $fd) => note("close $fd"));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, "stream $data"));
    $server->on('packet', fn ($server, $data, $client) => $server->sendto($client['address'], $client['port'], "datagram $data"));
    $unix->on('PACKET', fn ($server, $data, $client) => $server->send($client['address'], "unix $data"));
    note(json_encode([$udp->type, $udp->port === $server->port, $unix->type, $unix->port, is_callable($unix->getCallback('packet')), $udp->getCallback('packet')]));
    $server->start();
    PHP);
$tcp = $server->connect();
echo $tcp->exchange('hello', 12), "\n";
echo (new DatagramClient('127.0.0.1', $server->port))->exchange('hello'), "\n";
echo (new DatagramClient("$server->tmp/server.sock", name: "$server->tmp/client.sock"))->exchange('hello'), "\n";
printf("%o\n", fileperms("$server->tmp/server.sock") & 0777);
$tcp->close();
$server->waitForNote('close 1');
echo implode("\n", $server->notes()), "\n";

// A live one is refused, whoever asks.
[, $output] = TestServer::run(<<<'PHP'
    foreach ([Rotor\Server::SOCK_UNIX_DGRAM, Rotor\Server::SOCK_UNIX_STREAM] as $type) {
        try {
            new Rotor\Server(getenv('LIVE'), 0, Rotor\Server::MODE_PROCESS, $type);
        } catch (Rotor\Exception $exception) {
            echo str_replace(getenv('LIVE'), 'PATH', $exception->getMessage()), ' ', $exception->getCode(), "\n";
        }
    }
    PHP, env: ['LIVE' => "$server->tmp/server.sock"]);
echo $output;
$path = "$server->tmp/server.sock";
$server->stop();
var_dump(file_exists($path));

// A stale one is replaced; what is no socket is left alone.
[, $output] = TestServer::run(<<<'PHP'
    $path = getenv('ROTOR_TMP') . '/stale.sock';
    fclose(stream_socket_server("udg://$path", flags: STREAM_SERVER_BIND));
    echo json_encode(file_exists($path)), "\n";
    $server = new Rotor\Server($path, 0, Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_UNIX_DGRAM);
    echo json_encode([$server->host === $path, $server->port, $server->type]), "\n";
    unset($server);
    gc_collect_cycles();
    echo json_encode(file_exists($path)), "\n";
    file_put_contents($path, 'precious');
    try {
        new Rotor\Server($path, 0, Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_UNIX_DGRAM);
    } catch (Rotor\Exception $exception) {
        echo str_replace($path, 'PATH', $exception->getMessage()), "\n";
    }
    unlink($path);
    PHP);
echo $output;
?>
--EXPECT--
stream hello
datagram hello
unix hello
640
before: 0
[2,true,6,0,true,null]
connect 1
close 1
Rotor\Server::__construct(): cannot listen on unix:PATH: address already in use (another process listens there; stop it or choose another path) 98
Rotor\Server::__construct(): cannot listen on unix:PATH: address already in use (another process listens there; stop it or choose another path) 98
bool(false)
true
[true,0,6]
false
Rotor\Server::__construct(): cannot listen on unix:PATH: there is a file that is no socket
