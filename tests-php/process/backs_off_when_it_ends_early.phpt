--TEST--
A user process that ends early is started again at once, then after growing delays, while the workers serve
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'respawn_max_delay' => 0.5]);
    $server->addProcess(new Rotor\Process(function (Rotor\Process $process) {
        note('starts');
        if (file_exists(getenv('ROTOR_TMP') . '/good')) {
            note('stays');
            sleep(1000);
        }
    }));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, json_encode([
        $server->stats()['slots_backing_off'],
    ]) . "\n"));
    $server->start();
    PHP);
$server->expectLog('/the server is degraded: user=1 keeps dying/');
$server->allowLog('/respawning user=1/');
$server->waitForLog('/(respawning user=1 in 500ms.*){2}/s');
preg_match_all('/spawned|respawning user=1 in \d+ms/', $server->log(), $lines);
// The worker's first.
echo implode("\n", array_slice($lines[0], 1, 8)), "\n";
$client = $server->connect();
$backingOff = function () use ($client): int {
    $client->write('?');
    return json_decode($client->readLine())[0];
};
$server->waitFor(fn () => $backingOff() === 1, 'a slot that backs off');
touch("$server->tmp/good");
$server->waitForNote('stays');
// The manager counts behind the fork.
$server->waitFor(fn () => $backingOff() === 0, 'no slot to back off');
$server->waitForLog('/the server is no longer degraded/');
unlink("$server->tmp/good");
$server->stop();
?>
--EXPECT--
spawned
spawned
respawning user=1 in 100ms
spawned
respawning user=1 in 200ms
spawned
respawning user=1 in 400ms
spawned
