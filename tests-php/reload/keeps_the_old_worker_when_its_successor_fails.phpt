--TEST--
A successor that throws, exits, runs out of memory or is killed in onWorkerStart leaves the old one serving; onAfterReload gets false
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
    $server->on('workerStart', function ($server, $id) {
        // Worker 1 always can.
        match ($id === 0 ? @file_get_contents(getenv('ROTOR_TMP') . '/how') : false) {
            'throw' => throw new RuntimeException('cannot start'),
            'exit 0' => exit(0),
            'exit 3' => exit(3),
            'memory' => str_repeat('x', 1 << 30),
            'kill' => posix_kill(getmypid(), SIGKILL),
            default => note("worker $id"),
        };
    });
    $server->on('afterReload', fn ($server, $success) => note(json_encode($success) . ' ' . $server->stats()['failed_reload_count']));
    $server->on('workerError', fn ($server, $id, $pid, $code, $signal, $fd) => note("error in $id: $code $signal $fd"));
    $server->on('receive', fn ($server, $fd) => $server->send($fd, $server->worker_id . ' ' . getmypid() . "\n"));
    $server->start();
    PHP);
$server->expectFile('how');
$server->allowLog('/./');
$server->waitForNote('worker 0');
$server->waitForNote('worker 1');
$clients = [$server->connect(), $server->connect()];
$ask = function () use ($clients) {
    $pids = [];
    foreach ($clients as $client) {
        $client->write('?');
        [$id, $pid] = explode(' ', $client->readLine());
        $pids[$id] = $pid;
    }
    ksort($pids);
    return $pids;
};
$before = $ask();
foreach (['throw', 'exit 0', 'exit 3', 'memory', 'kill'] as $count => $how) {
    file_put_contents("$server->tmp/how", $how);
    $server->signal(SIGUSR1);
    $server->waitForNote('false ' . $count + 1);
    $after = $ask();
    echo "$how: worker 0 ", $after[0] === $before[0] ? 'kept' : 'replaced', ', worker 1 ', $after[1] === $before[1] ? 'kept' : 'replaced', "\n";
    $before = $after;
}
unlink("$server->tmp/how");
$server->signal(SIGUSR1);
$server->waitForNote('true 5');
echo 'without: ', array_intersect($ask(), $before) === [] ? 'both replaced' : 'kept', "\n";
echo implode("\n", preg_grep('/^error/', $server->notes())), "\n";
$server->stop();
?>
--EXPECT--
throw: worker 0 kept, worker 1 replaced
exit 0: worker 0 kept, worker 1 replaced
exit 3: worker 0 kept, worker 1 replaced
memory: worker 0 kept, worker 1 replaced
kill: worker 0 kept, worker 1 replaced
without: both replaced
error in 0: 1 0 0
error in 0: 3 0 0
error in 0: 255 0 0
error in 0: 0 9 0
