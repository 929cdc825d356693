--TEST--
A successor that fails is no failure of the reload that runs meanwhile, if it is not the reload that has asked for it
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'reload_concurrency' => 2]);
    $server->on('workerStart', function ($server, $id) {
        $starts = fn (int $id): int => count(glob(getenv('ROTOR_TMP') . "/start-$id-*"));
        touch(getenv('ROTOR_TMP') . "/start-$id-" . getmypid());
        note("start $id " . getmypid());
        if ($id === 0 && $starts(0) === 3) {
            throw new Exception('the successor of a new worker fails');
        }
        while ($id === 1 && $starts(1) === 2 && !file_exists(getenv('ROTOR_TMP') . '/go')) {
            usleep(1000);
        }
    });
    $server->on('afterReload', fn ($server, $success) => note('reload ' . json_encode($success)));
    $server->on('receive', fn () => null);
    $server->start();
    PHP);
$starts = fn (int $id, int $count): array => $server->waitFor(function () use ($server, $id, $count): ?array {
    $starts = array_values(preg_grep("/^start $id /", $server->notes()));
    return count($starts) === $count ? $starts : null;
}, "start $count of worker $id");
$starts(0, 1);
$starts(1, 1);
$server->signal(SIGUSR1);
$new = (int) substr($starts(0, 2)[1], 8);
$starts(1, 2);
$server->waitForLog('/: replaced worker=0$/m');
// It asks for a successor while the other slot is not through.
$server->signal(SIGTERM, $new);
$server->waitForLog('/the successor of worker=0 has failed/');
$server->allowLog('/the successor of |onWorkerStart threw|before it was ready/');
touch("$server->tmp/go");
echo $server->waitFor(fn () => current(preg_grep('/^reload/', $server->notes())), 'the reload'), "\n";
$server->expectFile('*');
$server->stop();
?>
--EXPECT--
reload true
