--TEST--
SIGHUP and SIGPIPE change nothing anywhere, nor SIGINT, SIGUSR1 and SIGUSR2 in a worker, nor SIGUSR2 where there are no task workers
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
    foreach (['workerStop', 'beforeReload', 'workerError', 'beforeShutdown'] as $event) {
        $server->on($event, fn () => note($event));
    }
    $server->on('workerStart', fn ($server) => note("worker is $server->worker_pid, manager is $server->manager_pid"));
    $server->on('receive', fn ($server, $fd) => $server->send($fd, (string) getmypid()));
    $server->start();
    note('stopped');
    PHP);
$server->waitFor(fn () => $server->notes(), 'the worker');
sscanf($server->notes()[0], 'worker is %d, manager is %d', $worker, $manager);
$client = $server->connect();
foreach ([SIGHUP, SIGPIPE, SIGINT, SIGUSR1, SIGUSR2] as $signal) {
    $server->signal($signal, $worker);
    echo (int) $client->exchange('?', strlen((string) $worker)) === $worker ? "the same worker\n" : "another worker\n";
}
foreach ([$manager, $server->pid] as $pid) {
    foreach ([SIGHUP, SIGPIPE, SIGUSR2] as $signal) {
        $server->signal($signal, $pid);
        echo (int) $client->exchange('?', strlen((string) $worker)) === $worker ? "the same worker\n" : "another worker\n";
    }
}
$client->close();
// What a signal had asked for would come before the end.
$server->signal(SIGTERM);
$server->waitForNote('stopped');
$notes = $server->notes();
$server->wait();
echo implode(' ', preg_grep('/^worker is/', $notes, PREG_GREP_INVERT)), "\n";
?>
--EXPECT--
the same worker
the same worker
the same worker
the same worker
the same worker
the same worker
the same worker
the same worker
the same worker
the same worker
the same worker
beforeShutdown workerStop stopped
