--TEST--
broadcast() reaches each of 1,000 clients once: all, those of a port, those listed in any form, without those excepted; it returns how many
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

/** As many receivers as are told by their ids, and more than that; blocks enough, and too few. */
foreach ([['256M', 1000], ['4M', 400]] as [$memory, $count]) {
    $server = TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set(['worker_num' => 3, 'reactor_num' => 2, 'ipc_memory' => getenv('MEMORY'), 'max_connection' => 1500,
            'task_tmpdir' => getenv('ROTOR_TMP'), 'log_file' => getenv('ROTOR_LOG')]);
        // Another framing, and a reactor of its own: the main thread's.
        $lines = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
        $lines->set(['open_length_check' => true, 'package_length_func' => fn ($data) => (int) strpos("$data\n", "\n") + 1]);
        $server->on('receive', function ($server, $fd, $reactor, $data) use ($lines) {
            if ($data === "hello\n") {
                $server->send($fd, $data);
                return;
            }
            [$what, $size] = explode(' ', $data);
            $all = iterator_to_array($server->connections, false);
            $bytes = str_pad("$what ", (int) $size, "$what-");
            $generator = function () use ($all) {
                foreach ($all as $key => $id) {
                    yield "key $key" => $id;
                }
            };
            $count = match ($what) {
                'all' => $server->broadcast($bytes),
                'except' => $server->broadcast($bytes, null, $fd, 999_999_999, -1),
                'connections' => $server->broadcast($bytes, $server->connections),
                'port' => $server->broadcast($bytes, $lines->connections),
                'port-except' => $server->broadcast($bytes, $lines->connections, ...iterator_to_array($lines->connections, false)),
                'array' => $server->broadcast($bytes, [...$all, ...$all, 0, -5, 123_456_789]),
                'strings' => $server->broadcast($bytes, array_map(strval(...), $all), $fd),
                'generator' => $server->broadcast($bytes, $generator()),
                'object' => $server->broadcast($bytes, new ArrayIterator($all)),
                'twice' => $server->broadcast($bytes, [$fd, $fd]),
                'nobody' => $server->broadcast($bytes, []),
                'all-but-all' => $server->broadcast($bytes, null, ...array_diff($all, [$fd])),
            };
            $server->send($fd, "$count\n");
        });
        $server->on('start', fn () => note("port $lines->port"));
        $server->start();
        PHP, env: ['MEMORY' => $memory]);
    $server->waitFor(fn () => preg_grep('/^port/', $server->notes()), 'the port');
    $port = (int) substr(current(preg_grep('/^port/', $server->notes())), 5);
    $clients = [];
    for ($n = 0; $n < $count; $n++) {
        $clients[] = $n % 10 === 0 ? new TestClient("tcp://127.0.0.1:$port") : $server->connect();
    }
    foreach ($clients as $client) {
        $client->write("hello\n");
    }
    foreach ($clients as $client) {
        $client->read(6);
    }
    $asker = $clients[1];
    $ask = function (string $what, int $size) use ($asker, $clients): void {
        $asker->write("$what $size");
        $expected = str_pad("$what ", $size, "$what-");
        $reached = 0;
        foreach ([$asker, ...$clients] as $n => $client) {
            $isReached = match ($what) {
                'port-except', 'nobody' => false,
                'port' => $n > 0 && $n % 10 === 1,
                'except', 'strings' => $client !== $asker,
                'twice', 'all-but-all' => $n === 0,
                default => $n === 0 || $client !== $asker,
            };
            if ($isReached) {
                $reached += (int) ($client->read($size) === $expected);
            }
            if ($n === 0) {
                $said = $asker->readLine();
            }
        }
        echo "$what of $size: said $said, reached $reached\n";
    };
    foreach (['all', 'except', 'connections', 'port', 'port-except', 'array', 'strings', 'generator', 'object', 'twice', 'nobody', 'all-but-all'] as $what) {
        $ask($what, 1024);
    }
    // In the record, in blocks, on the disk.
    foreach ([16, 8_000, 9_000, 60_000, 200_000] as $size) {
        $ask('all', $size);
    }
    foreach ($clients as $client) {
        $client->isSilent(0) || print("more has come\n");
        $client->close();
    }
    $server->stop();
}
?>
--EXPECT--
all of 1024: said 1000, reached 1000
except of 1024: said 999, reached 999
connections of 1024: said 1000, reached 1000
port of 1024: said 100, reached 100
port-except of 1024: said 0, reached 0
array of 1024: said 1000, reached 1000
strings of 1024: said 999, reached 999
generator of 1024: said 1000, reached 1000
object of 1024: said 1000, reached 1000
twice of 1024: said 1, reached 1
nobody of 1024: said 0, reached 0
all-but-all of 1024: said 1, reached 1
all of 16: said 1000, reached 1000
all of 8000: said 1000, reached 1000
all of 9000: said 1000, reached 1000
all of 60000: said 1000, reached 1000
all of 200000: said 1000, reached 1000
all of 1024: said 400, reached 400
except of 1024: said 399, reached 399
connections of 1024: said 400, reached 400
port of 1024: said 40, reached 40
port-except of 1024: said 0, reached 0
array of 1024: said 400, reached 400
strings of 1024: said 399, reached 399
generator of 1024: said 400, reached 400
object of 1024: said 400, reached 400
twice of 1024: said 1, reached 1
nobody of 1024: said 0, reached 0
all-but-all of 1024: said 1, reached 1
all of 16: said 400, reached 400
all of 8000: said 400, reached 400
all of 9000: said 400, reached 400
all of 60000: said 400, reached 400
all of 200000: said 400, reached 400
