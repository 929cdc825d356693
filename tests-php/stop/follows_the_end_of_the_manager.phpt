--TEST--
exit() or a fatal error in a callback of the manager stops the server in order: all is answered, the exit code is the manager's
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'),
        'open_eof_split' => true, 'package_eof' => "\n",
    ]);
    pcntl_async_signals(true);
    $end = fn () => $argv[1] === 'exit' ? exit(4) : str_repeat('x', 1 << 30);
    pcntl_signal(SIGALRM, $end);
    $server->on('beforeReload', $end);
    $server->on('workerStart', fn ($server) => note("manager is $server->manager_pid"));
    $server->on('workerStop', fn () => note('worker stopped'));
    $server->on('managerStop', fn () => note('never'));
    $server->on('shutdown', fn () => note('shutdown'));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        note('in hand');
        while (!file_exists(getenv('ROTOR_TMP') . '/go')) {
            usleep(2_000);
        }
        $server->send($fd, $data);
    });
    $master = getmypid();
    register_shutdown_function(function () use ($server, $master) {
        getmypid() === $master && note('end');
    });
    $server->start();
    note('never');
    PHP;
foreach (['exit', 'memory'] as $what) {
    foreach (['in a callback', 'in a handler of a signal'] as $where) {
        $server = TestServer::start($script, args: [$what]);
        $server->expectFile('go');
        $server->waitFor(fn () => $server->notes(), 'the worker');
        sscanf($server->notes()[0], 'manager is %d', $manager);
        $client = $server->connect();
        $client->write("one\ntwo\nthree\n");
        $server->waitForNote('in hand');
        $server->signal($where === 'in a callback' ? SIGUSR1 : SIGALRM, $manager);
        $server->expectLog('/ error manager pid=\d+: a callback in the manager has ended it/');
        $what === 'memory' && $server->expectLog('/Allowed memory size/');
        $server->waitForLog('/a callback in the manager has ended it/');
        touch("$server->tmp/go");
        echo "$what $where: ", str_replace("\n", ' ', $client->readToEnd());
        $server->waitForNote('end');
        $notes = $server->notes();
        $server->wait($what === 'exit' ? 4 : 255);
        echo implode(', ', array_unique(array_slice($notes, 1))), "\n";
    }
}
?>
--EXPECT--
exit in a callback: one two three in hand, worker stopped, shutdown, end
exit in a handler of a signal: one two three in hand, worker stopped, shutdown, end
memory in a callback: one two three in hand, worker stopped, shutdown, end
memory in a handler of a signal: one two three in hand, worker stopped, shutdown, end
