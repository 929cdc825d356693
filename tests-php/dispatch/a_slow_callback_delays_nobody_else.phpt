--TEST--
Idle dispatch, modes 3, 6 and 7, and mode 3 that a dispatch_func leaves all to: 4 workers, a slow message and 40 fast ones; all fast answers come before the slow one
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

foreach ([
    [Rotor\Server::DISPATCH_IDLE_WORKER, false],
    [Rotor\Server::DISPATCH_USERFUNC, false],
    [Rotor\Server::DISPATCH_STREAM, false],
    [Rotor\Server::DISPATCH_IDLE_WORKER, true],
] as [$mode, $asks]) {
    $server = TestServer::start(str_replace('MODE', (string) $mode, <<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set([
            'worker_num' => 4, 'reactor_num' => 2, 'dispatch_mode' => MODE, 'open_eof_split' => true, 'package_eof' => "\n",
            'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP'),
        ]);
        if ($argv[1] === 'asks') {
            $server->set(['dispatch_func' => fn () => Rotor\Server::DISPATCH_RESULT_USERFUNC_FALLBACK]);
        }
        $server->on('receive', function ($server, $fd, $reactor, $data) {
            if ($data === "slow\n") {
                note('slow');
                // However slow the machine is, it takes longer than the others.
                for ($until = microtime(true) + 1.5; microtime(true) < $until || !file_exists(getenv('ROTOR_TMP') . '/go');) {
                    usleep(1000);
                }
            } else {
                usleep(1000);
            }
            $server->send($fd, "$server->worker_id\n");
        });
        $server->start();
        PHP), args: [$asks ? 'asks' : 'does not']);
    $slow = $server->connect();
    $slow->write("slow\n");
    $server->waitForNote('slow');
    $fast = [];
    for ($i = 0; $i < 40; $i++) {
        $fast[] = $client = $server->connect();
        $client->write("fast\n");
    }
    $workers = array_map(fn (TestClient $client): int => (int) $client->readLine(), $fast);
    echo count($workers), ' fast answers, ', $slow->isSilent(0.0) ? 'the slow one is not there; ' : 'behind the slow one; ';
    touch("$server->tmp/go");
    $busy = (int) $slow->readLine();
    unlink("$server->tmp/go");
    echo in_array($busy, $workers, true) ? "worker $busy was busy" : 'all by the other workers', "\n";
    $server->stop();
}
?>
--EXPECT--
40 fast answers, the slow one is not there; all by the other workers
40 fast answers, the slow one is not there; all by the other workers
40 fast answers, the slow one is not there; all by the other workers
40 fast answers, the slow one is not there; all by the other workers
