--TEST--
A connection of which more than max_queued_bytes wait for its worker is not read, others are, and nothing is lost or out of order
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

const LIMIT = 1 << 20;
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 2, 'reactor_num' => 1, 'max_queued_bytes' => '1M', 'ipc_memory' => '64M',
        'open_length_check' => true, 'log_file' => getenv('ROTOR_LOG'),
    ]);
    $sum = [];
    $server->on('receive', function ($server, $fd, $reactor, $data) use (&$sum) {
        $body = substr($data, 4);
        if ($body === 'stop here') {
            note('stuck');
            while (!file_exists(getenv('ROTOR_TMP') . '/go')) {
                usleep(1000);
            }
        } elseif ($body === 'stats') {
            $server->send($fd, json_encode(array_intersect_key($server->stats(), ['total_recv_bytes' => 0, 'read_pauses' => 0])) . "\n");
        } elseif ($body === 'digest') {
            $server->send($fd, ($sum[$fd] ?? '') . "\n");
        } else {
            $sum[$fd] = md5(($sum[$fd] ?? '') . $body);
        }
    });
    $server->start();
    PHP);
$message = fn (string $bytes): string => pack('N', strlen($bytes)) . $bytes;
// Sessions 1 and 3 are worker 1's, 2 is worker 0's.
[$slow, $other, $neighbour] = [$server->connect(), $server->connect(), $server->connect()];
$stats = function () use ($other, $message): array {
    $other->write($message('stats'));
    return json_decode($other->readLine(), true);
};
foreach ([100, 5_000, 100_000] as $round => $size) {
    $slow->write($message('stop here'));
    $server->waitForNote('stuck', $round + 1);
    $before = $stats()['total_recv_bytes'];
    $pauses = $stats()['read_pauses'];
    $count = intdiv(24 << 20, $size);
    $bytes = '';
    for ($n = 0; $n < $count; $n++) {
        $bytes .= $message(str_pad("$round $n ", $size, 'x'));
    }
    // What a child writes, so that this process can look meanwhile. It tells nobody of its end.
    $pid = pcntl_fork();
    if ($pid === 0) {
        $slow->write($bytes);
        posix_kill(getmypid(), SIGKILL);
    }
    $server->waitFor(fn () => $stats()['read_pauses'] > $pauses, 'the pause');
    $last = -1;
    $server->waitFor(function () use ($stats, &$last): bool {
        // Each look itself takes less than 100 bytes.
        [$was, $last] = [$last, $stats()['total_recv_bytes']];
        usleep(100_000);
        return $last - $was < 200;
    }, 'reading to cease');
    // A read may bring 64 KiB beyond, and a message is not cut in two.
    $taken = $last - $before;
    echo $size, ' ', $taken <= LIMIT + (64 << 10) + 2 * $size + 10_000 ? 'held' : "has taken $taken", "\n";
    // The same worker's other connection has room.
    $neighbour->write($message('mine'));
    touch("$server->tmp/go");
    pcntl_waitpid($pid, $status);
    $slow->write($message('digest'));
    $expected = $digest[$round - 1] ?? '';
    for ($n = 0; $n < $count; $n++) {
        $expected = md5($expected . str_pad("$round $n ", $size, 'x'));
    }
    var_dump($slow->readLine() === $expected);
    $digest[$round] = $expected;
    unlink("$server->tmp/go");
}
$neighbour->write($message('digest'));
var_dump($neighbour->readLine() === md5(md5(md5('mine') . 'mine') . 'mine'));
$server->stop();
?>
--EXPECT--
100 held
bool(true)
5000 held
bool(true)
100000 held
bool(true)
bool(true)
