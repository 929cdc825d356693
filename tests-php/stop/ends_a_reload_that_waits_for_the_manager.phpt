--TEST--
A reload that a stop overtakes while the manager is busy ends with onAfterReload and false, before onManagerStop
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
    $server->on('beforeReload', function () {
        note('before');
        while (!file_exists(getenv('ROTOR_TMP') . '/go')) {
            usleep(1000);
        }
    });
    $server->on('afterReload', fn ($server, $success) => note('after ' . json_encode([$success, @$server->reload(), $server->getLastError()])));
    // Callbacks of the manager wait behind it.
    $server->on('workerStop', fn () => exit(3));
    $server->on('workerError', fn ($server, $id, $pid, $code) => note("error $code"));
    $server->on('managerStop', fn () => note('manager stops'));
    $server->on('shutdown', fn ($server) => note('last reload ' . $server->stats()['last_reload_success']));
    $server->on('receive', fn () => 0);
    note(json_encode($server->start()));
    PHP);
$server->expectFile('go');
$server->signal(SIGUSR1);
$server->waitForNote('before');
$workers = fn (): array => preg_grep('/worker #/', $server->processes());
$server->waitFor(fn () => count($workers()) === 2, 'the workers');
$server->signal(SIGTERM);
// A zombie has no title.
$server->waitFor(fn () => $workers() === [], 'the end of the workers');
touch("$server->tmp/go");
$server->expectLog('/ error worker=\d pid=\d+: exited code=3$/m');
$server->waitForNote('true');
echo implode("\n", $server->notes()), "\n";
$server->wait();
?>
--EXPECT--
before
error 3
error 3
after [false,false,509]
manager stops
last reload 0
true
