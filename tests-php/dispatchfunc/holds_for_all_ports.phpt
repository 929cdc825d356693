--TEST--
The server's dispatch_func holds for all its ports but those that have their own or none; exempt ports are not delayed by it
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'dispatch_func' => function ($server, $fd, $type, ...$data) {
        if ($data === ['slow']) {
            note('slow begins');
            while (!file_exists(getenv('ROTOR_TMP') . '/go')) {
                usleep(5_000);
                clearstatcache();
            }
            note('slow ends');
        }
        return 1;
    }]);
    $listen = fn () => $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    $listen();
    $listen()->set(['open_tcp_nodelay' => true]);
    $listen()->set(['dispatch_func' => fn () => 0]);
    $listen()->set(['dispatch_func' => false]);
    note(implode(' ', array_map(fn ($port) => $port->port, $server->ports)));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, "$server->worker_id on " . ($reactor < 2 ? 'a thread' : $reactor) . ';'));
    $server->start();
    PHP);
$clients = array_map(fn ($port) => [new TestClient("tcp://127.0.0.1:$port"), new TestClient("tcp://127.0.0.1:$port")], explode(' ', $server->notes()[0]));
foreach ($clients as $two) {
    foreach ($two as $client) {
        $client->write('x');
        echo $client->readLine(';'), ', ';
    }
    echo "\n";
}
$clients[0][0]->write('slow');
$server->waitForNote('slow begins');
$clients[1][0]->write('x');
for ($i = 0; $i < 20; $i++) {
    foreach ($clients[4] as $client) {
        $client->write('x');
        $client->readLine(';');
    }
}
echo json_encode(in_array('slow ends', $server->notes(), true)), "\n";
touch("$server->tmp/go");
echo $clients[0][0]->readLine(';'), ', ', $clients[1][0]->readLine(';'), "\n";
unlink("$server->tmp/go");
$server->stop();
?>
--EXPECT--
1 on 2, 1 on 2, 
1 on 2, 1 on 2, 
1 on 2, 1 on 2, 
0 on 2, 0 on 2, 
1 on a thread, 0 on a thread, 
false
1 on 2, 1 on 2
