--TEST--
Ten thousand sends from one callback arrive whole and in order (P5)
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'socket_buffer_size' => '1G', 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd) {
        mt_srand(1);
        for ($number = 0; $number < 10_000; $number++) {
            // Now and then one that takes a payload block, among those that lie in the lane.
            $size = $number % 500 === 499 ? 100_000 : mt_rand(0, 3000);
            $server->send($fd, pack('NN', $number, $size) . str_repeat(chr($number & 255), $size)) || note("send $number failed");
        }
    });
    $server->start();
    PHP);
$client = $server->connect();
$client->write('go');
$good = 0;
for ($number = 0; $number < 10_000; $number++) {
    ['number' => $given, 'size' => $size] = unpack('Nnumber/Nsize', $client->read(8));
    $bytes = $size > 0 ? $client->read($size) : '';
    $good += (int) ($given === $number && $bytes === str_repeat(chr($number & 255), $size));
}
var_dump($good, $server->notes());
$client->close();
$server->stop();
?>
--EXPECT--
int(10000)
array(0) {
}
