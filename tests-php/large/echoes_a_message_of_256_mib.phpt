--TEST--
A message of 256 MiB echoes, and leaves no block and no file behind
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

// The short form has a quarter of it, which takes the same way by the disk.
$size = (getenv('ROTOR_STRESS') ? 256 : 64) << 20;
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'message_timeout' => 0,
        'worker_num' => 2, 'open_length_check' => true, 'package_max_length' => '300M', 'socket_buffer_size' => '600M',
        'ipc_memory' => '32M', 'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP'),
    ]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === "\0\0\0\5stats") {
            $stats = $server->stats();
            $server->send($fd, json_encode([$stats['blocks_in_use'], $stats['spilled_messages'] > 0, $stats['refused_messages'], $stats['protocol_errors']]) . "\n");
            return;
        }
        $server->send($fd, $data) || note("send failed: {$server->getLastError()}");
    });
    $server->start();
    PHP, ini: ['memory_limit' => '-1']);
ini_set('memory_limit', -1);
$other = $server->connect();
$small = pack('N', 1000) . str_repeat('s', 1000);
for ($round = 1; $round <= 2; $round++) {
    $message = pack('N', $size) . str_repeat(random_bytes(1 << 20), $size >> 20);
    $client = $server->connect();
    var_dump($client->exchange($message) === $message);
    var_dump($other->exchange($small) === $small);
    // The same client goes on with small ones.
    var_dump($client->exchange($small) === $small);
    $client->close();
}
$stats = fn (): string => $other->write("\0\0\0\5stats") ?? $other->readLine();
echo $server->waitFor(fn () => str_starts_with($line = $stats(), '[0,') ? $line : null, 'the blocks'), "\n";
var_dump(array_diff(scandir($server->tmp), ['.', '..']), $server->notes());
$other->close();
$server->stop();
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
[0,true,0,0]
array(0) {
}
array(0) {
}
