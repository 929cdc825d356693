--TEST--
A port for :: is one of IPv6, beside which IPv4 has its own with the same number; under the Swoole names it serves both
--EXTENSIONS--
rotor
posix
sockets
--SKIPIF--
<?php
if (!@stream_socket_server('tcp://[::1]:0')) {
    die('skip there is no IPv6 here');
}
if (trim((string) @file_get_contents('/proc/sys/net/ipv6/bindv6only')) !== '0') {
    die('skip net.ipv6.bindv6only is not 0');
}
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/datagrams.inc.php';

$script = <<<'PHP'
    use Rotor\Server;

    $number = (int) getenv('ROTOR_PORT');
    $server = new Server('::', $number, sock_type: Server::SOCK_TCP6);
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->listen('::', $number, Server::SOCK_UDP6);
    if ($argv[1] === 'beside') {
        $server->listen('0.0.0.0', $number, Server::SOCK_TCP);
        $server->listen('0.0.0.0', $number, Server::SOCK_UDP);
    }
    $server->on('receive', function ($server, $fd) {
        $info = $server->getClientInfo($fd);
        $server->send($fd, "$info[remote_ip] by port $info[server_fd]\n");
    });
    $server->on('packet', fn ($server, $data, $client) => $server->sendto(
        $client['address'], $client['port'], "$client[address] by port $client[server_socket]", $client['server_socket'],
    ));
    $server->start();
    PHP;
$ask = function (TestServer $server): void {
    foreach (['[::1]', '127.0.0.1'] as $host) {
        $client = new TestClient("tcp://$host:$server->port");
        $client->write('?');
        echo 'TCP: ', $client->readLine(), "\n";
        $client->close();
        echo 'UDP: ', (new DatagramClient(trim($host, '[]'), $server->port))->exchange('?'), "\n";
    }
};
$server = TestServer::start($script, args: ['beside']);
$ask($server);
$server->stop();
echo "under the Swoole names\n";
$server = TestServer::start($script, ['rotor.swoole_aliases' => 1], ['alone']);
$ask($server);
$server->stop();
?>
--EXPECT--
TCP: ::1 by port 0
UDP: ::1 by port 1
TCP: 127.0.0.1 by port 2
UDP: 127.0.0.1 by port 3
under the Swoole names
TCP: ::1 by port 0
UDP: ::1 by port 1
TCP: 127.0.0.1 by port 0
UDP: ::ffff:127.0.0.1 by port 1
