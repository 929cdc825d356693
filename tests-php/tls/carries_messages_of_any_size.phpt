--TEST--
Messages of any size come whole through framing over TLS, also to a slow reader, for whom little is encrypted ahead
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
$framing = ['open_length_check' => true, 'package_max_length' => '40M', 'socket_buffer_size' => '64M', 'log_level' => 3];
$server = TestServer::start(TLS_SERVER, env: ['CERTS' => $certificates->directory, 'SETTINGS' => json_encode($framing)]);
$frame = fn (string $bytes) => pack('N', strlen($bytes)) . $bytes;
foreach ([STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT, STREAM_CRYPTO_METHOD_TLSv1_3_CLIENT] as $method) {
    $client = new TlsClient($server->port, ['crypto_method' => $method]);
    foreach ([0, 1, 16_380, 16_384, 20_000, 65_536, 1 << 20, 5 << 20] as $size) {
        $message = $frame(random_bytes(max($size, 1)));
        echo $client->exchange($message) === $message ? '' : "$size is not what it was\n";
    }
    // Many in one write, and one in many.
    $many = implode('', array_map(fn ($i) => $frame(str_repeat(chr($i % 256), $i)), range(1, 600)));
    echo $client->exchange($many) === $many ? '' : "many are not what they were\n";
    $one = $frame(random_bytes(3000));
    foreach (str_split($one, 7) as $piece) {
        $client->write($piece);
    }
    echo $client->read(strlen($one)) === $one ? '' : "one is not what it was\n";
    $client->close();
}

// Four slow readers, each with 8 MiB to come: what is encrypted for them is little, what waits lies in shared memory.
$message = $frame(random_bytes(8 << 20));
$slow = [];
for ($i = 0; $i < 4; $i++) {
    $slow[] = $client = new TlsClient($server->port);
    $client->write($message);
}
$fast = new TlsClient($server->port);
echo $fast->exchange($frame('fast')) === $frame('fast') ? "the fast one is not held up\n" : '';
foreach ($slow as $client) {
    $got = '';
    while (strlen($got) < 100_000) {
        $got .= $client->read(10_000);
        usleep(2_000);
    }
    $got .= $client->read(strlen($message) - strlen($got));
    echo $got === $message ? '' : "slow is not what it was\n";
    $client->close();
}
$fast->close();
$server->stop();
echo "done\n";
?>
--EXPECT--
the fast one is not held up
done
