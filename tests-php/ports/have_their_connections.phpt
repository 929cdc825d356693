--TEST--
Each port has its own connections, to be walked, counted and asked, and is told by its place
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'open_eof_split' => true, 'package_eof' => "\n"]);
    $other = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    note(json_encode([count($other->connections), iterator_to_array($other->connections), isset($other->connections[1])]));
    file_put_contents(getenv('ROTOR_TMP') . '/port', $other->port);
    $server->on('receive', function ($server, $fd) {
        $server->send($fd, json_encode([
            $server->getClientInfo($fd)['server_fd'],
            ...array_map(fn ($port) => [$port->sock, count($port->connections), iterator_to_array($port->connections),
                isset($port->connections[$fd]), ($port->connections[$fd] ?: null)['server_fd'] ?? false], $server->ports),
            count($server->connections),
        ]) . "\n");
    });
    $server->start();
    PHP);
$other = file_get_contents("$server->tmp/port");
unlink("$server->tmp/port");
$clients = [];
foreach ([$server->port, $other, $other] as $port) {
    $clients[] = $client = new TestClient("tcp://127.0.0.1:$port");
    $client->write("?\n");
    echo $client->readLine(), "\n";
}
$clients[1]->close();
$server->waitFor(function () use ($clients): bool {
    $clients[0]->write("?\n");
    return $clients[0]->readLine() === '[0,[0,1,[1],true,0],[1,1,[3],false,false],2]';
});
$server->stop();
echo $server->notes()[0], "\n";
?>
--EXPECT--
[0,[0,1,[1],true,0],[1,0,[],false,false],1]
[1,[0,1,[1],false,false],[1,1,[2],true,1],2]
[1,[0,1,[1],false,false],[1,2,[2,3],true,1],3]
[0,[],false]
