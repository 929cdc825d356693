--TEST--
What onConnect sends before it closes arrives whole, without a word of the client
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'socket_buffer_size' => '64M', 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('connect', function ($server, $fd) {
        for ($n = 0; $n < 100; $n++) {
            $server->send($fd, str_repeat(chr($n), 100_000));
        }
        $server->close($fd);
    });
    $server->on('receive', fn () => note('received something'));
    $server->start();
    PHP);
$expected = implode(array_map(fn (int $n): string => str_repeat(chr($n), 100_000), range(0, 99)));
for ($fd = 1; $fd <= 4; $fd++) {
    var_dump($server->connect()->readToEnd($how) === $expected, $how);
}
var_dump($server->notes());
$server->stop();
?>
--EXPECT--
bool(true)
string(6) "closed"
bool(true)
string(6) "closed"
bool(true)
string(6) "closed"
bool(true)
string(6) "closed"
array(0) {
}
