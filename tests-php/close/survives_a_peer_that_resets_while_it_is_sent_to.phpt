--TEST--
A peer that resets in the middle of the answers costs them, and nobody else anything
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'socket_buffer_size' => '1G', 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === 'stats') {
            $server->send($fd, json_encode($server->stats()) . "\n");
            return;
        }
        for ($n = 0; $n < 100 && $server->send($fd, str_repeat('x', 200_000)); $n++) {
        }
        note('sent');
        // What the client does now comes between.
        while (!file_exists(getenv('ROTOR_TMP') . "/go$fd")) {
            usleep(1000);
        }
        for ($n = 0; $n < 100 && $server->send($fd, str_repeat('x', 200_000)); $n++) {
        }
        note('failed with ' . $server->getLastError());
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("closed $reactor"));
    $server->start();
    PHP);
for ($fd = 1; $fd <= 3; $fd++) {
    $client = $server->connect();
    $client->write('answers');
    $server->waitForNote('sent', $fd);
    $client->read(1_000_000);
    $client->reset();
    // The reactor has seen it when the descriptor is gone; the worker has not been told yet.
    touch("$server->tmp/go$fd");
    $server->waitForNote('closed 0', $fd);
    unlink("$server->tmp/go$fd");
}
$client = $server->connect();
$client->write('stats');
$stats = json_decode($client->readLine(), true);
var_dump($stats['blocks_in_use'], $stats['connection_num'], $stats['close_count']);
$client->close();
$server->stop();
?>
--EXPECT--
int(0)
int(1)
int(3)
