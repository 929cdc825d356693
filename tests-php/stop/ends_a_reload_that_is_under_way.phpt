--TEST--
A stop during a reload ends the successor that is not ready yet and the old worker in order, without waiting for max_wait_time
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    // Nothing may have to be ended by force.
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'max_wait_time' => 0]);
    $server->on('workerStart', function ($server, $id) {
        note("start $id");
        while (file_exists(getenv('ROTOR_TMP') . '/hold')) {
            usleep(2_000);
        }
    });
    $server->on('workerStop', fn ($server, $id) => note("stop $id"));
    $server->on('afterReload', fn ($server, $success) => note('after ' . json_encode($success)));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    note(json_encode($server->start()));
    PHP);
$server->waitForNote('start 0');
$server->waitForNote('start 1');
touch("$server->tmp/hold");
$server->signal(SIGUSR1);
$server->waitFor(fn () => count($server->notes()) === 3, 'a successor');
$server->signal(SIGTERM);
$server->waitForLog('/ manager pid=\d+: stopping/');
unlink("$server->tmp/hold");
$server->waitForNote('true');
$notes = array_slice($server->notes(), 3);
$server->wait();
sort($notes);
echo implode(', ', $notes), "\n";
?>
--EXPECT--
after false, stop 0, stop 0, stop 1, true
