--TEST--
Eighty clients that do not read yet, each with a large answer: no send() fails, others are served, and all answers arrive
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === 'stats') {
            $server->send($fd, json_encode($server->stats()) . "\n");
            return;
        }
        // Larger than any block.
        $sent = $server->send($fd, str_repeat(chr($fd), 6 << 20));
        note($sent ? 'sent' : "send failed: {$server->getLastError()}");
    });
    $server->start();
    PHP);
$clients = [];
for ($fd = 1; $fd <= 80; $fd++) {
    $clients[$fd] = $server->connect();
    // The kernel shall not take all of it for the client.
    socket_set_option(socket_import_stream($clients[$fd]->stream), SOL_SOCKET, SO_RCVBUF, 256 << 10);
    $clients[$fd]->write('large');
}
$server->waitFor(fn () => count($server->notes()) === 80, 'the answers');
var_dump(array_count_values($server->notes()));
$other = $server->connect();
$stats = function () use ($other): array {
    $other->write('stats');
    return json_decode($other->readLine(), true);
};
var_dump($stats()['blocks_in_use'] > 0);
$whole = 0;
foreach ($clients as $fd => $client) {
    $whole += (int) ($client->read(6 << 20) === str_repeat(chr($fd), 6 << 20));
    $client->close();
}
var_dump($whole);
$server->waitFor(fn () => $stats()['blocks_in_use'] === 0, 'the blocks');
$other->close();
$server->stop();
?>
--EXPECT--
array(1) {
  ["sent"]=>
  int(80)
}
bool(true)
int(80)
