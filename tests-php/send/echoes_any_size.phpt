--TEST--
What onReceive sends comes back byte for byte, from 1 byte to 64 KiB and on
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->start();
    PHP);
$sizes = [];
for ($power = 1; $power <= 1 << 20; $power *= 2) {
    array_push($sizes, $power - 1, $power, $power + 1);
}
$sizes = array_filter(array_unique($sizes));
foreach ([$server->connect(), $server->connect()] as $client) {
    foreach ($sizes as $size) {
        $bytes = random_bytes($size);
        if ($client->exchange($bytes) !== $bytes) {
            echo "$size bytes came back changed\n";
        }
    }
    $client->close();
}
echo count($sizes), " sizes\n";
$server->stop();
?>
--EXPECT--
59 sizes
