--TEST--
SIGINT, SIGUSR1 and SIGUSR2, which workers and user processes ignore, end none of them, however new it is
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
        'worker_num' => 4, 'log_file' => getenv('ROTOR_LOG'), 'reload_concurrency' => 4, 'reload_user_processes' => true,
    ]);
    $server->addProcess(new Rotor\Process(fn () => sleep(600)));
    $server->on('managerStart', fn ($server) => note("manager is $server->manager_pid"));
    $server->on('workerError', fn ($server, $id, $pid, $code, $signal) => note("error $id $code $signal"));
    $server->on('afterReload', fn ($server, $success) => note('after ' . json_encode($success)));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->start();
    PHP);
sscanf($server->waitFor(fn () => current(preg_grep('/^manager/', $server->notes())), 'the manager'), 'manager is %d', $manager);
$server->waitForLog('/(: ready; generation=2.*){4}/s');
// No slot is given more than ten processes a second.
$server->allowLog('/: respawning user=4 in \d+ms$/');
// As somebody does who signals all that has a name, at every moment of a fork.
$storm = pcntl_fork();
while ($storm === 0) {
    // The test may have ended.
    posix_getppid() === 1 && posix_kill(getmypid(), SIGKILL);
    foreach (explode(' ', (string) @file_get_contents("/proc/$manager/task/$manager/children")) as $pid) {
        foreach ((int) $pid > 0 ? [SIGINT, SIGUSR1, SIGUSR2] : [] as $signal) {
            posix_kill((int) $pid, $signal);
        }
    }
}
try {
    for ($i = 1; $i <= 10; $i++) {
        $server->signal(SIGUSR1);
        $server->waitFor(fn () => count(preg_grep('/^after/', $server->notes())) === $i, "reload $i");
    }
} finally {
    posix_kill($storm, SIGKILL);
    pcntl_waitpid($storm, $status);
}
echo json_encode(array_count_values(preg_grep('/^manager/', $server->notes(), PREG_GREP_INVERT))), "\n";
$server->stop();
?>
--EXPECT--
{"after true":10}
