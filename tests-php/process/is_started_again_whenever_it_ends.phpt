--TEST--
A user process is started again however it ends; onWorkerError tells of those that end with a code or by a signal
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'respawn_max_delay' => 0.01]);
    $process = new Rotor\Process(function (Rotor\Process $process) {
        register_shutdown_function(fn () => note('shutdown function'));
        $how = $process->read();
        note(getmypid() . " is told: $how");
        match ($how) {
            'return' => true,
            'exit 0' => exit(0),
            'exit 3' => exit(3),
            '$process->exit(4)' => $process->exit(4),
            'throw' => throw new RuntimeException('thrown by the process'),
            'memory' => str_repeat('x', 1 << 30),
            'SIGKILL' => posix_kill(getmypid(), SIGKILL),
            'SIGTERM' => posix_kill(getmypid(), SIGTERM),
            'SIGINT' => posix_kill(getmypid(), SIGINT) && note('SIGINT is ignored'),
        };
    });
    $server->addProcess($process);
    $server->on('workerError', fn ($server, ...$about) => note(
        'error ' . json_encode([$about[0], $about[1] > 0, ...array_slice($about, 2)])
    ));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $process->write($data));
    $server->start();
    note('start() returns');
    PHP, ini: ['memory_limit' => '32M']);
$server->expectLog('/Uncaught RuntimeException: thrown by the process/');
$server->expectLog('/Allowed memory size of 33554432 bytes exhausted/');
$server->allowLog('/error user=1 pid=\d+: (exited code=|killed by)/');
$server->allowLog('/respawning user=1 in 10ms/');
$server->allowLog('/the server is degraded: user=1 keeps dying/');
$client = $server->connect();
foreach (['return', 'exit 0', 'exit 3', '$process->exit(4)', 'throw', 'memory', 'SIGKILL', 'SIGTERM', 'SIGINT'] as $how) {
    $told = count($server->notes());
    $client->write($how);
    $pid = (int) $server->waitFor(
        fn () => current(preg_grep('/^\d+ is told: ' . preg_quote($how) . '$/', $server->notes())), 'it to be told');
    $server->waitFor(fn () => !file_exists("/proc/$pid"), 'its end');
    if (!in_array($how, ['return', 'exit 0', 'SIGINT'], true)) {
        $server->waitFor(fn () => preg_grep('/^error/', array_slice($server->notes(), $told)), 'onWorkerError');
    }
    echo preg_replace('/^\d+ /', '', implode(', ', array_slice($server->notes(), $told))), "\n";
}
$server->stop();
echo count(preg_grep('/^start/', $server->notes())) === 1 ? "start() returns once\n" : "start() does not return\n";
?>
--EXPECT--
is told: return, shutdown function
is told: exit 0, shutdown function
is told: exit 3, shutdown function, error [1,true,3,0,0]
is told: $process->exit(4), shutdown function, error [1,true,4,0,0]
is told: throw, shutdown function, error [1,true,255,0,0]
is told: memory, shutdown function, error [1,true,255,0,0]
is told: SIGKILL, error [1,true,0,9,0]
is told: SIGTERM, error [1,true,0,15,0]
is told: SIGINT, SIGINT is ignored, shutdown function
start() returns once
