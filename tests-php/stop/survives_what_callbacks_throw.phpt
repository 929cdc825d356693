--TEST--
A stop goes on when its callbacks throw or a worker's call exit(): all of it runs, start() returns true
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
    foreach (['BeforeShutdown', 'WorkerExit', 'ManagerStop', 'Shutdown'] as $event) {
        $server->on($event, fn ($server) => note($event) ?? throw new RuntimeException("from $event"));
    }
    $server->on('workerStop', fn ($server, $id) => note("WorkerStop $id") ?? exit(0));
    $server->on('close', fn () => throw new RuntimeException('from Close'));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    note(json_encode($server->start()));
    PHP);
$client = $server->connect();
$client->exchange('hello');
$server->signal(SIGTERM);
$client->readToEnd();
$server->waitForNote('true');
$server->allowLog('/./');
foreach (['BeforeShutdown', 'WorkerExit', 'ManagerStop', 'Shutdown', 'Close'] as $event) {
    $server->expectLog("/Uncaught RuntimeException: from $event/");
}
$counts = array_count_values($server->notes());
$server->wait();
ksort($counts);
echo json_encode($counts), "\n";
?>
--EXPECT--
{"BeforeShutdown":1,"ManagerStop":1,"Shutdown":1,"WorkerExit":2,"WorkerStop 0":1,"WorkerStop 1":1,"true":1}
