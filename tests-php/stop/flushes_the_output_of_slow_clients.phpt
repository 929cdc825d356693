--TEST--
A stop waits for clients that read slowly: what was sent arrives, to the last byte, and then the connection is closed in order
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'socket_buffer_size' => '64M']);
    $server->on('receive', function ($server, $fd) {
        for ($i = 0; $i < 16; $i++) {
            $server->send($fd, str_repeat(chr(ord('a') + $i), 1 << 20));
        }
        note('sent');
    });
    $server->on('workerStop', fn () => note('worker stopped'));
    note(json_encode($server->start()));
    PHP);
$clients = [$server->connect(), $server->connect()];
foreach ($clients as $client) {
    $client->write('please');
}
$server->waitForNote('sent', 2);
$server->signal(SIGTERM);
$server->waitForNote('worker stopped');
echo $server->isRunning() ? "waits for the clients\n" : "has not waited\n";
$expected = hash_init('sha256');
foreach (range('a', 'p') as $letter) {
    hash_update($expected, str_repeat($letter, 1 << 20));
}
$expected = hash_final($expected);
foreach ($clients as $client) {
    echo hash('sha256', $client->readToEnd($how)) === $expected ? "all, $how\n" : "not all, $how\n";
}
$server->wait();
?>
--EXPECT--
waits for the clients
all, closed
all, closed
