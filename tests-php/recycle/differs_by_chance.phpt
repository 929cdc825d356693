--TEST--
max_request_grace: each worker process adds a number of its own to max_request, and none more than it says
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
        'worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'max_request' => 20, 'max_request_grace' => 100,
    ]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->start();
    PHP);
$client = $server->connect();
$limits = fn (): array => preg_match_all('/max_request is reached; requests=(\d+)/', $server->log(), $found) ? $found[1] : [];
$server->waitFor(function () use ($client, $limits): bool {
    $client->exchange('?');
    return count($limits()) >= 6;
});
$server->stop();
$seen = array_map(intval(...), $limits());
echo min($seen) >= 20 && max($seen) <= 120 ? "in range\n" : implode(' ', $seen) . "\n";
echo count(array_unique($seen)) > 1 ? "by chance\n" : implode(' ', $seen) . "\n";
?>
--EXPECT--
in range
by chance
