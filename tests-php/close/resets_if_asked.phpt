--TEST--
close() with reset drops what is queued and resets the connection at once
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'socket_buffer_size' => '1G', 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        for ($n = 0; $n < (int) $data; $n++) {
            $server->send($fd, str_repeat('x', 100_000));
        }
        note(json_encode([$server->close($fd, true), $server->close($fd, true), $server->getLastError()]));
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("closed $reactor"));
    $server->start();
    PHP);
foreach ([0, 400] as $round => $count) {
    $client = $server->connect();
    $client->write((string) $count);
    $server->waitForNote('closed -1', $round + 1);
    $bytes = $client->readToEnd($how);
    var_dump(strlen($bytes) < max(1, $count * 100_000), $how);
    $client->close();
}
echo implode(', ', $server->notes()), "\n";
$server->stop();
?>
--EXPECT--
bool(true)
string(5) "reset"
bool(true)
string(5) "reset"
[true,false,1003], closed -1, [true,false,1003], closed -1
