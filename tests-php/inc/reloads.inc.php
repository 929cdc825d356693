<?php

declare(strict_types=1);

require_once __DIR__ . '/server.inc.php';
require_once __DIR__ . '/ledger.inc.php';

/**
 * Reloads a server under load: 20 times in 10 s, or 6 times in 3 s where the short form is enough. Prints what became
 * of the load, and the counters that $asked names.
 *
 * @param array<string, mixed> $settings besides four workers
 * @param list<string> $load of the ledger
 * @param bool $failing whether each second start of a worker fails, after the first four
 * @param list<string> $asked counters of `stats()` that must not be 0 in the end
 */
function reload_under_load(array $settings = [], array $load = [], bool $failing = false, array $asked = []): void
{
    $server = TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set(json_decode($argv[1], true) + [
            'worker_num' => 4, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG'),
            'open_length_check' => true, 'package_length_type' => 'N', 'package_body_offset' => 4, 'package_max_length' => '2M',
        ]);
        $server->on('workerStart', function ($server, $id) use ($argv) {
            note("start $id");
            $starts = preg_match_all('/^start/m', file_get_contents(getenv('ROTOR_NOTES')));
            if ($argv[2] === 'failing' && $starts > 4 && $starts % 2) {
                throw new RuntimeException('this start fails');
            }
        });
        $server->on('afterReload', fn ($server, $success) => note('reloaded ' . json_encode($success)));
        $server->on('receive', function ($server, $fd, $reactor, $data) {
            // 0 to 20 ms, most of them short: so that much goes on meanwhile.
            usleep((int) (20_000 * (mt_rand() / mt_getrandmax()) ** 3));
            $server->send($fd, $data);
        });
        $server->on('close', fn ($server, $fd, $reactor) => $reactor < 0 && note("closed $fd"));
        $server->on('shutdown', fn ($server) => note('stats ' . json_encode($server->stats())));
        $server->start();
        PHP, args: [json_encode($settings, JSON_FORCE_OBJECT), $failing ? 'failing' : 'fine']);
    $told = fn (string $what): int => count(preg_grep("/^$what/", $server->notes()));
    $server->waitFor(fn () => $told('start') === 4, 'four workers');
    if ($failing) {
        $server->expectLog('/the reload has failed/');
        $server->allowLog('/this start fails|onWorkerStart threw|before it was ready|the old process serves on|degraded|respawning/');
    }
    $reloads = Ledger::isStress() ? 20 : 6;
    $seconds = $reloads / 2;
    $answered = 0;
    // On a busy machine little is answered in so short a time: then once more.
    for ($round = 1; $round <= 10 && $answered <= 10; $round++) {
        $ledger = Ledger::start(
            $server,
            ...['--framing', 'length', '--late-ms', '20000', '--seconds', (string) ($seconds + 0.5)],
            ...$load ?: ['--connections', '40', '--in-flight', '4', '--size', '1-4K'],
        );
        for ($i = 0, $next = microtime(true); $i < $reloads; $i++, $next += 0.5) {
            @time_sleep_until($next);
            $done = $told('reloaded');
            $server->signal(SIGUSR1);
            $server->waitFor(fn () => $told('reloaded') > $done, "reload $i");
        }
        $counts = $ledger->finish()['counts'];
        $answered += $counts['answered'];
        if ($counts['answered'] !== $counts['sent']) {
            break;
        }
    }
    $failed = $told('reloaded false');
    echo $answered > 10 && $counts['answered'] === $counts['sent'] ? 'all answered' : json_encode($counts);
    echo $told('closed') === 0 ? ', none closed' : ', closed by the server', $failed ? ', some reloads failed' : '';
    $server->signal(SIGTERM);
    $stats = json_decode(substr($server->waitFor(fn () => current(preg_grep('/^stats/', $server->notes())), 'the end'), 6), true);
    foreach ($asked as $counter) {
        echo ', ', $stats[$counter] > 0 ? '' : 'no ', $counter;
    }
    echo "\n";
    $server->wait();
}
