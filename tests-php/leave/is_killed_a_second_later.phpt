--TEST--
A worker that hangs while it leaves is killed a second after max_wait_time; the log says which and why, its successor serves all the while
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'max_wait_time' => 1]);
    $server->on('workerStop', function () {
        static $first = true;
        note('stop ' . getmypid());
        while (file_exists(getenv('ROTOR_TMP') . '/hang')) {
            usleep(1000);
        }
    });
    $server->on('workerError', fn ($server, $id, $pid, $code, $signal, $fd) => note("error $id $pid $code $signal $fd"));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, getmypid() . "\n"));
    $server->start();
    PHP);
touch("$server->tmp/hang");
$client = $server->connect();
$ask = function () use ($client): int {
    $client->write('?');
    return (int) $client->readLine();
};
$first = $ask();
$server->signal(SIGUSR1);
$server->waitForNote("stop $first");
echo $ask() !== $first ? "the successor serves\n" : "the old one serves\n";
$server->expectLog("/warning worker=0 pid=$first: did not end within max_wait_time; killed/");
$server->expectLog("/error worker=0 pid=$first: killed by SIGKILL/");
$server->waitForNote("error 0 $first 0 9 0");
$ask();
unlink("$server->tmp/hang");
$server->stop();
?>
--EXPECT--
the successor serves
