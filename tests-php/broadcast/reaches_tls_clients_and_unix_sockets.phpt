--TEST--
One broadcast reaches clients with TLS, of a unix socket and of ports with other framings, also those that are slow
--EXTENSIONS--
rotor
posix
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
$path = sys_get_temp_dir() . '/rotor-broadcast-' . getmypid() . '.sock';
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'reactor_num' => 2, 'socket_buffer_size' => '64M', 'task_tmpdir' => getenv('ROTOR_TMP'), 'log_file' => getenv('ROTOR_LOG')]);
    $secure = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP | Rotor\Server::SSL);
    $secure->set(['ssl_cert_file' => getenv('CERTS') . '/server.crt', 'ssl_key_file' => getenv('CERTS') . '/server.key',
        'open_eof_split' => true, 'package_eof' => "\n"]);
    $unix = $server->listen(getenv('SOCK'), 0, Rotor\Server::SOCK_UNIX_STREAM);
    $unix->set(['open_length_check' => true, 'package_length_type' => 'N']);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if (is_numeric(trim($data))) {
            note('posted to ' . $server->broadcast(str_pad('', (int) $data, '0123456789')));
        } else {
            $server->send($fd, $data);
        }
    });
    $server->on('start', fn () => note("port $secure->port"));
    $server->start();
    PHP, env: ['CERTS' => $certificates->directory, 'SOCK' => $path]);
$server->waitFor(fn () => preg_grep('/^port/', $server->notes()), 'the port');
$port = (int) substr(current(preg_grep('/^port/', $server->notes())), 5);
$clients = [];
for ($n = 0; $n < 8; $n++) {
    $clients[] = $client = new TlsClient($port);
    $client->exchange("hello\n");
    $clients[] = $client = new TestClient("unix://$path");
    $client->exchange("\0\0\0\x05hello");
    $clients[] = $client = $server->connect();
    $client->exchange('hello');
}
// A handshake that is not over is nobody's connection yet.
$half = new TestClient("tcp://127.0.0.1:$port");
$sizes = [10, 9_000, 100_000, 1_500_000, 4_000_000];
foreach ($sizes as $n => $size) {
    $clients[2]->write((string) $size);
    $server->waitFor(fn () => count(preg_grep('/^posted/', $server->notes())) > $n, 'the broadcast');
}
foreach ($clients as $n => $client) {
    foreach ($sizes as $size) {
        $client->read($size) === str_pad('', $size, '0123456789') || print("client $n: $size are not what they were\n");
    }
    $client->close();
}
$half->close();
echo implode("\n", preg_grep('/^posted/', $server->notes())), "\n";
$server->stop();
?>
--EXPECT--
posted to 24
posted to 24
posted to 24
posted to 24
posted to 24
