--TEST--
At a stop onClose runs exactly once for each open connection, with reactor id -1, in the worker that had it
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('connect', fn ($server, $fd) => note("connect $fd in $server->worker_id"));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->on('close', function ($server, $fd, $reactor) {
        note("close $fd in $server->worker_id");
        note($reactor === -1 ? 'by the server' : 'by the peer');
        note('info ' . json_encode($server->getClientInfo($fd)['remote_ip'] ?? null));
    });
    $server->start();
    note('stopped');
    PHP);
$clients = [];
for ($i = 1; $i <= 50; $i++) {
    $clients[] = $server->connect();
}
// Five are gone before, one has closed half, one has sent a part of nothing.
foreach ($clients as $i => $client) {
    $client->exchange("hello $i");
}
for ($i = 0; $i < 5; $i++) {
    array_shift($clients)->close();
}
$server->waitForNote('by the peer', 5);
$server->signal(SIGTERM);
$how = [];
foreach ($clients as $client) {
    $client->readToEnd($end);
    $how[] = $end;
}
$server->waitForNote('stopped');
$notes = $server->notes();
$server->wait();
$counts = array_count_values($notes);
$connects = preg_grep('/^connect/', $notes);
$closes = preg_grep('/^close/', $notes);
sort($connects);
sort($closes);
echo json_encode(array_count_values($how)), "\n";
echo count($closes), ' ', array_values($closes) === str_replace('connect', 'close', $connects) ? "in their workers\n" : "elsewhere\n";
foreach (['by the peer', 'by the server', 'info "127.0.0.1"', 'info null'] as $note) {
    echo "$note: ", $counts[$note] ?? 0, "\n";
}
?>
--EXPECT--
{"closed":45}
50 in their workers
by the peer: 5
by the server: 45
info "127.0.0.1": 50
info null: 0
