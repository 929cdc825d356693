--TEST--
Parts of a file beyond 4 GiB, and across that line, are what is there
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/sendfile.inc.php';

$files = new TestFiles();
$path = $files->path('sparse');
// Takes next to no room: most of it is a hole.
$file = fopen($path, 'x');
$line = 1 << 32;
$bytes = random_bytes(2 << 20);
fseek($file, $line - (1 << 20));
fwrite($file, $bytes);
ftruncate($file, 5 << 30);
fclose($file);
$server = TestServer::start(FILE_SERVER);
$client = $server->connect();
$parts = [
    [$line - (1 << 20), 2 << 20, $bytes], [$line, 1 << 20, substr($bytes, 1 << 20)], [$line - 5, 10, substr($bytes, (1 << 20) - 5, 10)],
    [$line - (2 << 20), 1 << 20, str_repeat("\0", 1 << 20)], [(5 << 30) - 100_000, 0, str_repeat("\0", 100_000)],
    [$line - 100, 0, null],
];
foreach ($parts as [$offset, $length, $expected]) {
    $client->write(steps(['sendfile', 'FD', $path, $offset, $length]));
    if ($expected !== null) {
        var_dump($client->read(strlen($expected)) === $expected);
        continue;
    }
    // A gibibyte, as it comes.
    stream_set_blocking($client->stream, true);
    stream_set_timeout($client->stream, 60);
    $left = (5 << 30) - $offset;
    $hash = hash_init('crc32c');
    while ($left > 0) {
        $chunk = fread($client->stream, min($left, 1 << 20));
        if ((string) $chunk === '') {
            throw new RuntimeException("$left bytes have not come");
        }
        hash_update($hash, $chunk);
        $left -= strlen($chunk);
    }
    $expected = hash_init('crc32c');
    $file = fopen($path, 'r');
    fseek($file, $offset);
    hash_update_stream($expected, $file);
    var_dump(hash_final($hash) === hash_final($expected));
}
$client->close();
$server->stop();
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
