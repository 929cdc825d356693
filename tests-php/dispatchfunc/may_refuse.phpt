--TEST--
dispatch_func may discard, close and leave it to the mode; a worker that is not there is dropped with a warning, an exception leaves it to the mode
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 2, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'open_eof_split' => true, 'package_eof' => ';',
        'dispatch_func' => fn ($server, $fd, $type, $data) => $type !== 0 ? -3 : match (strtok($data, ';')) {
            'discard' => -1,
            'close' => -2,
            'fall back' => -3,
            'other' => 1 - $fd % 2,
            'two' => 2,
            'minus four' => -4,
            'huge' => PHP_INT_MAX,
            'text' => '1',
            'null' => null,
            'throw' => throw new Exception('oh no'),
        },
    ]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, "$server->worker_id $data"));
    $server->on('protocolError', fn ($server, $fd, $reactor, $code, $reason) => note("protocol error $reason"));
    $server->on('close', fn ($server, $fd, $reactor) => note("$fd closed $reactor"));
    $server->on('shutdown', fn ($server) => note('dropped ' . $server->stats()['dropped_records']));
    $server->start();
    PHP);
$server->expectLog('/session 1: dispatch_func returned 2, and workers are 0 to 1; what it was asked about is dropped/');
$server->expectLog('/session 1: dispatch_func returned -4, and workers are 0 to 1/');
$server->expectLog('/session 1: dispatch_func returned 9223372036854775807, and workers are 0 to 1/');
$server->expectLog('/session 1: dispatch_func returned a string instead of an int; dispatch_mode decides/');
$server->expectLog('/session 1: dispatch_func returned null instead of an int; dispatch_mode decides/');
$server->expectLog('/session 1: dispatch_func threw; dispatch_mode decides/');
$server->expectLog('/Uncaught Exception: oh no/');
$client = $server->connect();
foreach (['fall back;', 'discard;fall back;', 'other;', 'two;minus four;huge;other;', 'text;', 'null;', 'throw;', 'discard;discard;other;'] as $messages) {
    $client->write($messages);
    echo $client->readLine(';'), "\n";
}
$client->write('other;close;other;other;');
echo $client->readToEnd(), "\n";
$server->waitForNote('1 closed -1');
$client = $server->connect();
$client->write('other;fall back;');
$answers = [$client->readLine(';'), $client->readLine(';')];
sort($answers);
echo implode(', ', $answers), "\n";
$client->close();
$server->waitForNote('2 closed 2');
$server->stop();
echo implode("\n", $server->notes()), "\n";
?>
--EXPECT--
1 fall back
1 fall back
0 other
0 other
1 text
1 null
1 throw
0 other
0 other;
0 fall back, 1 other
1 closed -1
2 closed 2
dropped 6
