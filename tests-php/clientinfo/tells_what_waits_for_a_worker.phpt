--TEST--
recv_queued_bytes are the messages of a connection that no worker has taken yet, small and large, with and without a worker of its own
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

foreach ([2, 1] as $mode) {
    $server = TestServer::start(<<<'PHP'
        $mode = (int) $argv[1];
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set([
            'worker_num' => 2, 'dispatch_mode' => $mode, 'open_length_check' => true, 'package_length_type' => 'N',
            'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP'),
        ]);
        $server->on('receive', function ($server, $fd, $reactor, $data) {
            $what = substr($data, 4, 4);
            if ($what === 'wait') {
                note("waits $server->worker_id");
                while (!file_exists(getenv('ROTOR_TMP') . '/go')) {
                    usleep(1000);
                }
            }
            $server->send($fd, "done\n");
        });
        // Who is asked sees into every worker's lanes.
        $server->addProcess(new Rotor\Process(function () use ($server) {
            $last = null;
            while (true) {
                $queued = $server->getClientInfo(1)['recv_queued_bytes'] ?? null;
                if ($queued !== $last) {
                    note('queued ' . json_encode($last = $queued));
                }
                usleep(1000);
            }
        }));
        $server->start();
        PHP, args: [(string) $mode]);
    $message = fn (string $body): string => pack('N', strlen($body)) . $body;
    $client = $server->connect();
    // In mode 1 one for each worker.
    $client->write($message('wait') . ($mode === 1 ? $message('wait') : ''));
    $server->waitFor(fn () => count(preg_grep('/^waits/', $server->notes())) === ($mode === 1 ? 2 : 1), 'the workers to wait');
    $server->waitForNote('queued 0');
    $client->write($message('small one'));
    $server->waitForNote('queued ' . (4 + 9));
    $client->write($message(str_repeat('x', 100_000)));
    $server->waitForNote('queued ' . (4 + 9 + 4 + 100_000));
    $other = $server->connect();
    $other->write($message('of another client'));
    $client->write($message('.'));
    $server->waitForNote('queued ' . (4 + 9 + 4 + 100_000 + 4 + 1));
    touch("$server->tmp/go");
    foreach (range(1, $mode === 1 ? 5 : 4) as $n) {
        $client->readLine();
    }
    $server->waitFor(fn () => array_slice(preg_grep('/^queued/', $server->notes()), -1) === ['queued 0'], 'nothing to be queued');
    unlink("$server->tmp/go");
    $server->stop();
    echo "mode $mode\n";
}
?>
--EXPECT--
mode 2
mode 1
