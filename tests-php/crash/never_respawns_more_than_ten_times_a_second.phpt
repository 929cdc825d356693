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
// The 21st comes two seconds after the first at the earliest; how long one takes to say that it runs is another matter.
$seconds = $times[20] - $times[0];
$seconds >= 1.5 || printf("21 in %.3f s\n", $seconds);
?>
--EXPECT--
26 processes
