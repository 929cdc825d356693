--TEST--
A worker that has hung in onWorkerStart since the server began is ended by a reload within max_wait_time and heals with good code; with code as bad the reload fails
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'max_wait_time' => 1]);
    $server->on('workerStart', function ($server, $id) {
        note("start $id");
        while ($id === 1 && !file_exists(getenv('ROTOR_TMP') . '/good')) {
            sleep(1);
        }
    });
    $server->on('afterReload', fn ($server, $success) => note('reload ' . json_encode($success)));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, "$data\n"));
    $server->start();
    PHP);
$server->waitForNote('start 1');
// Session 1 is worker 1's.
$client = $server->connect();
$client->write('waits');
foreach ([false, true] as $success) {
    $success && touch("$server->tmp/good");
    $server->signal(SIGUSR1);
    $server->waitForNote('reload ' . json_encode($success));
}
$server->expectLog('/worker=1 pid=\d+: did not get ready within max_wait_time; killed/');
$server->allowLog('/killed by SIGKILL before it was ready|respawning worker=1|keeps dying|the reload has failed/');
echo $client->readLine(), "\n";
unlink("$server->tmp/good");
$server->stop();
?>
--EXPECT--
waits
