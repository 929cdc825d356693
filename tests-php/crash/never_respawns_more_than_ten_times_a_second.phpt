--TEST--
A worker that finishes a message and dies, again and again, is respawned at once, but no more than ten times in a second
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'close_on_worker_error' => false,
        'open_eof_split' => true, 'package_eof' => "\n"]);
    $server->on('workerStart', fn () => note(sprintf('%.6f', microtime(true))));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        $data === "die\n" ? posix_kill(getmypid(), SIGKILL) : $server->send($fd, $data);
    });
    $server->start();
    PHP);
$server->allowLog('/killed by SIGKILL|respawning worker=0/');
$client = $server->connect();
for ($i = 0; $i < 25; $i++) {
    $client->exchange("?\n");
    $client->write("die\n");
}
$client->exchange("?\n");
$server->stop();
$times = array_map(floatval(...), $server->notes());
echo count($times), " processes\n";
// The manager counts from its forks, and a process takes a while to say that it runs.
for ($i = 0; $i + 10 < count($times); $i++) {
    $times[$i + 10] - $times[$i] >= 0.9 || printf("eleven in %.3f s\n", $times[$i + 10] - $times[$i]);
}
?>
--EXPECT--
26 processes
