--TEST--
Inside onClose the client is still known, when its socket is long gone; then no more
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $before = [];
    $server->on('receive', function ($server, $fd, $reactor, $data) use (&$before) {
        if ($data === 'known?') {
            $known = [$server->getClientInfo(1), $server->getClientInfo(2), $server->getLastError(), $server->connections[1], isset($server->connections[1])];
            $server->send($fd, json_encode($known) . "\n");
            return;
        }
        $before[$fd] = $server->getClientInfo($fd);
        $server->send($fd, 'seen');
        $data === 'server' && $server->close($fd);
    });
    $server->on('close', function ($server, $fd, $reactor) use (&$before) {
        if (!isset($before[$fd])) {
            return;
        }
        note("closing $fd");
        while (!file_exists(getenv('ROTOR_TMP') . "/go$fd")) {
            usleep(1000);
        }
        foreach ([$server->getClientInfo($fd), $server->connections[$fd]] as $info) {
            foreach (['server_port', 'remote_ip', 'remote_port', 'reactor_id', 'worker_id', 'connect_time', 'socket_type', 'socket_fd'] as $key) {
                if ($info[$key] !== $before[$fd][$key]) {
                    note("$key has changed: " . json_encode([$before[$fd], $info]));
                }
            }
        }
        note("closed $fd " . json_encode([$reactor, $server->exists($fd), $info['close_errno']]));
    });
    $server->start();
    PHP);
// The first in worker 1, closed by the server; the second in worker 0, reset by the peer.
$first = $server->connect();
$second = $server->connect();
$first->exchange('server', 4);
echo $first->readToEnd($how), $how, "\n";
$second->exchange('peer', 4);
$second->reset();
foreach ([1, 2] as $fd) {
    $server->waitForNote("closing $fd");
}
foreach ([1, 2] as $fd) {
    touch("$server->tmp/go$fd");
    $server->waitFor(fn () => preg_grep("/^closed $fd/", $server->notes()), 'onClose');
    unlink("$server->tmp/go$fd");
}
$client = $server->connect();
$known = function () use ($client): string {
    $client->write('known?');
    return $client->readLine();
};
// The reactors hear of the callback's end in their own time.
echo $server->waitFor(fn () => ($answer = $known()) === '[false,false,1004,false,false]' ? $answer : null), "\n";
$notes = $server->notes();
sort($notes);
echo implode("\n", $notes), "\n";
$client->close();
$server->stop();
?>
--EXPECT--
closed
[false,false,1004,false,false]
closed 1 [-1,false,0]
closed 2 [0,false,104]
closing 1
closing 2
