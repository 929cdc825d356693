--TEST--
A client that has said it will write no more still gets every answer, and onClose comes after the last message
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'open_length_check' => true, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        // The end of the stream is there long before the last answer.
        usleep(500);
        $server->send($fd, $data);
        note('message');
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("closed $reactor"));
    $server->start();
    PHP);
$messages = '';
for ($number = 0; $number < 200; $number++) {
    $messages .= pack('N', $number * 100) . str_repeat('x', $number * 100);
}
$client = $server->connect();
$client->write($messages);
$client->shutdownWrite();
var_dump($client->readToEnd($how) === $messages, $how);
$server->waitForNote('closed 0');
echo count(array_keys($server->notes(), 'message')), ' messages, then ', $server->notes()[200], "\n";

// The same with answers that the socket does not take at once.
$large = pack('N', 1_900_000) . str_repeat('y', 1_900_000);
$client = $server->connect();
$client->write($large . $large . $large);
$client->shutdownWrite();
$server->waitForNote('message', 203);
var_dump($client->readToEnd($how) === $large . $large . $large, $how);

// And with half a message at the end, which nobody gets.
$client = $server->connect();
$client->write(pack('N', 2) . 'ab' . pack('N', 3) . 'c');
$client->shutdownWrite();
var_dump($client->readToEnd($how) === pack('N', 2) . 'ab', $how);
$server->waitForNote('closed 0', 3);
$server->stop();
?>
--EXPECT--
bool(true)
string(6) "closed"
200 messages, then closed 0
bool(true)
string(6) "closed"
bool(true)
string(6) "closed"
