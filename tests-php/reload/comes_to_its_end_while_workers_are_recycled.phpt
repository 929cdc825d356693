--TEST--
A reload comes to its end, side by side and one by one, while workers ask for successors without pause: it has its turn before them
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

foreach (['side by side' => true, 'one by one' => false] as $how => $async) {
    $server = TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set([
            'worker_num' => 6, 'log_file' => getenv('ROTOR_LOG'), 'max_request' => 1, 'max_request_grace' => 0,
            'reload_concurrency' => 2, 'reload_async' => (bool) $argv[1],
        ]);
        $server->on('workerStart', function () {
            note('start');
            // So that successors are always under way.
            usleep(100_000);
        });
        $server->on('beforeReload', fn () => note('before'));
        $server->on('afterReload', fn ($server, $success) => note('after ' . json_encode($success)));
        $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
        $server->start();
        PHP, args: [(string) (int) $async]);
    $load = pcntl_fork();
    if ($load === 0) {
        for ($clients = []; count($clients) < 24; $clients[] = $server->connect());
        for (;;) {
            foreach ($clients as $client) {
                $client->write('?');
            }
            foreach ($clients as $client) {
                $client->read(1);
            }
        }
    }
    try {
        // All of them ask.
        $server->waitFor(fn () => count($server->notes()) > 18, 'workers to be replaced');
        for ($i = 1; $i <= 2; $i++) {
            $server->signal(SIGUSR1);
            $server->waitForNote('after true', $i);
        }
    } finally {
        posix_kill($load, SIGKILL);
        pcntl_waitpid($load, $status);
    }
    preg_match_all('/before (start )*?after true/', implode(' ', $server->notes()), $reloads);
    foreach ($reloads[0] as $reload) {
        // Six of its own, and some for who had asked before it began, or when all of them had their turn.
        $starts = substr_count($reload, 'start');
        echo "$how: ", $starts < 18 ? 'its own and a few' : "$starts starts", "\n";
    }
    $server->stop();
}
?>
--EXPECT--
side by side: its own and a few
side by side: its own and a few
one by one: its own and a few
one by one: its own and a few
