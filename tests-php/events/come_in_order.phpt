--TEST--
A life in order: workers start, are left, stop; the manager after all workers, the master after the manager
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    foreach (['Start', 'ManagerStart', 'BeforeShutdown', 'Shutdown', 'ManagerStop'] as $event) {
        $server->on($event, fn ($server) => note($event));
    }
    foreach (['WorkerStart', 'WorkerStop', 'WorkerExit'] as $event) {
        $server->on($event, fn ($server, $id) => note("$event $id"));
    }
    $server->on('Connect', fn ($server, $fd) => note("Connect in $server->worker_id"));
    $server->on('Receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->on('Close', fn ($server, $fd, $reactor) => note("Close in $server->worker_id"));
    $server->start();
    note('start() returned');
    PHP);
$client = $server->connect();
echo $client->exchange('hello'), "\n";
$server->signal(SIGTERM);
echo json_encode($client->readToEnd($how)), " $how\n";
$server->waitForNote('start() returned');
$notes = $server->notes();
$server->wait();
$at = array_flip($notes);
$worker = isset($at['Connect in 0']) ? 0 : 1;
$orders = [
    ["WorkerStart $worker", "Connect in $worker", 'BeforeShutdown', "Close in $worker", "WorkerExit $worker", "WorkerStop $worker"],
    ['WorkerStart 0', 'WorkerExit 0', 'WorkerStop 0', 'ManagerStop'],
    ['WorkerStart 1', 'WorkerExit 1', 'WorkerStop 1', 'ManagerStop'],
    ['ManagerStart', 'ManagerStop', 'Shutdown', 'start() returned'],
    ['Start', "Connect in $worker"],
];
foreach ($orders as $order) {
    $places = array_map(fn ($note) => $at[$note] ?? -1, $order);
    $sorted = $places;
    sort($sorted);
    echo $places === $sorted && !in_array(-1, $places, true) ? "in order\n" : implode(' ', $order) . ' but ' . implode(', ', $notes) . "\n";
}
echo count($notes), ' notes, ', count(array_unique($notes)), " different\n";
?>
--EXPECT--
hello
"" closed
in order
in order
in order
in order
in order
14 notes, 14 different
