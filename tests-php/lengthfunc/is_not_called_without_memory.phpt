--TEST--
package_length_func is not called where memory_limit leaves no room for what it is to be shown: the connection is closed, the master lives
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'package_max_length' => '64M',
        'package_length_func' => fn (string $buffer): int => $buffer[0] === 'm' ? 2 : 0,
    ]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->on('protocolError', fn ($server, $fd, $reactor, $code, $reason) => note("$fd $code"));
    $server->start();
    PHP, ini: ['memory_limit' => '4M']);
$server->expectLog('/session 1: package_length_func was not called: memory_limit leaves no room for what it is to be shown; closing/');
$client = $server->connect();
try {
    // Each time it is shown all that has come: the less, the better.
    $client->write(str_repeat('x', 8 << 20));
} catch (RuntimeException) {
    // The server need not have read it all.
}
$client->readToEnd();
$server->waitForNote('1 1204');
$client = $server->connect();
echo $client->exchange('mm'), "\n";
$client->close();
$server->stop();
?>
--EXPECT--
mm
