--TEST--
A message of 1 GiB arrives whole, costs the master little memory, also while workers are killed, and leaves no block and no file behind
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

// The short form has a tenth of it, which goes the same way: in pieces to the disk.
$stress = (bool) getenv('ROTOR_STRESS');
$pieces = $stress ? 1024 : 100;
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 2, 'open_length_check' => true, 'package_max_length' => '1025M',
        'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP'),
    ]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data === "\0\0\0\5stats"
        ? json_encode(array_intersect_key($server->stats(), ['blocks_in_use' => 0, 'refused_messages' => 0])) . "\n"
        : strlen($data) . ' ' . hash('xxh128', $data) . "\n"));
    $server->start();
    PHP, ini: ['memory_limit' => '-1']);
$server->allowLog('/killed by SIGKILL|respawning worker=|the server is (no longer )?degraded/');
$piece = random_bytes(1 << 20);
$hash = hash_init('xxh128');
hash_update($hash, pack('N', $pieces << 20));
for ($i = 0; $i < $pieces; $i++) {
    hash_update($hash, $piece);
}
$expected = 4 + ($pieces << 20) . ' ' . hash_final($hash);
$peak = fn (): int => (int) preg_replace('/^.*VmHWM:\s+(\d+) kB.*$/s', '$1', file_get_contents("/proc/$server->pid/status")) >> 10;
$before = $peak();
/** Sends the message; what comes back, or null if the connection ends first. */
$send = function (callable $between) use ($server, $piece, $pieces): ?string {
    $client = $server->connect();
    try {
        $client->write(pack('N', $pieces << 20));
        for ($i = 0; $i < $pieces; $i++) {
            $client->write($piece);
            $between($i);
        }
        return $client->readLine();
    } catch (RuntimeException) {
        return null;
    } finally {
        $client->close();
    }
};
var_dump($send(fn () => null) === $expected);
$growth = $peak() - $before;
// Without the pieces it would be the whole message.
$growth < 64 || print("the master has grown by $growth MiB\n");
$workers = fn (): array => array_keys(preg_grep('/worker #/', $server->processes()));
$answered = 0;
for ($round = 1; $round <= ($stress ? 10 : 5); $round++) {
    // Before the last piece: what a worker has in hand is lost with it.
    $at = mt_rand(0, $pieces - 2);
    $answer = $send(function (int $i) use ($server, $workers, $at) {
        if ($i === $at) {
            $pids = $workers();
            count($pids) === 2 || print(count($pids) . " workers\n");
            foreach ($pids as $pid) {
                $server->signal(SIGKILL, $pid);
            }
        }
    });
    if ($answer !== null && $answer !== $expected) {
        echo "round $round: $answer\n";
    }
    $answered += $answer === $expected ? 1 : 0;
}
// Nobody works on the message while it is sent.
echo $answered === $round - 1 ? "all answered\n" : "$answered answered\n";
$other = $server->connect();
$stats = fn (): string => $other->write("\0\0\0\5stats") ?? $other->readLine();
echo $server->waitFor(fn () => str_contains($line = $stats(), '"blocks_in_use":0') ? $line : null, 'the blocks'), "\n";
var_dump(array_diff(scandir($server->tmp), ['.', '..']));
$other->close();
$server->stop();
?>
--EXPECT--
bool(true)
all answered
{"refused_messages":0,"blocks_in_use":0}
array(0) {
}
