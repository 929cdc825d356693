--TEST--
A file that gets shorter while it is sent ends its connection by a reset, and no other; the log says so
--EXTENSIONS--
rotor
posix
sockets
openssl
--SKIPIF--
<?php
exec('command -v openssl', $found) || print('skip needs openssl (make test-tools)');
?>
--INI--
memory_limit=1G
--FILE--
<?php
require __DIR__ . '/../inc/sendfile.inc.php';

$certificates = new TestCertificates();
$certificates->selfSigned('server');
$files = new TestFiles();
$tls = TestServer::freePort();
$server = TestServer::start(FILE_SERVER, env: ['CERTS' => $certificates->directory, 'TLS_PORT' => "$tls"]);
$server->expectLog('/warning .*: session 1: a file cannot be sent to its end: it has become shorter; closing/');
$server->expectLog('/warning .*: session 2: a file cannot be sent to its end: it has become shorter; closing/');
$size = 64 << 20;
$other = $files->make('other', 20 << 20);
$clients = [$server->connect(), new TlsClient($tls), $server->connect()];
foreach ($clients as $n => $client) {
    $bytes[$n] = $files->make("file$n", $size);
    $client->write(steps(['pid']));
}
$clients[0]->readLine();
fgets($clients[1]->stream);
$clients[2]->readLine();
foreach ($clients as $n => $client) {
    $client->write(steps(['sendfile', 'FD', $files->path($n === 2 ? 'other' : "file$n")], ['send', 'FD', 'behind']));
    $client->read(1);
}
foreach ([0, 1] as $n) {
    $file = fopen($files->path("file$n"), 'r+');
    ftruncate($file, 40 << 20);
}
$received = $clients[0]->readToEnd($how);
// What the kernel had for the client is gone with the reset.
var_dump($how, strlen($received) < 40 << 20, str_starts_with($bytes[0], $bytes[0][0] . $received));
$received = (string) @stream_get_contents($clients[1]->stream);
var_dump(strlen($received) < 40 << 20, str_starts_with($bytes[1], $bytes[1][0] . $received));
var_dump($clients[2]->read(strlen($other) + 5) === substr($other, 1) . 'behind');
$server->waitForNote('close 1 by the server');
$server->waitForNote('close 2 by the server');
array_map(fn ($client) => $client->close(), $clients);
$server->stop();
?>
--EXPECT--
string(5) "reset"
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
