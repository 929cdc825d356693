--TEST--
A stop does not wait for a client that has its answer and keeps its connection open
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'max_wait_time' => 0, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd) {
        posix_kill($server->master_pid, SIGTERM);
        $server->send($fd, str_repeat('x', 100_000));
    });
    $server->start();
    PHP);
$client = $server->connect();
$client->write('stop');
echo strlen($client->read(100_000)), "\n";
$server->wait();
echo json_encode($client->readToEnd($how)), ' ', $how, "\n";
?>
--EXPECT--
100000
"" closed
