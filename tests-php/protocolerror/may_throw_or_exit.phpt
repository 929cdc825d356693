--TEST--
onProtocolError may throw, close by itself, and end its worker: the connection is closed and told of all the same, others are served
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'open_length_check' => true, 'package_length_type' => 'l']);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->on('protocolError', function ($server, $fd, $reactor, $code, $reason) {
        note("$fd $code");
        match ($fd) {
            1 => throw new Exception('oh no'),
            2 => var_dump($server->close($fd)),
            3 => exit(3),
            4 => $server->close($fd, true),
        };
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("$fd closed"));
    $server->on('workerError', fn ($server, $worker, $pid, $code, $signal, $fd) => note("worker ended with $code, fd $fd"));
    $server->start();
    PHP);
$server->expectLog('/session 1 is closed: its callback threw/');
$server->expectLog('/Uncaught Exception: oh no/');
$server->expectLog('/exited code=3; session=3: its callback for a protocol error was not finished/');
foreach (range(1, 4) as $fd) {
    $client = $server->connect();
    $client->write(pack('l', -1));
    $client->readToEnd();
    $fd === 3 ? $server->waitForNote('worker ended with 3, fd 3') : $server->waitForNote("$fd closed");
    $client->close();
}
$client = $server->connect();
var_dump($client->exchange(pack('l', 1) . 'x') === pack('l', 1) . 'x');
$client->close();
$server->waitForNote('5 closed');
$notes = preg_replace('/^3 closed\n/m', '', implode("\n", $server->notes()));
echo $notes, "\n";
$server->stop();
?>
--EXPECT--
bool(true)
1 1204
1 closed
2 1204
2 closed
3 1204
worker ended with 3, fd 3
4 1204
4 closed
5 closed
