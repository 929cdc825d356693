--TEST--
The soft limit of descriptors is raised to the hard one: a shell's limit of 64 is no limit of connections
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', fn ($server, $fd) => $server->send($fd, json_encode(
        posix_getrlimit()['soft openfiles'] === posix_getrlimit()['hard openfiles'])));
    $server->start();
    PHP, prefix: ['sh', '-c', 'ulimit -Sn 64; exec "$@"', 'sh']);
$clients = [];
for ($i = 0; $i < 200; $i++) {
    $clients[] = $server->connect();
}
$answers = [];
foreach ($clients as $client) {
    $answers[] = $client->exchange('?', 4);
    $client->close();
}
echo json_encode(array_count_values($answers)), "\n";
$server->stop();
?>
--EXPECT--
{"true":200}
