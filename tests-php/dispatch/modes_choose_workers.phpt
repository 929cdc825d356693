--TEST--
Each dispatch mode chooses workers by its own rule
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

function serve(int $mode, callable $test): void
{
    $server = TestServer::start(str_replace('MODE', (string) $mode, <<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set([
            'worker_num' => 3, 'reactor_num' => 2, 'dispatch_mode' => MODE, 'open_eof_split' => true, 'package_eof' => "\n",
            'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP'),
        ]);
        $server->on('receive', function ($server, $fd, $reactor, $data) {
            if ($data === "hold\n") {
                note('held');
                for ($end = microtime(true) + 2; !file_exists(getenv('ROTOR_TMP') . '/go') && microtime(true) < $end;) {
                    usleep(1000);
                }
                @unlink(getenv('ROTOR_TMP') . '/go');
            }
            $server->send($fd, "$server->worker_id {$server->stats()['worker_dispatch_count']}\n");
        });
        $server->start();
        PHP));
    echo "mode $mode: ", $test($server), "\n";
    $server->stop();
}

/** @return list<int> the workers of so many messages, one after the other */
function workers(TestClient $client, int $messages): array
{
    return array_map(function () use ($client): int {
        $client->write("?\n");
        return (int) $client->readLine();
    }, range(1, $messages));
}

serve(Rotor\Server::DISPATCH_ROUND, function (TestServer $server): string {
    $workers = workers($server->connect(), 6);
    return $workers[0] !== $workers[1] && array_slice($workers, 0, 3) === array_slice($workers, 3)
        ? 'one after the other' : implode(' ', $workers);
});
foreach ([Rotor\Server::DISPATCH_FDMOD, Rotor\Server::DISPATCH_CO_CONN_LB] as $mode) {
    serve($mode, function (TestServer $server): string {
        $clients = [$server->connect()];
        // One that is known to be there before the next comes.
        $workers = [workers($clients[0], 3)];
        foreach ([1, 2] as $number) {
            $clients[$number] = $server->connect();
            $workers[] = workers($clients[$number], 3);
        }
        $first = array_column($workers, 0);
        sort($first);
        return $first === [0, 1, 2] && array_map(fn ($all) => count(array_unique($all)), $workers) === [1, 1, 1]
            ? 'one worker for each connection' : json_encode($workers);
    });
}
serve(Rotor\Server::DISPATCH_IPMOD, function (TestServer $server): string {
    $all = [...workers($server->connect(), 2), ...workers($server->connect(), 2)];
    $other = workers(new TestClient("tcp://127.0.0.1:$server->port", from: '127.0.0.2'), 1);
    return $all === array_fill(0, 4, 0x7f000001 % 3) && $other === [0x7f000002 % 3] ? 'by address' : json_encode([$all, $other]);
});
foreach ([Rotor\Server::DISPATCH_CO_REQ_LB, Rotor\Server::DISPATCH_CONCURRENT_LB] as $mode) {
    serve($mode, function (TestServer $server): string {
        [$slow, $fast] = [$server->connect(), $server->connect()];
        // A worker counts its message as done a moment after it has answered. Where the machine takes its time for that in
        // two workers at once, all three have one message, and any may be chosen: the next time, then.
        for ($round = 1; $round <= 20; $round++) {
            $slow->write("hold\n");
            $server->waitForNote('held', $round);
            $workers = workers($fast, 40);
            // Not touch(): that does something more to the file, which may be gone by then.
            file_put_contents("$server->tmp/go", '');
            $held = (int) $slow->readLine();
            if (!in_array($held, $workers, true)) {
                return 'past the busy worker';
            }
            @unlink("$server->tmp/go");
        }
        return "worker $held was busy";
    });
}
?>
--EXPECT--
mode 1: one after the other
mode 2: one worker for each connection
mode 8: one worker for each connection
mode 4: by address
mode 9: past the busy worker
mode 10: past the busy worker
