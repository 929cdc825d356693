--TEST--
Of sockets that systemd has opened those for streams have TLS where it is asked for, and those for datagrams say that they have none
--EXTENSIONS--
rotor
posix
pcntl
sockets
openssl
--FILE--
<?php
require __DIR__ . '/../inc/systemd.inc.php';
require __DIR__ . '/../inc/datagrams.inc.php';
require __DIR__ . '/../inc/tls.inc.php';

$certificates = new TestCertificates();
$certificates->selfSigned('server');
$script = <<<'PHP'
    $certs = getenv('CERTS');
    $server = new Rotor\Server('SYSTEMD', 0, Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_TCP | Rotor\Server::SSL);
    note(json_encode([$server->ssl, array_column($server->ports, 'ssl')]));
    $server->set([
        'worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'ssl_cert_file' => "$certs/server.crt", 'ssl_key_file' => "$certs/server.key",
    ]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->on('packet', fn ($server, $data, $client) => $server->sendto($client['address'], $client['port'], $data, $client['server_socket']));
    $server->on('start', fn () => ready());
    $server->start();
    PHP;
$sockets = new PassedSockets('udp://127.0.0.1:0', 'tcp://127.0.0.1:0');
$port = fn (int $place): int => (int) substr(strrchr($sockets->name($place), ':'), 1);
$server = TestServer::start($script, env: $sockets->env() + ['CERTS' => $certificates->directory], prefix: PassedSockets::prefix());
echo (new DatagramClient('127.0.0.1', $port(0)))->exchange('a datagram'), "\n";
$client = new TlsClient($port(1));
echo $client->exchange('by TLS'), "\n";
$client->close();
$server->stop();
echo $server->notes()[0], "\n";
?>
--EXPECT--
a datagram
by TLS
[false,[false,true]]
