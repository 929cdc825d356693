--TEST--
A message larger than memory_limit leaves room for is refused before it is copied: its connection is closed, the worker lives on (P4)
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$size = (getenv('ROTOR_STRESS') ? 256 : 130) << 20;
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 1, 'open_length_check' => true, 'package_max_length' => '300M', 'log_file' => getenv('ROTOR_LOG'),
        'task_tmpdir' => getenv('ROTOR_TMP'),
    ]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        note(getmypid() . ' got ' . strlen($data));
        $stats = $server->stats();
        $server->send($fd, json_encode([$stats['refused_messages'], $stats['blocks_in_use'], $stats['crash_count'], $stats['lost_messages']]) . "\n");
    });
    $server->on('protocolError', fn ($server, $fd, $reactor, $code, $reason) => note("$fd $code $reason"));
    $server->on('close', fn ($server, $fd, $reactor) => note("$fd closed $reactor"));
    $server->start();
    PHP, ini: ['memory_limit' => '128M']);
ini_set('memory_limit', -1);
$server->expectLog("/session 1: a message of " . $size + 4 . ' bytes is larger than memory_limit leaves room for; closing/');
$client = $server->connect();
$client->write(pack('N', $size));
for ($sent = 0; $sent < $size; $sent += 1 << 20) {
    $client->write(str_repeat('x', 1 << 20));
}
var_dump($client->readToEnd());
$server->waitForNote('1 closed -1');
$server->waitForNote('1 1203 a message of ' . $size + 4 . ' bytes is larger than memory_limit leaves room for');
$client = $server->connect();
$client->write(pack('N', 5) . 'stats');
echo $client->readLine(), "\n";
// What fits is taken as ever.
$client->write(pack('N', 20 << 20) . str_repeat('y', 20 << 20));
echo $client->readLine(), "\n";
$stats = function () use ($client): string {
    $client->write(pack('N', 5) . 'stats');
    return $client->readLine();
};
echo $server->waitFor(fn () => ($line = $stats()) === '[1,0,0,0]' ? $line : null, 'the blocks'), "\n";
var_dump(array_diff(scandir($server->tmp), ['.', '..']));
$client->close();
$server->stop();
?>
--EXPECT--
string(0) ""
[1,0,0,0]
[1,0,0,0]
[1,0,0,0]
array(0) {
}
