--TEST--
P7: reloads under load close no connection, and lose, double and reorder nothing
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';

$reloads = Ledger::isStress() ? 20 : 4;
foreach ([true, false] as $async) {
    $server = TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set([
            'worker_num' => 4, 'reactor_num' => 2, 'reload_async' => (bool) $argv[1], 'log_file' => getenv('ROTOR_LOG'),
            'open_length_check' => true, 'package_length_type' => 'N', 'package_body_offset' => 4,
        ]);
        $server->on('workerStart', fn ($server, $id) => note("start $id"));
        $server->on('afterReload', fn ($server, $success) => note('reloaded ' . json_encode($success)));
        $server->on('receive', function ($server, $fd, $reactor, $data) {
            if (mt_rand(0, 19) === 0) {
                usleep(mt_rand(0, 20_000));
            }
            $server->send($fd, $data);
        });
        $server->start();
        PHP, args: [(string) (int) $async]);
    $ledger = Ledger::start(
        $server,
        ...['--framing', 'length', '--connections', '40', '--in-flight', '4', '--size', '1-4K', '--late-ms', '5000'],
        ...['--seconds', Ledger::isStress() ? '15' : '4'],
    );
    $server->waitFor(fn () => count(preg_grep('/^start/', $server->notes())) === 4, 'four workers');
    for ($i = 1; $i <= $reloads; $i++) {
        $server->signal(SIGUSR1);
        $server->waitForNote('reloaded true', $i);
    }
    $counts = $ledger->finish()['counts'];
    echo $counts['answered'] > 1000 && $counts['answered'] === $counts['sent'] ? "all answered\n" : var_export($counts, true);
    $server->stop();
}
?>
--EXPECT--
all answered
all answered
