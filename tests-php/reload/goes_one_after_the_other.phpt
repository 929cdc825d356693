--TEST--
With reload_async off one worker is replaced after the other, each old one gone before the next successor starts; with it on, at most half at a time
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

foreach ([false, true] as $async) {
    $server = TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set(['worker_num' => 4, 'log_file' => getenv('ROTOR_LOG'), 'reload_async' => (bool) $argv[1]]);
        $server->on('workerStart', function ($server, $id) use ($argv) {
            note("start $id");
            $starts = fn (): array => array_values(preg_grep('/^start /', file(getenv('ROTOR_NOTES'), FILE_IGNORE_NEW_LINES)));
            // Of two that may start at once the first waits for the second.
            $own = max(array_keys($starts(), "start $id"));
            while ($argv[1] && $own % 2 === 0 && count($starts()) === $own + 1) {
                usleep(1_000);
            }
            note("started $id");
        });
        $server->on('workerStop', function ($server, $id) {
            usleep(20_000);
            note("stop $id");
        });
        $server->on('afterReload', fn () => note('after'));
        $server->on('receive', fn () => 0);
        $server->start();
        PHP, args: [(string) (int) $async]);
    $server->waitFor(fn () => count($server->notes()) === 8, 'four workers');
    $server->signal(SIGUSR1);
    $server->waitForNote('after');
    $server->waitFor(fn () => count(preg_grep('/^stop /', $server->notes())) === 4, 'four old workers to stop');
    $notes = array_slice($server->notes(), 8);
    if ($async) {
        $starting = $most = 0;
        foreach ($notes as $note) {
            $starting += match (strtok($note, ' ')) { 'start' => 1, 'started' => -1, default => 0 };
            $most = max($most, $starting);
        }
        echo "at most $most start at once\n";
    } else {
        echo implode(', ', $notes), "\n";
    }
    $server->stop();
}
?>
--EXPECT--
start 0, started 0, stop 0, start 1, started 1, stop 1, start 2, started 2, stop 2, start 3, started 3, stop 3, after
at most 2 start at once
