--TEST--
Handlers of pcntl_signal run at once in master, manager and idle workers, may call methods, and may throw
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    pcntl_async_signals(true);
    $who = fn () => match (getmypid()) {
        $server->master_pid => 'master',
        $server->manager_pid => 'manager',
        default => "worker $server->worker_id",
    };
    pcntl_signal(SIGALRM, fn () => note("{$who()}: " . count($server->connections) . ' connections'));
    pcntl_signal(SIGURG, function () use ($who) {
        note("{$who()} throws");
        throw new RuntimeException('from the handler');
    });
    $server->on('workerStart', fn ($server, $id) => note("worker $id is $server->worker_pid, manager is $server->manager_pid"));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        // It interrupts a callback, too.
        $data === 'kill' && posix_kill(getmypid(), SIGALRM);
        $server->send($fd, $data);
    });
    $server->start();
    PHP);
$server->expectLog('/Uncaught RuntimeException: from the handler/');
$server->allowLog('/./');
$server->waitFor(fn () => $server->notes(), 'the worker');
sscanf($server->notes()[0], 'worker 0 is %d, manager is %d', $worker, $manager);
$client = $server->connect();
echo $client->exchange('hello'), "\n";
foreach (['master' => $server->pid, 'manager' => $manager, 'worker 0' => $worker] as $who => $pid) {
    $server->signal(SIGALRM, $pid);
    $server->waitForNote("$who: 1 connections");
    $server->signal(SIGURG, $pid);
    $server->waitForNote("$who throws");
    $server->signal(SIGALRM, $pid);
    $server->waitForNote("$who: 1 connections", 2);
    echo $client->exchange($who), "\n";
}
echo $client->exchange('kill'), "\n";
echo count(array_keys($server->notes(), 'worker 0: 1 connections', true)), "\n";
$client->close();
$server->stop();
?>
--EXPECT--
hello
master
manager
worker 0
kill
3
