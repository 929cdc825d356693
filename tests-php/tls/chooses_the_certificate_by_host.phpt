--TEST--
A client gets the certificate of the host that it asks for, and the protocol that both have (SNI, ALPN)
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
foreach (['server', 'own', 'wild'] as $name) {
    $certificates->selfSigned($name);
}
$files = fn (string $name) => ['ssl_cert_file' => "CERTS/$name.crt", 'ssl_key_file' => "CERTS/$name.key"];
$server = TestServer::start(TLS_SERVER, env: ['CERTS' => $certificates->directory, 'SETTINGS' => json_encode([
    'ssl_sni_certs' => ['Own.example.com' => $files('own'), '*.example.com' => $files('wild')],
    'ssl_alpn_protocols' => ['chat/2', 'chat/1'],
])]);
foreach (['own.example.com', 'OWN.EXAMPLE.COM', 'a.example.com', 'b.a.example.com', 'example.com', 'localhost'] as $host) {
    $client = new TlsClient($server->port, ['peer_name' => $host, 'capture_peer_cert' => true]);
    echo "$host: ", $client->peer(), "\n";
    $client->close();
}
$nobody = new TlsClient($server->port, ['SNI_enabled' => false, 'capture_peer_cert' => true]);
echo 'nobody: ', $nobody->peer(), "\n";
$nobody->close();

foreach (['chat/1', 'smtp,chat/1,chat/2', 'chat/3'] as $offered) {
    try {
        $client = new TlsClient($server->port, ['alpn_protocols' => $offered]);
        echo "$offered: ", $client->crypto()['alpn_protocol'], ' ', ask($client, 'info')['ssl_alpn_protocol'], "\n";
        $client->close();
    } catch (RuntimeException) {
        echo "$offered: refused\n";
    }
}
$client = new TlsClient($server->port);
echo 'nothing: ', json_encode(isset(ask($client, 'info')['ssl_alpn_protocol'])), "\n";
$client->close();
$server->stop();
?>
--EXPECT--
own.example.com: own
OWN.EXAMPLE.COM: own
a.example.com: wild
b.a.example.com: server
example.com: server
localhost: server
nobody: server
chat/1: chat/1 chat/1
smtp,chat/1,chat/2: chat/2 chat/2
chat/3: refused
nothing: false
