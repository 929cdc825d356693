--TEST--
Workers that broadcast are killed and replaced all the time: each client gets each broadcast whole or not at all, in order, and no block is lost
--EXTENSIONS--
rotor
posix
--INI--
memory_limit=512M
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

const CLIENTS = 16;
const SECONDS = 3;
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    // So few blocks that a few lost ones would be missed.
    $server->set(['worker_num' => 3, 'reactor_num' => 2, 'ipc_memory' => '24M', 'socket_buffer_size' => '4M',
        'task_tmpdir' => getenv('ROTOR_TMP'), 'respawn_max_delay' => 0.1, 'close_on_worker_error' => false, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === 'blocks') {
            $server->send($fd, pack('JNN', 0, 0, $server->stats()['blocks_in_use']));
            return;
        }
        // Pid, number, size; then bytes that say whose they are.
        static $number = 0;
        for ($end = microtime(true) + (float) $data; microtime(true) < $end; usleep(3000)) {
            $number++;
            $size = [100, 6000, 20_000, 150_000, 300_000, $number % 4 === 1 ? 2_200_000 : 9000][$number % 6];
            $server->broadcast(pack('JNN', getmypid(), $number, $size) . str_repeat(chr($number % 256), $size));
        }
    });
    $server->start();
    PHP);
$clients = [];
for ($n = 0; $n < CLIENTS; $n++) {
    $clients[] = $server->connect();
}
$buffers = array_fill(0, CLIENTS, '');
[$last, $frames, $wrong] = [[], 0, []];
$blocks = [];
/** Takes what has come for all clients, for so long at most; looks at each frame. */
$read = function (float $seconds) use ($clients, &$buffers, &$last, &$frames, &$wrong, &$blocks): int {
    $streams = array_map(fn ($client) => $client->stream, $clients);
    $none = null;
    if (!stream_select($streams, $none, $none, (int) $seconds, (int) (fmod($seconds, 1) * 1e6))) {
        return 0;
    }
    foreach ($streams as $n => $stream) {
        $buffers[$n] .= $chunk = fread($stream, 1 << 18);
        if ($chunk === '' && feof($stream)) {
            $wrong[] = "client $n was closed";
        }
        $at = 0;
        while (strlen($buffers[$n]) >= $at + 16) {
            ['pid' => $pid, 'number' => $number, 'size' => $size] = unpack('Jpid/Nnumber/Nsize', $buffers[$n], $at);
            if ($pid === 0) {
                $blocks[$n] = $size;
                $at += 16;
                continue;
            }
            if (strlen($buffers[$n]) < $at + 16 + $size) {
                break;
            }
            if (strspn($buffers[$n], chr($number % 256), $at + 16, $size) !== $size) {
                $wrong[] = "client $n: number $number of $pid has other bytes";
            }
            if ($number <= ($last[$n][$pid] ?? 0)) {
                $wrong[] = "client $n: number $number of $pid after {$last[$n][$pid]}";
            }
            $last[$n][$pid] = $number;
            $frames++;
            $at += 16 + $size;
        }
        $at > 0 && $buffers[$n] = substr($buffers[$n], $at);
    }
    return count($streams);
};
$server->allowLog('/killed by SIGKILL|degraded|respawning|has failed/');
$end = microtime(true) + SECONDS * (getenv('ROTOR_STRESS') === '1' ? 20 : 1);
$kills = 0;
for ($turn = 0; microtime(true) < $end + ($kills > 3 ? 0 : TestServer::PATIENCE); $turn++) {
    foreach ($clients as $n => $client) {
        // Not by write(), which reads meanwhile.
        $turn % 20 === 0 && fwrite($client->stream, $n % 4 === 0 ? '0.5' : 'blocks');
    }
    $read(0.05);
    if ($turn % 7 === 3) {
        $workers = array_keys(preg_grep('/worker #/', $server->processes()));
        $workers === [] || (posix_kill($workers[array_rand($workers)], SIGKILL) && $kills++);
    }
    $turn % 11 === 5 && $server->signal(SIGUSR1);
}
// What is on its way.
while ($read(1.0) > 0);
foreach ($buffers as $n => $buffer) {
    $buffer === '' || $wrong[] = "client $n has half a broadcast";
}
echo implode("\n", array_slice($wrong, 0, 10)), "\n";
var_dump($kills > 3, $frames > 100 ?: $frames);
// There are few blocks, and all of them are still there.
$before = $frames;
fwrite($clients[0]->stream, '1.5');
while ($read(2.0) > 0);
$server->waitFor(function () use ($clients, $read, &$blocks): bool {
    $blocks = [];
    fwrite($clients[0]->stream, 'blocks');
    while (!isset($blocks[0])) {
        $read(1.0);
    }
    return $blocks[0] === 0;
}, 'all blocks to be free');
var_dump($frames > $before + 10 * CLIENTS ?: $frames - $before, $wrong);
array_map(fn ($client) => $client->close(), $clients);
$server->stop();
?>
--EXPECT--

bool(true)
bool(true)
bool(true)
array(0) {
}
