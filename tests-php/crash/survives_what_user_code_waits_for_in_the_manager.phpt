--TEST--
User code in the manager that waits for one of its workers, or never waits for what it has started, does not cost a slot its processes
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
    $server->on('managerStart', function ($server) {
        for ($i = 0; $i < 3; $i++) {
            // Zombies for as long as the manager lives.
            $GLOBALS['never waited for'][] = proc_open(['true'], [], $pipes);
        }
    });
    $server->on('workerStart', fn ($server, $id) => note("worker $id"));
    $server->on('workerError', function ($server, $id, $pid, $code, $signal) {
        note("worker $id ended: $code $signal");
        if ($id === 0 && !isset($GLOBALS['waited'])) {
            $GLOBALS['waited'] = true;
            $other = $server->getWorkerPid(1);
            posix_kill($other, SIGKILL);
            note(pcntl_waitpid($other, $status) === $other ? 'user code has waited' : 'it has not');
            // The end of another child does not interrupt a wait.
            $sooner = proc_open(['sleep', '0.1'], [], $pipes);
            $later = proc_open(['sleep', '0.5'], [], $pipes);
            note(pcntl_waitpid(proc_get_status($later)['pid'], $status) > 0 ? 'and again' : 'not again');
        }
    });
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        $data === 'die' ? posix_kill(getmypid(), SIGKILL) : $server->send($fd, "$server->worker_id\n");
    });
    $server->start();
    PHP);
$server->expectLog('/ error worker=0 pid=\d+: killed by SIGKILL/');
$server->expectLog('/ error worker=1 pid=\d+: user code in the manager has waited for it: how it has ended is not known$/m');
$server->allowLog('/ error worker=1 pid=\d+: exited code=1|respawning/');
$server->waitForNote('worker 0');
$server->waitForNote('worker 1');
// Sessions 1 and 2: the odd one is worker 1's.
$clients = [1 => $server->connect(), $server->connect()];
$clients[2]->write('die');
$server->waitForNote('worker 1 ended: 1 0');
$server->waitForNote('worker 0', 2);
$server->waitForNote('worker 1', 2);
// One that has said that it starts may not be ready yet, and then the other is given the connection.
$answers = [];
$server->waitFor(function () use ($server, &$answers): bool {
    $client = $server->connect();
    $client->write('?');
    $answers[$client->readLine()] = true;
    return count($answers) === 2;
}, 'both to answer');
ksort($answers);
echo implode(' ', array_keys($answers)), "\n";
echo implode(', ', preg_grep('/waited|again|ended/', $server->notes())), "\n";
$server->stop();
?>
--EXPECT--
0 1
worker 0 ended: 0 9, user code has waited, and again, worker 1 ended: 1 0
