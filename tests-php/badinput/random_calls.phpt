--TEST--
Random calls of all methods with random arguments, in every callback and process, crash nothing, panic nowhere and leave a server that serves and stops
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

// ROTOR_SEED repeats one run.
$stress = (bool) getenv('ROTOR_STRESS');
$seeds = getenv('ROTOR_SEED') ? [(int) getenv('ROTOR_SEED')] : array_map(fn () => random_int(1, 1 << 30), range(1, $stress ? 60 : 2));
$script = <<<'PHP'
    require $argv[2];
    $seed = (int) $argv[1];
    mt_srand($seed);
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $lengths = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    $datagrams = $server->listen(getenv('ROTOR_TMP') . '/datagrams', 0, Rotor\Server::SOCK_UNIX_DGRAM);
    $server->set([
        'worker_num' => 2, 'reactor_num' => 1, 'max_wait_time' => 3, 'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP'),
        'event_object' => (bool) mt_rand(0, 1), 'close_on_worker_error' => (bool) mt_rand(0, 1), 'dispatch_mode' => [2, 4, 8][mt_rand(0, 2)],
        'heartbeat_idle_time' => 600, 'send_timeout' => 0.05, 'respawn_max_delay' => 0.2,
    ]);
    $process = new Rotor\Process(function (Rotor\Process $process) use ($server, $seed, &$calls) {
        for ($i = 0; $i < 20; $i++) {
            $calls->make(5, $seed + $i, 1, mayEnd: true);
            usleep(5000);
        }
    });
    $server->addProcess($process);
    $calls = new RandomCalls($server, $process);
    // Methods that come too early, and what they have set.
    $calls->make(100, $seed);
    $server->set([
        'worker_num' => 2, 'open_eof_check' => false, 'log_level' => Rotor\Server::LOG_INFO, 'dispatch_func' => null,
        'package_length_func' => null, 'open_length_check' => false,
    ]);
    $calls->isRunning = true;
    if (mt_rand(0, 1)) {
        $server->set(['dispatch_func' => function ($server, $fd, $about, $data = '') use ($calls) {
            $calls->make(2, crc32($data) + $fd);
            return [0, 1, -1, -2, -3, 5, 'x', null][mt_rand(0, 7)];
        }]);
    }
    $lengths->set(['open_length_check' => true, 'package_max_length' => 10_000, 'package_length_func' => function (string $bytes) use ($calls) {
        $calls->make(2, crc32($bytes));
        return strlen($bytes) < 10 ? 0 : [10, 10, 10, -1, 'x', 1 << 40][mt_rand(0, 5)];
    }]);
    foreach (['Start', 'BeforeShutdown', 'Shutdown', 'ManagerStart', 'ManagerStop', 'WorkerStart', 'WorkerStop', 'WorkerExit', 'WorkerError',
        'BeforeReload', 'AfterReload', 'Connect', 'Packet', 'Close', 'BufferFull', 'BufferEmpty', 'ProtocolError'] as $number => $event) {
        // An exit or a fatal error in master or manager would be the end of all.
        $mayEnd = in_array($event, ['Connect', 'Packet', 'Close', 'BufferFull', 'BufferEmpty', 'ProtocolError'], true);
        $server->on($event, function (...$arguments) use ($calls, $seed, $number, $mayEnd, $event) {
            // Not the same in each new process, which would never serve anybody.
            static $times = 0;
            $fd = is_int($arguments[1] ?? null) ? $arguments[1] : $arguments[1]->fd ?? 1;
            $calls->make(3, $seed + $number + 100 * ++$times + 10_000 * $fd, $fd, $mayEnd);
            if (is_object($arguments[1] ?? null)) {
                $arguments[1]->data = $calls;
            }
            if ($mayEnd && mt_rand(0, 9) === 0) {
                throw new LogicException('thrown by a callback');
            }
        });
    }
    $server->on('receive', function ($server, $fd, $reactor = 0, $data = '') use ($calls) {
        [$fd, $data] = is_object($fd) ? [$fd->fd, $fd->data] : [$fd, $data];
        if (preg_match('/^calls (\d+) (\d+)\n$/', $data, $found)) {
            $calls->make((int) $found[1], (int) $found[2], $fd, mayEnd: true);
        }
        // The bytes that nothing else sends.
        $server->send($fd, "\x01answer\x02");
    });
    file_put_contents(getenv('ROTOR_NOTES') . '-ports', json_encode([$lengths->port, $datagrams->host]));
    ready();
    exit($server->start() ? 0 : 1);
    PHP;

/** Reads until one of them has its answer or its end, or for a while; returns what is still open and without one. */
function hear(array $streams, array &$heard, float $seconds): array
{
    for ($end = microtime(true) + $seconds; $streams !== [] && microtime(true) < $end;) {
        $read = $streams;
        $none = null;
        if (@stream_select($read, $none, $none, 0, 100_000) > 0) {
            foreach ($read as $key => $stream) {
                $bytes = (string) @fread($stream, 1 << 18);
                $heard[$key] = substr(($heard[$key] ?? '') . $bytes, -8 - strlen($bytes));
                if (str_contains($heard[$key], "\x01answer\x02") || ($bytes === '' && feof($stream))) {
                    unset($streams[$key]);
                }
            }
        }
    }
    return $streams;
}

$bad = '/killed by SIG(SEGV|ABRT|BUS|ILL|FPE)|panicked|Rust panic|internal error|heap corrupted|unexpected record|damaged|BorrowMut/';
foreach ($seeds as $seed) {
    $server = TestServer::start($script, args: [(string) $seed, __DIR__ . '/../inc/random_calls.inc.php'], ini: ['memory_limit' => '64M']);
    $server->allowLog('/./');
    [$lengthPort, $path] = $server->waitFor(fn () => json_decode(substr((string) @file_get_contents(dirname($server->tmp) . '/notes-ports'), 0), true));
    mt_srand($seed);
    for ($round = 0; $round < ($stress ? 40 : 5) && $server->isRunning(); $round++) {
        $streams = $heard = [];
        for ($i = 0; $i < 6; $i++) {
            $stream = @stream_socket_client('tcp://127.0.0.1:' . ($i % 3 === 2 ? $lengthPort : $server->port), $code, $message, 60);
            if ($stream === false) {
                continue;
            }
            stream_set_blocking($stream, false);
            fwrite($stream, $i % 3 === 2 ? str_repeat(chr(mt_rand(65, 90)), mt_rand(5, 30)) : 'calls ' . mt_rand(10, 100) . ' ' . mt_rand() . "\n");
            $streams[] = $stream;
        }
        $datagrams = @stream_socket_client("udg://$path");
        if ($datagrams !== false) {
            @fwrite($datagrams, str_repeat('d', mt_rand(1, 1000)));
        }
        // Some are paused, dropped or cut: they get no answer.
        hear($streams, $heard, 0.3);
        if (preg_match($bad, $server->log())) {
            break;
        }
    }
    // Whatever was done to others, a new client is served.
    $served = $server->waitFor(function () use ($server): bool {
        $client = @stream_socket_client("tcp://127.0.0.1:$server->port", $code, $message, 60);
        if ($client === false) {
            return !$server->isRunning();
        }
        stream_set_blocking($client, false);
        fwrite($client, 'hello');
        $heard = [];
        hear([$client], $heard, 1);
        return str_contains(implode('', $heard), "\x01answer\x02") || !$server->isRunning();
    }, "a client to be served after seed $seed");
    $running = $server->isRunning();
    @unlink(dirname($server->tmp) . '/notes-ports');
    // Processes that callbacks have forked end with their callbacks, be that a moment later.
    $server->signal(SIGTERM);
    $server->waitFor(fn () => !$server->isRunning() && $server->processes() === [], "the end of seed $seed");
    $server->wait();
    $log = $server->log();
    if (!$running || preg_match($bad, $log)) {
        echo "seed $seed: ", $running ? 'a crash or a panic' : 'the server has ended', "\n", preg_replace('/^.*?(?=.{0,3000}(?:' . trim($bad, '/') . '))/s', '', $log), "\n";
    }
}
echo "done\n";
?>
--EXPECT--
done
