--TEST--
Who has sent a message that no block has room for has finished it: message_timeout does not close the connection later
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 1, 'reactor_num' => 1, 'open_length_check' => true, 'package_max_length' => '8M',
        'message_timeout' => 2, 'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP'),
    ]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, strlen($data) . ' ' . $server->stats()['spilled_messages'] . "\n"));
    $server->start();
    PHP);
$client = $server->connect();
$client->write(pack('N', 5 << 20) . str_repeat('x', 5 << 20));
echo $client->readLine(), "\n";
// Whoever begins a message after that has less time over than the first when it is closed.
$other = $server->connect();
$other->write("\0\0");
$other->readToEnd();
$other->close();
$client->write(pack('N', 3) . 'end');
echo $client->readLine(), "\n";
$client->close();
$server->stop();
?>
--EXPECT--
5242884 1
7 1
