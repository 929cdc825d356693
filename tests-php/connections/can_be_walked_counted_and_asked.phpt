--TEST--
$server->connections gives all session ids, their number, and what is known of each
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('close', fn () => note('closed'));
    $server->on('receive', function ($server, $fd) {
        $all = iterator_to_array($server->connections);
        sort($all);
        $info = $server->connections[$fd];
        note(json_encode([
            $all, count($server->connections), isset($server->connections[$fd]), isset($server->connections[99]),
            $server->connections[99], isset($server->connections["$fd"]), isset($server->connections['x']),
        ]));
        note(json_encode([
            $info === $server->getClientInfo($fd), $info === $server->connection_info($fd), $info['remote_ip'],
            $info['server_port'] === $server->port, $info['worker_id'], abs($info['connect_time'] - time()) < 600,
            $info['last_recv_time'] >= $info['connect_time'], $info['socket_type'] === Rotor\Server::SOCK_TCP,
        ]));
        note("port {$info['remote_port']}");
        $server->send($fd, 'done');
    });
    $server->start();
    PHP);
$clients = [$server->connect(), $server->connect(), $server->connect()];
foreach ($clients as $client) {
    // Each is served, so all are there for the last.
    $client->exchange('x', 4);
}
array_shift($clients)->close();
$server->waitForNote('closed');
$clients[0]->exchange('x', 4);
$notes = array_values(array_diff($server->notes(), ['closed']));
echo $notes[6], "\n", $notes[7], "\n", $notes[9], "\n";
var_dump($notes[11] === 'port ' . substr(strrchr(stream_socket_get_name($clients[0]->stream, false), ':'), 1));
foreach ($clients as $client) {
    $client->close();
}
$server->stop();
?>
--EXPECT--
[[1,2,3],3,true,false,false,true,false]
[true,true,"127.0.0.1",true,0,true,true,true]
[[2,3],2,true,false,false,true,false]
bool(true)
