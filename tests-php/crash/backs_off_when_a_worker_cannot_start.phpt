--TEST--
A worker that dies in onWorkerStart for ever is tried again with growing delays while the others serve, and a reload with good code heals it
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';

$server = TestServer::start(<<<'PHP'
    touch(getenv('ROTOR_TMP') . '/bad');
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 4, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('workerStart', function ($server, $id) {
        note("start $id");
        if ($id === 0 && file_exists(getenv('ROTOR_TMP') . '/bad')) {
            // Each kind of early death.
            match (mt_rand(0, 3)) {
                0 => exit(0),
                1 => exit(1),
                2 => throw new RuntimeException('cannot start'),
                3 => posix_kill(getmypid(), SIGKILL),
            };
        }
        note("ready $id");
    });
    $server->on('afterReload', fn ($server, $success) => note('after ' . json_encode($success)));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, json_encode([
        $server->worker_id, $server->stats()['slots_backing_off'],
    ]) . "\n"));
    $server->start();
    PHP);
$begin = microtime(true);
$server->allowLog('/./');
foreach ([100, 200, 400] as $delay) {
    $server->waitForLog("/respawning worker=0 in {$delay}ms/");
}
// Sessions 1 to 3 belong to the others, session 4 to the one that does not come up: the next one takes it.
$served = [1 => $server->connect(), $server->connect(), $server->connect()];
$diverted = $server->connect();
$diverted->write('?');
echo 'worker ', json_decode($diverted->readLine())[0], " serves for worker 0\n";
$serve = function () use ($served): int {
    foreach ($served as $expected => $client) {
        $client->write('?');
        [$id, $backing] = json_decode($client->readLine());
        $id === $expected || print("session $expected is answered by worker $id\n");
    }
    return $backing;
};
for ($i = 0; $i < 100; $i++) {
    $serve();
}
// It does not while it tries.
$server->waitFor(fn () => $serve() === 1, 'a slot to wait');
echo "workers 1 to 3 serve, a slot waits\n";
$server->waitForLog('/respawning worker=0 in 1600ms/');
// The law of the delays bounds the forks; the full form counts them.
$server->waitFor(fn () => $serve() >= 0 && (!Ledger::isStress() || microtime(true) - $begin > 20));
$forks = count(array_keys($server->notes(), 'start 0', true));
preg_match_all('/respawning worker=0 in (\d+)ms/', $server->log(), $delays);
$law = array_map(fn (int $times): int => min(100 << $times, 5000), array_keys($delays[1]));
echo $forks <= 15 && $law === array_map(intval(...), $delays[1]) ? "few forks\n" : "$forks forks, " . json_encode($delays[1]) . "\n";
unlink("$server->tmp/bad");
$server->signal(SIGUSR1);
$server->waitForNote('after true');
$diverted->write('?');
echo 'worker ', json_decode($diverted->readLine())[0], " keeps the connection\n";
// The manager counts when all else is done, and has connections go there again.
$server->waitFor(fn () => $serve() === 0, 'no slot to wait');
$clients = [];
$server->waitFor(function () use ($server, &$clients): bool {
    $clients[] = $client = $server->connect();
    $client->write('?');
    return json_decode($client->readLine())[0] === 0;
}, 'a connection for worker 0');
echo 'worker 0 serves, ';
echo "no slot waits\n";
$server->stop();
?>
--EXPECT--
worker 1 serves for worker 0
workers 1 to 3 serve, a slot waits
few forks
worker 1 keeps the connection
worker 0 serves, no slot waits
