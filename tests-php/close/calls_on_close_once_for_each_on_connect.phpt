--TEST--
Whoever ends a connection: onClose comes once for its onConnect, last, in the same worker, with -1 if the server closed
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 3, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('connect', function ($server, $fd, $reactor) {
        note("$fd connect $server->worker_id $reactor");
        if ($fd % 9 === 0) {
            $server->close($fd) || note("$fd is not closed");
        }
    });
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        note("$fd receive $server->worker_id $reactor");
        $done = match ($data) {
            'echo' => $server->send($fd, $data),
            'close' => $server->close($fd),
            'reset' => $server->close($fd, true),
            // The next session is another worker's.
            'next' => $server->close($fd + 1),
        };
        $done || note("$fd cannot $data");
    });
    $server->on('close', function ($server, $fd, $reactor) {
        note("$fd close $server->worker_id $reactor");
        // Every other time, to see that it does not come again.
        if ($fd % 2 === 0 && $server->close($fd) && $reactor === -1) {
            note("$fd is closed again");
        }
    });
    $server->start();
    PHP);
const CONNECTIONS = 198;
$expected = [];
for ($fd = 1; $fd <= CONNECTIONS; $fd++) {
    $client = $server->connect();
    $way = $fd % 9;
    match ($way) {
        3, 4, 8 => $client->exchange('echo'),
        5 => $client->write('close'),
        6 => $client->write('reset'),
        0, 1, 2, 7 => null,
    };
    match ($way) {
        1, 3 => $client->close(),
        2, 4 => $client->reset(),
        5, 6, 0 => $client->readToEnd(),
        7 => $neighbour = $client,
        8 => $neighbour->write('next'),
    };
    if ($way === 8) {
        $client->readToEnd();
        $neighbour->close();
    }
    [$worker, $reactor] = [$fd % 3, $fd % 2];
    $expected[$fd] = ["connect $worker $reactor", "close $worker " . (in_array($way, [0, 5, 6, 8], true) ? -1 : $reactor)];
    if (!in_array($way, [0, 1, 2], true)) {
        array_splice($expected[$fd], 1, 0, "receive $worker $reactor");
    }
}
$server->waitFor(fn () => count(preg_grep('/ close /', $server->notes())) >= CONNECTIONS, 'every onClose');
$lives = [];
foreach ($server->notes() as $note) {
    [$fd, $what] = explode(' ', $note, 2);
    $lives[$fd][] = $what;
}
foreach ($expected as $fd => $life) {
    if ($life !== ($lives[$fd] ?? [])) {
        echo "session $fd: ", implode(', ', $lives[$fd] ?? []), ' instead of ', implode(', ', $life), "\n";
    }
}
var_dump(count($lives) === CONNECTIONS);
$server->stop();
?>
--EXPECT--
bool(true)
