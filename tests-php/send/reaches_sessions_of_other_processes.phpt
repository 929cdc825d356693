--TEST--
send() reaches a session from its worker, from another one, from the manager and from the master
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === 'I') {
            $server->send($fd, 'I');
            return;
        }
        foreach ($server->connections as $other) {
            $server->send($other, "$fd in worker $server->worker_id: $data") || note("send to $other failed");
        }
    });
    foreach (['beforeReload' => 'manager', 'beforeShutdown' => 'master'] as $event => $process) {
        $server->on($event, function ($server) use ($process) {
            foreach ($server->connections as $fd) {
                $server->send($fd, "$process\n") || note("send to $fd failed");
                $server->send($fd, str_repeat($process[1], 300_000) . "\n") || note("large send to $fd failed");
            }
        });
    }
    $server->on('afterReload', fn () => note('reloaded'));
    $server->start();
    PHP);
$clients = [$server->connect(), $server->connect(), $server->connect(), $server->connect()];
// The kernel says connected before the server has accepted; whoever has an answer is known to all.
foreach ($clients as $client) {
    $client->exchange('I', 1);
}
foreach ($clients as $client) {
    $client->write("hello\n");
    foreach ($clients as $other) {
        echo $other->readLine(), $other === end($clients) ? "\n" : ', ';
    }
}
$server->signal(SIGUSR1);
foreach ($clients as $client) {
    echo $client->readLine(), ' ', $client->readLine() === str_repeat('a', 300_000) ? 'whole' : 'cut', "\n";
}
$server->waitForNote('reloaded');
$server->signal(SIGTERM);
foreach ($clients as $client) {
    echo $client->readLine(), ' ', $client->readLine() === str_repeat('a', 300_000) ? 'whole' : 'cut', "\n";
}
$server->wait();
?>
--EXPECT--
1 in worker 1: hello, 1 in worker 1: hello, 1 in worker 1: hello, 1 in worker 1: hello
2 in worker 0: hello, 2 in worker 0: hello, 2 in worker 0: hello, 2 in worker 0: hello
3 in worker 1: hello, 3 in worker 1: hello, 3 in worker 1: hello, 3 in worker 1: hello
4 in worker 0: hello, 4 in worker 0: hello, 4 in worker 0: hello, 4 in worker 0: hello
manager whole
manager whole
manager whole
manager whole
master whole
master whole
master whole
master whole
