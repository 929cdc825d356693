--TEST--
package_length_func may send and close, its own connection too, and ask the server for what it knows; what it does takes effect in order
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'reactor_num' => 2,
        'package_length_func' => function (string $buffer) use ($server): int {
            match ($buffer[0]) {
                '.' => null,
                'S' => note(json_encode([$server->send(1, 'to one, '), $server->send(2, 'to two, '), $server->send(77, 'x')])),
                'C' => note(json_encode([$server->close(2), $server->exists(2), $server->close(2)])),
                'R' => note(json_encode([$server->close(1, true)])),
                'I' => note(json_encode([
                    $server->getClientInfo(1)['reactor_id'], count($server->connections), $server->worker_id, $server->getWorkerId(),
                ])),
            };
            return 1;
        },
    ]);
    $server->on('connect', fn ($server, $fd, $reactor) => note("$fd connected on $reactor"));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, "$data, "));
    $server->on('close', fn ($server, $fd, $reactor) => note("$fd closed $reactor"));
    $server->start();
    PHP);
$one = $server->connect();
echo $one->exchange('.', 3);
$two = $server->connect();
echo $two->exchange('.', 3), "\n";
$one->write('S.');
$received = [$one->readLine(', '), $one->readLine(', '), $one->readLine(', ')];
sort($received);
echo implode(', ', $received), "\n";
echo $two->readLine(', '), "\n";
$one->write('I');
echo $one->readLine(', '), "\n";
$one->write('C');
echo $one->readLine(', '), "\n";
echo json_encode($two->readToEnd()), "\n";
$server->waitForNote('2 closed -1');
$one->write('..R.');
$one->readToEnd($how);
echo $how, "\n";
$server->waitForNote('1 closed -1');
// Nobody else is concerned.
$three = $server->connect();
echo $three->exchange('.', 3), "\n";
$three->close();
$server->waitForNote('3 closed 2');
echo implode("\n", $server->notes()), "\n";
$server->stop();
?>
--EXPECT--
., ., 
., S, to one
to two
I
C
""
reset
., 
1 connected on 2
2 connected on 2
[true,true,false]
[2,2,-1,false]
[true,false,false]
2 closed -1
[true]
1 closed -1
3 connected on 2
3 closed 2
