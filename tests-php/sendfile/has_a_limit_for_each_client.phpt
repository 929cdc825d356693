--TEST--
No more than some files wait for one client: sendfile() and send() are then refused, or wait as send_timeout says, and BufferFull and BufferEmpty are about bytes alone
--EXTENSIONS--
rotor
posix
--INI--
memory_limit=1G
--FILE--
<?php
require __DIR__ . '/../inc/sendfile.inc.php';

$files = new TestFiles();
$bytes = $files->make('file', 1 << 20);
$server = TestServer::start(FILE_SERVER, env: ['SETTINGS' => json_encode([
    'worker_num' => 2, 'socket_buffer_size' => '2M', 'buffer_high_watermark' => '1M', 'buffer_low_watermark' => '100K',
])]);
$client = $server->connect();
// One after the other, each once the reactor has seen the one before.
$client->write(steps(['pid']));
$client->readLine();
$asks = $server->connect();
$asks->write(steps(['pid']));
$asks->readLine();
$queued = 0;
while (preg_grep('/^sendfile/', $server->notes()) === []) {
    $asks->write(steps(['sendfile', 1, $files->path('file')], ['send', 'FD', 'end']));
    $asks->read(3);
    $queued++;
}
$queued--;
var_dump($queued >= 64 && $queued < 64 + 300);
$asks->write(steps(['send', 1, 'x'], ['send', 'FD', 'end']));
$asks->read(3);
echo implode("\n", $server->notes()), "\n";
var_dump($client->read($queued << 20) === str_repeat($bytes, $queued));
// Bytes behind a file are bytes that wait: they are told of.
$asks->write(steps(...[...array_fill(0, 40, ['sendfile', 1, $files->path('file')]), ['send', 1, str_repeat('x', 1_500_000)]]));
$server->waitForNote('full 1');
var_dump($client->read((40 << 20) + 1_500_000) === str_repeat($bytes, 40) . str_repeat('x', 1_500_000));
$server->waitForNote('empty 1');
$client->close();
$asks->close();
$server->stop();

// Whoever may wait waits: none is refused.
$server = TestServer::start(FILE_SERVER, env: ['SETTINGS' => json_encode(['send_timeout' => 60])]);
$client = $server->connect();
$client->write(steps(...[...array_fill(0, 500, ['sendfile', 'FD', $files->path('file')]), ['close', 'FD']]));
$hash = hash_init('crc32c');
$expected = hash_init('crc32c');
for ($n = 0; $n < 500; $n++) {
    hash_update($hash, $client->read(1 << 20));
    hash_update($expected, $bytes);
}
var_dump($client->readToEnd() === '', hash_final($hash) === hash_final($expected));
$server->waitForNote('close 1 by the server');
var_dump($server->notes());
$client->close();
$server->stop();
?>
--EXPECT--
bool(true)
sendfile 1009
send 1009
bool(true)
bool(true)
bool(true)
bool(true)
array(1) {
  [0]=>
  string(21) "close 1 by the server"
}
