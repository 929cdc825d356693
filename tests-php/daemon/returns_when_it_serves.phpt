--TEST--
With daemonize the shell's process ends with 0 once the server serves; the daemon is a session of its own, writes to log_file, and stops like any
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 1, 'daemonize' => true, 'log_file' => getenv('ROTOR_LOG'), 'pid_file' => getenv('ROTOR_TMP') . '/pid',
    ]);
    $server->on('start', fn ($server) => note("start $server->master_pid " . getmypid()));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        echo "printed by the worker\n";
        fwrite(STDERR, "said on standard error\n");
        $server->send($fd, json_encode([stream_get_contents(STDIN), posix_getsid(0) === $server->master_pid]));
    });
    $server->start();
    note('stopped');
    PHP);
// Whoever started it may go on as soon as it has ended: the server listens.
$server->waitFor(fn () => !$server->isRunning(), 'the first process to end');
$pid = (int) file_get_contents("$server->tmp/pid");
echo $pid !== $server->pid && $server->notes() === ["start $pid $pid"] ? "a process of its own\n" : "not a daemon\n";
echo $server->request('?', 9), "\n";
$server->waitForLog('/^printed by the worker\n.*said on standard error$/ms');
$status = preg_grep('/^PPid:/', file("/proc/$pid/status", FILE_IGNORE_NEW_LINES));
echo (int) substr(current($status), 5) !== $server->pid ? "left by its parent\n" : "";
$titles = $server->processes();
$server->signal(SIGUSR1, $pid);
$server->waitForLog('/ reloaded$/m');
echo $server->request('?', 9), "\n";
$server->signal(SIGTERM, $pid);
$server->waitForNote('stopped');
$server->wait();
echo count($titles), " processes\n";
?>
--EXPECT--
a process of its own
["",true]
left by its parent
["",true]
3 processes
