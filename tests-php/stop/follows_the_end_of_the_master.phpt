--TEST--
exit() or a fatal error in a handler of a signal in the master stops the server in order, with that exit code: all is answered
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
    pcntl_signal(SIGALRM, fn () => $argv[1] === 'exit' ? exit(4) : str_repeat('x', 1 << 30));
    foreach (['workerStop', 'managerStop'] as $event) {
        $server->on($event, fn () => note($event));
    }
    foreach (['beforeShutdown', 'shutdown'] as $event) {
        $server->on($event, fn () => note("never: $event"));
    }
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        note('in hand');
        while (!file_exists(getenv('ROTOR_TMP') . '/go')) {
            usleep(2_000);
        }
        $server->send($fd, $data);
    });
    $master = getmypid();
    register_shutdown_function(fn () => getmypid() === $master && note('end'));
    $server->start();
    note('never: returned');
    PHP;
foreach (['exit' => 4, 'memory' => 255] as $what => $code) {
    $server = TestServer::start($script, args: [$what]);
    $server->expectFile('go');
    $client = $server->connect();
    $client->write("one\ntwo\nthree\n");
    $server->waitForNote('in hand');
    $server->signal(SIGALRM);
    $server->expectLog('/ error master pid=\d+: user code has ended the master \(exit\(\) or a fatal error\): the server stops/');
    $what === 'memory' && $server->expectLog('/Allowed memory size/');
    $server->waitForLog('/ manager pid=\d+: stopping$/m');
    touch("$server->tmp/go");
    echo "$what: ", str_replace("\n", ' ', $client->readToEnd());
    $server->waitForNote('end');
    $notes = $server->notes();
    $server->wait($code);
    echo implode(', ', array_unique($notes)), "\n";
}
?>
--EXPECT--
exit: one two three in hand, workerStop, managerStop, end
memory: one two three in hand, workerStop, managerStop, end
