--TEST--
However a worker dies in a callback: onWorkerError tells how and whose, that connection is closed, all others are answered, the slot is respawned
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'open_eof_split' => true, 'package_eof' => "\n"]);
    $server->on('workerStart', fn ($server) => note('start ' . getmypid()));
    $server->on('workerStop', fn () => note('worker stopped'));
    $server->on('workerError', function (Rotor\Server $server, ...$arguments) {
        [$id, $pid, $code, $signal, $fd] = $arguments;
        note('error ' . json_encode([count($arguments), $id, in_array("start $pid", notes(), true), $code, $signal, $fd,
            $server->manager_pid === getmypid()]));
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("close $fd $reactor"));
    register_shutdown_function(fn () => note('shutdown function'));
    function notes(): array { return file(getenv('ROTOR_NOTES'), FILE_IGNORE_NEW_LINES); }
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        $server->send($fd, "before\n");
        // The others queue up behind it.
        while (substr_count(file_get_contents(getenv('ROTOR_NOTES')), "go $fd\n") === 0 && trim($data) !== 'echo') {
            usleep(2_000);
        }
        match (trim($data)) {
            'exit' => exit(3),
            'fatal' => eval('function strlen() {}'),
            'memory' => str_repeat('x', 1 << 30),
            'segfault' => posix_kill(getmypid(), SIGSEGV),
            'kill' => posix_kill(getmypid(), SIGKILL),
            'exit 0' => exit(0),
            default => null,
        };
        $server->send($fd, "after\n");
    });
    $server->start();
    PHP);
$server->allowLog('/./');
$server->waitFor(fn () => $server->notes(), 'the worker');
foreach (['exit', 'memory', 'fatal', 'segfault', 'kill', 'exit 0'] as $count => $how) {
    $others = [$server->connect(), $server->connect(), $server->connect()];
    foreach ($others as $other) {
        $other->exchange("echo\n", 13);
    }
    $dying = $server->connect();
    $dying->write("$how\necho\n");
    $line = $dying->readLine();
    foreach ($others as $other) {
        $other->write("echo\n");
    }
    $fd = 4 * ($count + 1);
    file_put_contents(dirname($server->tmp) . '/notes', "go $fd\n", FILE_APPEND);
    $rest = $dying->readToEnd($end);
    $answers = 0;
    foreach ($others as $other) {
        $answers += $other->read(13) === "before\nafter\n" ? 1 : 0;
        $other->close();
    }
    $how === 'exit 0' || $error = $server->waitFor(fn () => array_values(preg_grep('/^error/', $server->notes()))[$count] ?? null, 'onWorkerError');
    $server->waitForNote("close $fd -1");
    echo "$how: ", json_encode([$line, $rest, $end]), ", $answers answers, ", $how === 'exit 0' ? '' : str_replace(",$fd,", ',FD,', $error), "\n";
}
$starts = preg_grep('/^start/', $server->notes());
echo count($starts), ' starts of ', count(array_unique($starts)), ' processes, ', count(array_keys($server->notes(), 'worker stopped', true)), " stopped in order\n";
// exit() and fatal errors run shutdown functions, a signal does not.
echo count(array_keys($server->notes(), 'shutdown function', true)), " shutdown functions\n";
$closes = preg_grep('/^close/', $server->notes());
$server->expectLog('/ error worker=0 pid=\d+: killed by SIGSEGV; session=16: its message is lost/');
$server->expectLog('/ error worker=0 pid=\d+: exited code=3; session=4: its message is lost/');
$server->expectLog('/ error worker=0 pid=\d+: exited code=255; session=8: its message is lost/');
$server->stop();
?>
--EXPECT--
exit: ["before","","closed"], 3 answers, error [5,0,true,3,0,FD,true]
memory: ["before","","closed"], 3 answers, error [5,0,true,255,0,FD,true]
fatal: ["before","","closed"], 3 answers, error [5,0,true,255,0,FD,true]
segfault: ["before","","closed"], 3 answers, error [5,0,true,0,11,FD,true]
kill: ["before","","closed"], 3 answers, error [5,0,true,0,9,FD,true]
exit 0: ["before","","closed"], 3 answers, 
7 starts of 7 processes, 0 stopped in order
4 shutdown functions
