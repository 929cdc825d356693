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
    $server->on('workerStart', fn () => note((string) hrtime(true)));
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
$times = $server->notes();
echo count($times), " processes\n";
// A process is forked after its predecessor has said that it runs, and says so itself however late. The forks of any
// process and the tenth after it are a second apart; hence so are the words of its predecessor and of that tenth one.
for ($i = 0; $i + 11 < count($times); $i++) {
    $seconds = ($times[$i + 11] - $times[$i]) / 1e9;
    $seconds >= 1 || printf("from %d to %d in %.3f s\n", $i, $i + 11, $seconds);
}
?>
--EXPECT--
26 processes
