--TEST--
A client that writes more than the server wants still gets all that was sent before the close, and an orderly end
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'socket_buffer_size' => '64M', 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd) {
        $server->send($fd, str_repeat('x', 3_000_000));
        $server->close($fd);
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("closed $reactor"));
    $server->start();
    PHP);
for ($round = 1; $round <= 5; $round++) {
    $client = $server->connect();
    $client->write(str_repeat('y', 1_000_000));
    $server->waitForNote('closed -1', $round);
    try {
        $client->write(str_repeat('z', 100_000));
    } catch (RuntimeException) {
    }
    $bytes = $client->readToEnd($how);
    var_dump(strlen($bytes), $how);
}
$server->stop();
?>
--EXPECT--
int(3000000)
string(6) "closed"
int(3000000)
string(6) "closed"
int(3000000)
string(6) "closed"
int(3000000)
string(6) "closed"
int(3000000)
string(6) "closed"
