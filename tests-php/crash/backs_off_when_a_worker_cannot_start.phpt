--TEST--
A worker that dies in onWorkerStart for ever is tried again with growing delays while the others serve, and a reload with good code heals it
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    touch(getenv('ROTOR_TMP') . '/bad');
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
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
$server->allowLog('/./');
foreach ([100, 200, 400] as $delay) {
    $server->waitForLog("/respawning worker=0 in {$delay}ms/");
}
// Session 1 belongs to worker 1, session 2 to the one that does not come up: its message waits.
$served = $server->connect();
$waits = $server->connect();
$waits->write('?');
for ($i = 0; $i < 100; $i++) {
    $served->write('?');
    [$id, $backing] = json_decode($served->readLine());
    $id === 1 || print("answered by $id\n");
}
echo "worker 1 serves, $backing slot waits\n";
$server->waitForLog('/respawning worker=0 in 800ms/');
$server->waitForLog('/respawning worker=0 in 1600ms/');
$forks = count(array_keys($server->notes(), 'start 0', true));
echo $forks <= 7 ? "few forks\n" : "$forks forks\n";
unlink("$server->tmp/bad");
$server->signal(SIGUSR1);
$server->waitForNote('after true');
[$id, $backing] = json_decode($waits->readLine());
echo "worker $id serves, $backing slot waits\n";
$server->stop();
?>
--EXPECT--
worker 1 serves, 1 slot waits
few forks
worker 0 serves, 0 slot waits
