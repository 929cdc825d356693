--TEST--
sendfile() sends any part of files of any size over TCP, a unix socket and TLS, whether or not they are in memory
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
require __DIR__ . '/../inc/sendfile.inc.php';

$certificates = new TestCertificates();
$certificates->selfSigned('server');
$files = new TestFiles();
$tls = TestServer::freePort();
$server = TestServer::start(FILE_SERVER, env: ['CERTS' => $certificates->directory, 'TLS_PORT' => "$tls"]);
$clients = [
    'tcp' => $server->connect(),
    'unix' => new TestClient("unix://$server->tmp/socket"),
    'tls' => new TlsClient($tls),
];
foreach ([0, 1, 4096, 65_536, 65_537, 600_000, 5 << 20] as $size) {
    $bytes = $files->make("file$size", $size);
    $path = $files->path("file$size");
    $parts = [[0, 0], [0, $size], [intdiv($size, 2), 0], [intdiv($size, 3), intdiv($size, 2)], [$size, 0], [max($size - 1, 0), min($size, 1)]];
    foreach ($clients as $name => $client) {
        foreach ([false, true] as $is_cold) {
            foreach ($parts as [$offset, $length]) {
                $is_cold && TestFiles::cool($path);
                $expected = substr($bytes, $offset, $length ?: null);
                $client->write(steps(['sendfile', 'FD', $path, $offset, $length], ['send', 'FD', 'end']));
                $received = $client->read(strlen($expected) + 3);
                echo $received === $expected . 'end' ? '' : "$name: $length bytes at $offset of $size are not what they were\n";
            }
        }
    }
}
// Relative to where the worker is.
copy($files->path('file4096'), "$server->tmp/relative");
$clients['tcp']->write(steps(['sendfile', 'FD', 'relative']));
var_dump($clients['tcp']->read(4096) === file_get_contents("$server->tmp/relative"));
unlink("$server->tmp/relative");
var_dump($server->notes());
array_map(fn ($client) => $client->close(), $clients);
$server->stop();
?>
--EXPECT--
bool(true)
array(0) {
}
