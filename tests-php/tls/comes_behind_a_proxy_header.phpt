--TEST--
On a port with TLS the PROXY header comes first, in the clear, then the handshake
--EXTENSIONS--
rotor
posix
pcntl
openssl
--SKIPIF--
<?php
exec('command -v openssl', $found) || print('skip needs openssl (make test-tools)');
?>
--FILE--
<?php
require __DIR__ . '/../inc/tls.inc.php';

$certificates = new TestCertificates();
$certificates->selfSigned('server');
$server = TestServer::start(<<<'PHP'
    $certs = getenv('CERTS');
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'), Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_TCP | Rotor\Server::SSL);
    $server->set([
        'worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'log_level' => 2,
        'open_proxy_protocol' => true, 'proxy_trusted' => ['127.0.0.1'],
        'ssl_cert_file' => "$certs/server.crt", 'ssl_key_file' => "$certs/server.key",
    ]);
    $who = fn ($server, $fd) => implode(' ', array_intersect_key($server->getClientInfo($fd), ['remote_ip' => 0, 'remote_port' => 0, 'ssl_protocol' => 0]));
    $server->on('connect', fn ($server, $fd) => note('connect ' . $who($server, $fd)));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->start();
    PHP, env: ['CERTS' => $certificates->directory]);
$client = new TlsClient($server->port, before: "PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n");
echo $client->exchange('through a proxy'), "\n";
$client->close();
$local = new TlsClient($server->port, before: "\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00");
echo $local->exchange('the proxy itself'), "\n";
$local->close();
echo is_refused(fn () => new TlsClient($server->port)) ? "without a header: refused\n" : "without a header: taken\n";
echo preg_replace('/127.0.0.1 \d+|\d+ 127.0.0.1/', 'PROXY', implode("\n", $server->notes())), "\n";
$server->stop();
?>
--EXPECT--
through a proxy
the proxy itself
without a header: refused
connect 4711 203.0.113.7 TLSv1.3
connect PROXY TLSv1.3
