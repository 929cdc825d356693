--TEST--
A broadcast of 1 KiB reaches 15,000 connections, or each third of them, and no memory holds a copy for each
--EXTENSIONS--
rotor
posix
--SKIPIF--
<?php
$limit = posix_getrlimit()['hard openfiles'];
if ($limit !== 'unlimited' && $limit < 3_000) {
    die("skip the limit of open files is $limit, and 3,000 are needed (ulimit -Hn)");
}
?>
--INI--
memory_limit=-1
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';
require __DIR__ . '/../inc/memory.inc.php';

$limit = posix_getrlimit()['hard openfiles'];
$most = $limit === 'unlimited' ? PHP_INT_MAX : $limit - 200;
$many = min(Ledger::isStress() ? 100_000 : 15_000, $most);
posix_setrlimit(POSIX_RLIMIT_NOFILE, $many + 100, $limit === 'unlimited' ? -1 : $limit);
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 2, 'reactor_num' => 2, 'backlog' => 4096, 'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP'),
    ]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        $begin = hrtime(true);
        $result = match ($data) {
            'count' => $server->stats()['connection_num'],
            'all' => $server->broadcast(str_repeat('to all, ', 128), null, $fd),
            'third' => $server->broadcast(
                str_repeat('a third ', 128),
                array_filter(iterator_to_array($server->connections, false), fn (int $id): bool => $id % 3 === 0),
                $fd,
            ),
        };
        $server->send($fd, json_encode([$result, (hrtime(true) - $begin) / 1e6]) . "\n");
    });
    $server->start();
    PHP);
$asker = $server->connect();
$ask = function (string $what) use ($asker): array {
    $asker->write($what);
    return json_decode($asker->readLine());
};
$streams = [];
for ($n = 0; $n < $many; $n++) {
    // Each address has some 28,000 ports.
    $context = stream_context_create(['socket' => ['bindto' => '127.0.0.' . (2 + $n % 10) . ':0']]);
    $streams[] = $stream = stream_socket_client("tcp://127.0.0.1:$server->port", $code, $error, 60, STREAM_CLIENT_CONNECT, $context);
    stream_set_read_buffer($stream, 0);
    stream_set_timeout($stream, 60);
}
$server->waitFor(fn (): bool => $ask('count')[0] === $many + 1, 'all connections');

$expected = ['all' => str_repeat('to all, ', 128), 'third' => str_repeat('a third ', 128)];
// What the first one needs once is not the price of a copy.
foreach (['third', 'all', 'all', 'third'] as $what) {
    $memory = memory_of($server);
    [$told, $took] = $ask($what);
    $grown = memory_of($server) - $memory;
    $reached = 0;
    $begin = hrtime(true);
    foreach ($streams as $n => $stream) {
        // The asker's session is 1, and the others follow.
        if ($what === 'all' || ($n + 2) % 3 === 0) {
            $bytes = '';
            while (strlen($bytes) < 1024 && ($more = fread($stream, 1024 - strlen($bytes))) !== '' && $more !== false) {
                $bytes .= $more;
            }
            $reached += (int) ($bytes === $expected[$what]);
        }
    }
    $wanted = $what === 'all' ? $many : count(array_filter(range(2, $many + 1), fn (int $id): bool => $id % 3 === 0));
    var_dump([$told, $reached] === [$wanted, $wanted] ?: [$told, $reached, $wanted]);
    var_dump($grown < $wanted * 1024 / 4 ?: $grown);
    Ledger::figure(sprintf('a broadcast of 1 KiB to %d connections: %.1f ms in broadcast() (%s)', $told, $took, $what));
}
array_map(fclose(...), $streams);
$asker->close();
$server->stop();
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
