--TEST--
After close() no more messages of the session come, though they are there already, and onClose does
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'open_eof_split' => true, 'package_eof' => "\n", 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        note(rtrim($data));
        if ($data === "5\n") {
            $server->send($fd, 'bye');
            $server->close($fd);
        }
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("closed $reactor"));
    $server->start();
    PHP);
$client = $server->connect();
$client->write(implode(array_map(fn (int $n): string => "$n\n", range(1, 500))));
echo $client->readToEnd($how), "\n";
$server->waitForNote('closed -1');
echo implode(' ', $server->notes()), "\n";
$server->stop();
?>
--EXPECT--
bye
1 2 3 4 5 closed -1
