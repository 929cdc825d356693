--TEST--
A handler of pcntl_signal runs at once in a worker that waits for messages
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('workerstart', function ($server) {
        pcntl_async_signals(true);
        pcntl_signal(SIGALRM, fn () => note('alarm'));
        note("worker $server->worker_pid");
    });
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->start();
    PHP);
$client = $server->connect();
echo $client->exchange('hello'), "\n";
posix_kill((int) substr($server->notes()[0], 7), SIGALRM);
$server->waitForNote('alarm');
echo $client->exchange('again'), "\n";
echo count($server->notes()), " notes\n";
$client->close();
$server->stop();
?>
--EXPECT--
hello
again
2 notes
