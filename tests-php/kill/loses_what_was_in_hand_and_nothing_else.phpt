--TEST--
SIGKILL of a random worker every 100 ms under load: no connection is closed but those in hand, at most one message is lost per kill, none doubled or reordered
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';

$seconds = Ledger::isStress() ? 20 : 3;
mt_srand($seed = random_int(0, 1 << 30));
foreach ([true, false] as $closes) {
    $server = TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set([
            'worker_num' => 4, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'close_on_worker_error' => (bool) $argv[1],
            'open_length_check' => true, 'package_length_type' => 'N', 'package_body_offset' => 4, 'package_max_length' => '8M',
        ]);
        $server->on('workerStart', fn ($server, $id) => note("start $id " . getmypid()));
        $server->on('workerError', fn ($server, $id, $pid, $code, $signal, $fd) => note("error $id $pid $signal $fd"));
        $server->on('receive', function ($server, $fd, $reactor, $data) {
            if (mt_rand(0, 3) === 0) {
                usleep(mt_rand(0, 3_000));
            }
            $server->send($fd, $data);
        });
        $server->on('shutdown', fn ($server) => note('stats ' . json_encode($server->stats())));
        $server->start();
        PHP, args: [(string) (int) $closes]);
    // Two in a row may be killed before they have finished a message.
    $server->allowLog('/killed by SIGKILL|respawning worker=|the server is degraded/');
    $workers = function () use ($server) {
        $living = [];
        foreach ($server->notes() as $note) {
            if (sscanf($note, 'start %d %d', $id, $pid) === 2) {
                $living[$pid] = $id;
            } elseif (sscanf($note, 'error %d %d', $id, $pid) === 2) {
                unset($living[$pid]);
            }
        }
        return array_keys($living);
    };
    $server->waitFor(fn () => count($workers()) === 4, 'four workers');
    // What may be lost is known afterwards.
    $ledger = Ledger::start(
        $server,
        ...['--framing', 'length', '--connections', '60', '--in-flight', '4', '--size', '1-8K', '--reconnect'],
        ...['--seconds', (string) ($seconds + 1), '--allow-resets', '100000', '--allow-lost', '100000', '--patience', $closes ? '30' : '10'],
    );
    $killed = [];
    $end = microtime(true) + $seconds;
    for ($next = microtime(true); $next < $end; $next += 0.1) {
        time_sleep_until(max($next, microtime(true) + 0.001));
        // On a busy machine one that was killed is not known to be dead at once.
        $living = array_values(array_diff($workers(), $killed));
        // One is left to serve, however long the others take to come back.
        if (count($living) > 1) {
            $killed[] = $pid = $living[mt_rand(0, count($living) - 1)];
            $server->signal(SIGKILL, $pid);
        }
    }
    $kills = count($killed);
    $counts = $ledger->finish()['counts'];
    $server->waitFor(
        fn () => count(preg_grep('/^error/', $server->notes())) === $kills && count($workers()) === 4,
        'all to be told of, and four workers again',
    );
    $server->signal(SIGTERM);
    $stats = json_decode(substr($server->waitFor(fn () => current(preg_grep('/^stats/', $server->notes())), 'the end'), 6), true);
    $notes = $server->notes();
    $server->wait();
    $errors = preg_grep('/^error/', $notes);
    $in_hand = count(preg_grep('/ [1-9]\d*$/', $errors));
    $ended = $counts['closed'] + $counts['reset'] + $counts['refused'];
    // The others had the close of a connection in hand that another death had ended.
    $lost = substr_count($server->log(), 'its message is lost');
    $wrong = $counts['doubled'] + $counts['reordered'] + $counts['crossed'] + $counts['corrupt'];
    $checks = [
        'kills' => $kills >= $seconds && count($errors) === $kills,
        'answers' => $counts['answered'] > 30 * $seconds,
        'closed' => $closes ? $ended <= $in_hand : $ended === 0,
        'lost' => $closes ? $counts['lost'] === 0 : $counts['lost'] <= $lost,
        'wrong' => $wrong === 0,
        'known' => $stats['lost_messages'] === $lost && $lost <= $in_hand && $stats['crash_count'] === count($errors),
        'left' => $stats['blocks_in_use'] === 0 && $stats['connection_num'] === 0,
    ];
    foreach ($checks as $what => $holds) {
        $holds || print("$what: " . json_encode([$seed, $kills, count($errors), $in_hand, $counts, $stats]) . "\n");
    }
    echo $closes ? "closing: done\n" : "keeping: done\n";
}
?>
--EXPECT--
closing: done
keeping: done
