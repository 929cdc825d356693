--TEST--
onConnect runs before the first message, in the same worker, and may send and know its client
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $connected = [];
    $server->on('connect', function ($server, $fd, $reactor) use (&$connected) {
        $connected[$fd] = $reactor;
        $info = $server->getClientInfo($fd);
        $server->send($fd, "hello $fd from worker $server->worker_id, reactor $reactor, to {$info['remote_ip']}:{$info['remote_port']}\n");
    });
    $server->on('receive', function ($server, $fd, $reactor, $data) use (&$connected) {
        $server->send($fd, ($connected[$fd] ?? 'no onConnect') === $reactor ? $data : "onConnect was elsewhere\n");
    });
    $server->start();
    PHP);
for ($fd = 1; $fd <= 4; $fd++) {
    $client = $server->connect();
    // The message is there before the server has accepted.
    $client->write("message\n");
    $name = stream_socket_get_name($client->stream, false);
    echo str_replace($name, 'me', $client->readLine()), ' / ', $client->readLine(), "\n";
    $client->close();
}
$server->stop();
?>
--EXPECT--
hello 1 from worker 1, reactor 1, to me / message
hello 2 from worker 0, reactor 0, to me / message
hello 3 from worker 1, reactor 1, to me / message
hello 4 from worker 0, reactor 0, to me / message
