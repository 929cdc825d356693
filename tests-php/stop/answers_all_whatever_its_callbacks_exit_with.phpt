--TEST--
exit() and fatal errors in the callbacks of a stop, and a signal's handler that comes afterwards, keep no message from being answered; the exit code tells
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'open_eof_split' => true, 'package_eof' => "\n"]);
    pcntl_async_signals(true);
    pcntl_signal(SIGALRM, fn () => note('alarm'));
    $server->on($argv[1], function () use ($argv) {
        note("$argv[1]");
        $argv[2] === 'exit' ? exit(7) : str_repeat('x', 1 << 30);
    });
    foreach (array_diff(['shutdown', 'managerStop', 'workerStop'], [$argv[1]]) as $event) {
        $server->on($event, fn () => note($event));
    }
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        $data === "one\n" && note('in hand');
        while (!file_exists(getenv('ROTOR_TMP') . '/go')) {
            usleep(1000);
        }
        $server->send($fd, $data);
    });
    $master = getmypid();
    register_shutdown_function(fn () => getmypid() === $master && note('end'));
    $server->start();
    note('returned');
    PHP;
foreach (['beforeShutdown', 'managerStop', 'shutdown'] as $event) {
    foreach (['exit', 'memory'] as $what) {
        $server = TestServer::start($script, args: [$event, $what]);
        $server->expectFile('go');
        $client = $server->connect();
        $client->write("one\ntwo\n");
        $server->waitForNote('in hand');
        $server->signal(SIGTERM);
        $server->waitForLog('/ manager pid=\d+: stopping$/m');
        $event === 'beforeShutdown' && $server->signal(SIGALRM);
        touch("$server->tmp/go");
        $answers = str_replace("\n", ' ', $client->readToEnd());
        $event === 'managerStop' && $server->expectLog('/ error manager pid=\d+: a callback in the manager has ended it/');
        $event === 'beforeShutdown' && $server->expectLog('/ error master pid=\d+: user code has ended the master/');
        $server->allowLog('/Allowed memory size/');
        $server->waitForNote('end');
        // The handler may have its turn when all is over.
        $notes = implode(', ', array_diff($server->notes(), ['in hand', 'alarm']));
        $server->wait($what === 'exit' ? 7 : 255);
        echo "$event, $what: $answers: $notes\n";
    }
}
?>
--EXPECT--
beforeShutdown, exit: one two : beforeShutdown, workerStop, managerStop, end
beforeShutdown, memory: one two : beforeShutdown, workerStop, managerStop, end
managerStop, exit: one two : workerStop, managerStop, shutdown, end
managerStop, memory: one two : workerStop, managerStop, shutdown, end
shutdown, exit: one two : workerStop, managerStop, shutdown, end
shutdown, memory: one two : workerStop, managerStop, shutdown, end
