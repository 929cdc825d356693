<?php

/**
 * `make chaos`: a server under load, on which reloads, deaths and pauses rain down, and a ledger of all that its clients
 * got. Fails on anything lost that may not be, and on a server that grows.
 *
 * CHAOS_MINUTES (1; fractions too) says how long, CHAOS_SEED repeats the decisions of an earlier run. A run consists of
 * rounds: load and weather, then calm, in which a reload must succeed and the books are compared.
 */

declare(strict_types=1);

require __DIR__ . '/../tests-php/inc/server.inc.php';
require __DIR__ . '/../tests-php/inc/ledger.inc.php';
require __DIR__ . '/../tests-php/inc/tls.inc.php';
require __DIR__ . '/chaos/weather.inc.php';
require __DIR__ . '/chaos/audit.inc.php';
require __DIR__ . '/chaos/vitals.inc.php';
require __DIR__ . '/chaos/figures.inc.php';

$failures = 0;
// The helpers print what is wrong with a server or a ledger.
ob_start(function (string $text) use (&$failures): string {
    $failures += preg_match_all('/^FAIL /m', $text);
    return $text;
}, 1);

// Whoever interrupts a run ends its server as well, as the end of any script does.
pcntl_async_signals(true);
foreach ([SIGINT, SIGTERM, SIGHUP] as $signal) {
    pcntl_signal($signal, fn () => exit(130));
}

$minutes = (float) (getenv('CHAOS_MINUTES') ?: 1);
$seed = (int) (getenv('CHAOS_SEED') ?: random_int(1, 0x7fffffff));
echo "seed $seed (CHAOS_SEED=$seed repeats it), $minutes min\n";
mt_srand($seed);
$settings = [
    'reload_async' => (bool) mt_rand(0, 1),
    'max_request' => mt_rand(10, 60),
    // A pause counts: a worker that is paused with a message in hand may be over it.
    'request_timeout' => mt_rand(0, 1) * 0.4,
    'request_slowlog_timeout' => 0.018,
];
echo 'settings ', json_encode($settings), "\n";

// Each second round goes by a port with TLS, whose certificates every reload reads again.
$certificates = new TestCertificates();
$certificates->selfSigned('server');
$secured = TestServer::freePort();
$server = TestServer::start(
    __DIR__ . '/chaos/server.php',
    env: ['CERTS' => $certificates->directory, 'ROTOR_TLS_PORT' => (string) $secured] + ['ROTOR_CHAOS' => json_encode(['seed' => $seed, 'server' => $settings])],
    prefix: ['sh', '-c', 'ulimit -c 0; exec "$@"', 'sh'],
);
foreach ([
    '/killed by SIG(KILL|SEGV)|killed: request_timeout is over|pid=\d+: #\d+ /',
    '/crashed: SIGSEGV|its build: /',
    '/respawning worker=|the server is degraded/',
    '/the old process serves on|the reload has failed/',
    '/chaos: this start fails|onWorkerStart threw|before it was ready/',
] as $pattern) {
    $server->allowLog($pattern);
}
$manager = (int) substr($server->waitFor(fn () => current(preg_grep('/^manager/', $server->notes())), 'the manager'), 8);
$weather = new Weather($server, $manager);
$audit = new Audit($server);

$told = fn (string $what): int => count(preg_grep("/^$what/", $server->notes()));
$stats = function () use ($server, $weather, $told): array {
    $count = $told('did stats');
    $weather->command('stats', $server->pid);
    $server->waitFor(fn (): bool => $told('did stats') > $count, 'the stats');
    $notes = preg_grep('/^did stats/', $server->notes());
    return json_decode(substr(end($notes), 10), true);
};

/** Waits until nothing is under way, and reloads once more: that must succeed. */
$calm = function () use ($server, $weather, $told, $stats): void {
    $isCalm = function () use ($server, $weather, $told, $stats): bool {
        $now = $stats();
        return count($weather->workers()) === 4 && $told('before') === $told('after')
            && [$now['slots_backing_off'], $now['idle_worker_num'], $now['connection_num'], $now['blocks_in_use']] === [0, 4, 0, 0];
    };
    try {
        $server->waitFor($isCalm, 'calm');
        $count = $told('after');
        $server->signal(SIGUSR1);
        $server->waitFor(fn (): bool => $told('after') > $count, 'the reload in the calm');
        $notes = preg_grep('/^after/', $server->notes());
        if (!str_ends_with(end($notes), ' 1')) {
            echo "FAIL chaos: the reload in the calm has failed\n";
        }
        $server->waitFor($isCalm, 'calm');
    } catch (RuntimeException $exception) {
        throw new RuntimeException($exception->getMessage() . "\nstats: " . json_encode($stats()), 0, $exception);
    }
};

// The memory of a lane is there once it has been used up to its end: each lane of both seats is, before anything counts; and
// so is what TLS needs.
for ($seat = 0; $seat < 2; $seat++) {
    $port = $seat === 0 ? ['--port', (string) $server->port] : ['--port', (string) $secured, '--tls'];
    $ledger = Ledger::start($server, ...$port, ...['--messages', '20000', '--connections', '48', '--framing', 'length', '--size', '20-12K', '--seed', (string) mt_rand()]);
    $report = $ledger->finish();
    $calm();
    foreach ($audit->round($report, false, $stats()) as $problem) {
        echo "FAIL audit: $problem\n";
    }
}

$rounds = max(3, (int) round($minutes * 60 / 15));
$seconds = $minutes * 60 / $rounds;
$vitals = [];
for ($round = 1; $round <= $rounds; $round++) {
    $failing = dirname($server->tmp) . '/failing';
    $isFailing = $round % 2 === 0;
    $isFailing && touch($failing);
    $port = intdiv($round, 2) % 2 === 0 ? ['--port', (string) $server->port] : ['--port', (string) $secured, '--tls'];
    // The last event leaves the load some time: what it has to say is still read under load.
    $events = Weather::draw(max($seconds - 0.5, 0.5));
    $ledger = Ledger::start(
        $server,
        ...$port,
        ...['--mode', 'open', '--rate', '300', '--seconds', (string) $seconds, '--connections', '48', '--reconnect'],
        ...['--framing', 'length', '--size', '20-4K', '--large', '1M/50', '--seed', (string) mt_rand()],
        // Which connections may end is the audit's to say.
        ...['--late-ms', '1000', '--allow-resets', '1000000000'],
    );
    $weather->rain($events);
    $isFailing && unlink($failing);
    $report = $ledger->finish();
    $calm();
    $when = [1 => 'at the begin', intdiv($rounds + 1, 2) => 'in the middle', $rounds => 'in the end'][$round] ?? null;
    if ($when !== null) {
        $vitals[$when] = Vitals::of($server->pid, $manager, $weather->workers());
    }
    foreach ($audit->round($report, $isFailing, $stats()) as $problem) {
        echo "FAIL audit: $problem\n";
    }
    printf(
        "round %d of %d%s: %d events%s, %d answered, %d connections ended\n",
        $round,
        $rounds,
        count($port) === 3 ? ', with TLS' : '',
        count($events),
        $isFailing ? ', successors fail' : '',
        $report['counts']['answered'],
        count($report['counts']['ends']),
    );
}
$stats = $stats();
$server->stop();
foreach ($vitals['in the end']->grownSince($vitals['at the begin']) as $growth) {
    echo "FAIL chaos: the server has grown: $growth\n";
}

/** @param list<float> $took milliseconds */
$times = function (array $took): string {
    sort($took);
    return $took === [] ? 'none' : sprintf('median %.1f ms, worst %.1f ms, of %d', $took[intdiv(count($took), 2)], end($took), count($took));
};
$totals = $audit->totals;
$lines = $weather->counts + [
    'starts of workers' => "$totals[starts], $totals[failing] of them made to fail",
    'replaced for max_request' => $stats['recycle_count'],
    'reloads' => sprintf('%s; %d failed', $times($audit->reloads), $audit->failedReloads),
    'messages' => "$totals[sent] sent, $totals[answered] answered, $totals[late] after more than a second",
    'lost on open connections' => $totals['lost'],
    'doubled, reordered' => "$totals[doubled], $totals[reordered]",
    'crossed, corrupt' => "$totals[crossed], $totals[corrupt]",
    'deaths of workers' => "$totals[deaths], $totals[hands] of them with a message in hand",
    'connections ended' => "$totals[closed] closed, $totals[reset] reset, $totals[refused] refused; $totals[cut] messages on them without an answer",
    'worst latency' => sprintf('%.0f ms; %.0f ms in the rounds in which starts fail', ...$audit->worst),
    'SIGKILL in hand, client sees it' => $times(Figures::killInHand(20)),
    'request_timeout 1, client sees it' => $times(Figures::timeout(5)),
    'SIGKILL of the manager, all gone' => $times(Figures::killFirst('manager', 5)),
    'SIGKILL of the master, all gone' => $times(Figures::killFirst('master', 5)),
] + $vitals;
echo "\n";
foreach ($lines as $what => $line) {
    printf("%-34s %s\n", $what, $line);
}
echo $failures === 0 ? "\npassed" : "\nfailed: $failures objections, see FAIL above", "; seed $seed\n";
exit($failures === 0 ? 0 : 1);
