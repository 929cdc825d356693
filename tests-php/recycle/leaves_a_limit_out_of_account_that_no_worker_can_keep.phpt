--TEST--
A max_memory below what a worker has before its first message is warned of and replaces nobody, busy or idle
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'max_memory' => '1M', 'max_lifetime' => 3]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $server->stats()['recycle_count'] . "\n"));
    $server->start();
    PHP);
$server->expectLog('/warning worker=\d pid=\d+: max_memory is less than .*; resident=\d+ max_memory=1048576$/m');
$clients = [$server->connect(), $server->connect()];
// Until both workers have been replaced for the one limit that they can keep.
while (preg_match_all('/max_lifetime is over$|max_memory is reached/m', $server->log()) < 2) {
    foreach ($clients as $client) {
        $client->write('x');
        $client->readLine();
    }
    usleep(1000);
}
$server->stop();
preg_match_all('/asks for a successor: (\w+)/', $server->log(), $why);
echo implode(' ', array_unique($why[1])), "\n";
?>
--EXPECT--
max_lifetime
