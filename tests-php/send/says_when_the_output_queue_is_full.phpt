--TEST--
Past socket_buffer_size send() returns false with 1009, what it took arrives, and then it takes again
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'socket_buffer_size' => '256K', 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data !== 'fill') {
            $server->send($fd, $data) || note("the other client is not served: {$server->getLastError()}");
            return;
        }
        $taken = 0;
        while ($server->send($fd, str_repeat('x', 10_000))) {
            $taken += 10_000;
        }
        $info = $server->getClientInfo($fd);
        note(json_encode([$taken, $server->getLastError(), $info['send_queued_bytes'] >= 256 << 10, $server->exists($fd)]));
    });
    $server->start();
    PHP);
$client = $server->connect();
$other = $server->connect();
for ($round = 1; $round <= 3; $round++) {
    $client->write('fill');
    [$taken, $code, $isQueued, $exists] = json_decode($server->waitFor(fn () => $server->notes()[$round - 1] ?? null, 'the overflow'));
    var_dump($code, $isQueued, $exists);
    echo $other->exchange('the other client is served'), "\n";
    var_dump($client->read($taken) === str_repeat('x', $taken));
    // The queue is empty; nothing came that was refused.
    echo $client->exchange('again'), "\n";
}
$client->close();
$other->close();
$server->stop();
?>
--EXPECT--
int(1009)
bool(true)
bool(true)
the other client is served
bool(true)
again
int(1009)
bool(true)
bool(true)
the other client is served
bool(true)
again
int(1009)
bool(true)
bool(true)
the other client is served
bool(true)
again
