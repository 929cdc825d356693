--TEST--
close() sends what was queued before it, however much, and then ends the connection
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'socket_buffer_size' => '1G', 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        for ($n = 0; $n < (int) $data; $n++) {
            $server->send($fd, str_repeat(chr($n & 255), 100_000)) || note('send failed');
        }
        note($server->close($fd) ? 'asked' : 'failed');
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("closed $reactor"));
    $server->start();
    PHP);
foreach ([0, 1, 200] as $round => $count) {
    $client = $server->connect();
    $client->write((string) $count);
    // onClose does not wait for a client that reads later.
    $server->waitForNote('closed -1', $round + 1);
    $bytes = $client->readToEnd($how);
    $expected = '';
    for ($n = 0; $n < $count; $n++) {
        $expected .= str_repeat(chr($n & 255), 100_000);
    }
    var_dump($bytes === $expected, $how);
    $client->close();
}
echo implode(', ', $server->notes()), "\n";
$server->stop();
?>
--EXPECT--
bool(true)
string(6) "closed"
bool(true)
string(6) "closed"
bool(true)
string(6) "closed"
asked, closed -1, asked, closed -1, asked, closed -1
