<?php

/**
 * `make chaos`: servers under load, on which reloads, deaths and pauses rain down, and a ledger of all that their clients
 * got. Fails on anything lost that may not be, and on a server that grows.
 *
 * CHAOS_MINUTES (1; fractions too) says how long, CHAOS_SEED repeats the decisions of an earlier run: settings, in which
 * order dispatch modes and ways to the server (TCP, TLS, a unix socket) come, what happens when. A run has a part for each
 * dispatch mode, with a server of its own.
 */

declare(strict_types=1);

require __DIR__ . '/../tests-php/inc/server.inc.php';
require __DIR__ . '/../tests-php/inc/ledger.inc.php';
require __DIR__ . '/../tests-php/inc/tls.inc.php';
require __DIR__ . '/chaos/weather.inc.php';
require __DIR__ . '/chaos/audit.inc.php';
require __DIR__ . '/chaos/vitals.inc.php';
require __DIR__ . '/chaos/figures.inc.php';
require __DIR__ . '/chaos/part.inc.php';

$failures = 0;
// The helpers print what is wrong with a server or a ledger.
ob_start(function (string $text) use (&$failures): string {
    $failures += preg_match_all('/^FAIL /m', $text);
    return $text;
}, 1);
/** @param list<string> $problems */
$object = function (array $problems): void {
    foreach ($problems as $problem) {
        echo "FAIL audit: $problem\n";
    }
};

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
$modes = [2, 3, 7];
shuffle($modes);
echo 'settings ', json_encode($settings), ', dispatch modes ', implode(', ', $modes), "\n";

// All parts use the same ones; every reload reads them again.
$certificates = new TestCertificates();
$certificates->selfSigned('server');
$perPart = max(2, (int) ceil($minutes * 60 / 15 / count($modes)));
$rounds = $perPart * count($modes);
$seconds = $minutes * 60 / $rounds;
$ways = $parts = $vitals = [];
foreach ($modes as $mode) {
    $parts[] = $part = new Part($mode, $settings, $seed, $certificates);
    $object($part->warmUp());
    for ($round = 1; $round <= $perPart; $round++) {
        if ($ways === []) {
            $ways = Part::WAYS;
            shuffle($ways);
        }
        $way = array_pop($ways);
        // The last event leaves the load some time: what it has to say is still read under load.
        $events = Weather::draw(max($seconds - 0.5, 0.5));
        $isFailing = $round % 2 === 0;
        [$report, $problems] = $part->round($way, $seconds, $events, $isFailing);
        $object($problems);
        if ($round === 1 || $round === $perPart) {
            $vitals["mode $mode, " . ($round === 1 ? 'at the begin' : 'in the end')] = $part->vitals();
        }
        printf(
            "round %d of %d, mode %d over %s: %d events%s, %d answered, %d connections ended\n",
            (count($parts) - 1) * $perPart + $round,
            $rounds,
            $mode,
            $way,
            count($events),
            $isFailing ? ', successors fail' : '',
            $report['counts']['answered'],
            count($report['counts']['ends']),
        );
    }
    $part->end();
    foreach ($vitals["mode $mode, in the end"]->grownSince($vitals["mode $mode, at the begin"]) as $growth) {
        echo "FAIL chaos: the server has grown: $growth\n";
    }
}

/** @param list<float> $took milliseconds */
$times = function (array $took): string {
    sort($took);
    return $took === [] ? 'none' : sprintf('median %.1f ms, worst %.1f ms, of %d', $took[intdiv(count($took), 2)], end($took), count($took));
};
/** @param list<array<string, int>> $all @return array<string, int> */
$sum = function (array $all): array {
    $totals = [];
    foreach ($all as $numbers) {
        foreach ($numbers as $name => $number) {
            $totals[$name] = ($totals[$name] ?? 0) + $number;
        }
    }
    return $totals;
};
$audits = array_column($parts, 'audit');
$reordered = fn (bool $isOrdered): int => array_sum(array_map(
    fn (Audit $audit): int => $audit->isOrdered === $isOrdered ? $audit->totals['reordered'] : 0,
    $audits,
));
$totals = $sum(array_column($audits, 'totals'));
$worst = array_column($audits, 'worst');
$lines = $sum(array_column(array_column($parts, 'weather'), 'counts')) + [
    'starts of workers' => "$totals[starts], $totals[failing] of them made to fail",
    'replaced for max_request' => array_sum(array_column(array_column($parts, 'stats'), 'recycle_count')),
    'reloads' => sprintf('%s; %d failed', $times(array_merge(...array_column($audits, 'reloads'))), array_sum(array_column($audits, 'failedReloads'))),
    'messages' => "$totals[sent] sent, $totals[answered] answered, $totals[late] after more than a second",
    'lost on open connections' => $totals['lost'],
    'doubled, reordered' => "$totals[doubled], " . $reordered(true) . '; ' . $reordered(false) . ' reordered in modes 3 and 7, which have no order',
    'crossed, corrupt' => "$totals[crossed], $totals[corrupt]",
    'deaths of workers' => "$totals[deaths], $totals[hands] of them with a message in hand",
    'connections ended' => "$totals[closed] closed, $totals[reset] reset, $totals[refused] refused; $totals[cut] messages on them without an answer",
    'worst latency' => sprintf('%.0f ms; %.0f ms in the rounds in which starts fail', max(array_column($worst, 0)), max(array_column($worst, 1))),
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
