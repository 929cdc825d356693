--TEST--
onProtocolError has code and reason, once, behind the messages before the bad one and before onClose; what it sends goes out
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'package_max_length' => 100]);
    $server->set(['open_length_check' => true, 'package_length_type' => 'l']);
    $lines = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    $lines->set(['open_eof_split' => true, 'package_eof' => "\n", 'package_max_length' => 100]);
    $server->on('connect', fn ($server, $fd) => note("$fd connected"));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        note("$fd got " . strlen($data));
        $server->send($fd, 'answer ');
    });
    $server->on('protocolError', function ($server, $fd, $reactor, $code, $reason) {
        note("$fd " . json_encode([$reactor === $server->getClientInfo($fd)['reactor_id'], $code, $reason]));
        $server->send($fd, 'bad request');
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("$fd closed " . ($reactor < 0 ? 'by the server' : 'by its client')));
    note("lines on $lines->port");
    $server->start();
    PHP);
preg_match('/lines on (\d+)/', implode("\n", $server->notes()), $match);
$good = pack('l', 5) . 'hello';
$rejected = [
    1 => [$server->port, $good . $good . pack('l', 97) . 'too much'],
    2 => [$server->port, $good . pack('l', -1) . $good],
    3 => [$match[1], "line\n" . str_repeat('x', 100)],
];
foreach ($rejected as $fd => [$port, $bytes]) {
    $client = new TestClient("tcp://127.0.0.1:$port");
    $client->write($bytes);
    echo "$fd: ", $client->readToEnd(), "\n";
    $server->waitForNote("$fd closed by the server");
    $client->close();
}
// A client that leaves has done nothing wrong.
$client = $server->connect();
$client->exchange($good . "\0\0", 7);
$client->close();
$server->waitForNote('4 closed by its client');
foreach (range(1, 4) as $fd) {
    echo implode("\n", array_filter($server->notes(), fn ($note) => str_starts_with($note, "$fd "))), "\n";
}
$server->stop();
?>
--EXPECT--
1: answer answer bad request
2: answer bad request
3: answer bad request
1 connected
1 got 9
1 got 9
1 [true,1201,"message of 101 bytes announced, package_max_length is 100"]
1 closed by the server
2 connected
2 got 9
2 [true,1204,"length field says -1, which is negative"]
2 closed by the server
3 connected
3 got 5
3 [true,1201,"no package_eof within the 100 bytes of package_max_length"]
3 closed by the server
4 connected
4 got 9
4 closed by its client
