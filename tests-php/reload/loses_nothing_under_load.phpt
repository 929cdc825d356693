--TEST--
P7: reloads under load close no connection, and lose, double and reorder nothing, also when successors fail and messages are large
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';

$reloads = Ledger::isStress() ? 20 : 4;
$loads = [
    'all at once' => ['--connections', '40', '--in-flight', '4', '--size', '1-4K'],
    'one by one' => ['--connections', '40', '--in-flight', '4', '--size', '1-4K'],
    'failing' => ['--connections', '40', '--in-flight', '4', '--size', '1-4K'],
    'large' => ['--connections', '8', '--in-flight', '2', '--size', '1M'],
];
foreach ($loads as $kind => $load) {
    $server = TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set([
            'worker_num' => 4, 'reactor_num' => 2, 'reload_async' => $argv[1] !== 'one by one', 'log_file' => getenv('ROTOR_LOG'),
            'open_length_check' => true, 'package_length_type' => 'N', 'package_body_offset' => 4, 'package_max_length' => '2M',
        ]);
        $server->on('workerStart', function ($server, $id) use ($argv) {
            note("start $id");
            // The first four may; then each second one fails.
            $starts = preg_match_all('/^start/m', file_get_contents(getenv('ROTOR_NOTES')));
            if ($argv[1] === 'failing' && $starts > 4 && $starts % 2) {
                exit(1);
            }
        });
        $server->on('afterReload', fn ($server, $success) => note('reloaded') ?? ($success || note('failed')));
        $server->on('receive', function ($server, $fd, $reactor, $data) {
            if (mt_rand(0, 19) === 0) {
                usleep(mt_rand(0, 20_000));
            }
            $server->send($fd, $data);
        });
        $server->start();
        PHP, args: [$kind]);
    $server->waitFor(fn () => count(preg_grep('/^start/', $server->notes())) === 4, 'four workers');
    if ($kind === 'failing') {
        $server->expectLog('/the reload has failed/');
        $server->allowLog('/before it was ready|the old process serves on/');
    }
    $ledger = Ledger::start(
        $server,
        ...['--framing', 'length', '--late-ms', '5000', '--seconds', Ledger::isStress() ? '12' : '3'],
        ...$load,
    );
    for ($i = 1; $i <= $reloads; $i++) {
        $server->signal(SIGUSR1);
        $server->waitForNote('reloaded', $i);
    }
    $counts = $ledger->finish()['counts'];
    $failed = count(array_keys($server->notes(), 'failed', true));
    echo "$kind: ", $counts['answered'] > 300 && $counts['answered'] === $counts['sent'] ? 'all answered' : var_export($counts, true);
    echo $failed ? ", some reloads failed\n" : "\n";
    $server->stop();
}
?>
--EXPECT--
all at once: all answered
one by one: all answered
failing: all answered, some reloads failed
large: all answered
