--TEST--
What send() and sendfile() have queued arrives in that order, and a close comes behind it
--EXTENSIONS--
rotor
posix
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
$server = TestServer::start(FILE_SERVER, env: [
    'CERTS' => $certificates->directory, 'TLS_PORT' => "$tls",
    // All of it may wait, for a client that does not read yet.
    'SETTINGS' => json_encode(['socket_buffer_size' => '256M', 'send_timeout' => 60]),
]);
$bytes = [];
foreach ([100, 70_000, 300_000, 1_000_000] as $size) {
    $bytes[$size] = $files->make("file$size", $size);
}
mt_srand(7);
foreach (['tcp', 'unix', 'tls'] as $name) {
    foreach (['reads at once', 'reads later', 'closes'] as $manner) {
        $client = match ($name) {
            'tcp' => $server->connect(),
            'unix' => new TestClient("unix://$server->tmp/socket"),
            'tls' => new TlsClient($tls),
        };
        $steps = [];
        $expected = '';
        for ($n = 0; $n < 100; $n++) {
            $size = [100, 70_000, 300_000, 1_000_000][mt_rand(0, 3)];
            if (mt_rand(0, 1)) {
                $text = str_repeat("$n,", mt_rand(1, 3) === 3 ? 20_000 : 5);
                $steps[] = ['send', 'FD', $text];
                $expected .= $text;
            } else {
                $offset = mt_rand(0, 1) ? 0 : mt_rand(0, $size);
                $steps[] = ['sendfile', 'FD', $files->path("file$size"), $offset];
                $expected .= substr($bytes[$size], $offset);
            }
        }
        $manner === 'closes' && $steps[] = ['close', 'FD'];
        $client->write(steps(...$steps));
        // Whether or not anything waits by then: it is the same.
        $manner === 'reads later' && usleep(200_000);
        $received = $manner === 'closes' ? $client->readToEnd() : $client->read(strlen($expected));
        echo $received === $expected ? '' : "$name $manner: other bytes came, first at " . strspn($received ^ $expected, "\0") . "\n";
        $client->close();
    }
}
var_dump(array_values(preg_grep('/^close|^full|^empty/', $server->notes(), PREG_GREP_INVERT)));
$server->stop();
?>
--EXPECT--
array(0) {
}
