--TEST--
However many workers are due at once, no more than reload_concurrency have a successor that is not ready yet, and each gets its turn
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 6, 'log_file' => getenv('ROTOR_LOG'), 'max_request' => 3, 'max_request_grace' => 0,
        'reload_concurrency' => 2,
    ]);
    $server->on('workerStart', function ($server, $id) {
        note("begins $id");
        $begun = fn (): array => array_values(preg_grep('/^begins /', file(getenv('ROTOR_NOTES'), FILE_IGNORE_NEW_LINES)));
        // Of two that may start at once the first waits for the second, and a little for a third that may not.
        $own = max(array_keys($begun(), "begins $id"));
        while ($own % 2 === 0 && count($begun()) === $own + 1) {
            usleep(1_000);
        }
        usleep(20_000);
        note("ready $id");
    });
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->start();
    PHP);
for ($id = 0; $id < 6; $id++) {
    $server->waitForNote("ready $id");
}
$clients = array_map(fn () => $server->connect(), range(1, 6));
for ($i = 0; $i < 3; $i++) {
    foreach ($clients as $client) {
        $client->exchange('?');
    }
}
for ($id = 0; $id < 6; $id++) {
    $server->waitForNote("ready $id", 2);
}
$server->stop();
$starting = $most = 0;
foreach (array_slice($server->notes(), 12) as $note) {
    $starting += str_starts_with($note, 'begins') ? 1 : -1;
    $most = max($most, $starting);
}
echo "at most $most at once\n";
?>
--EXPECT--
at most 2 at once
