--TEST--
One send may have output_buffer_size bytes, and not one more
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'output_buffer_size' => '3M', 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd) {
        note(json_encode([
            $server->send($fd, str_repeat('x', 3 << 20)),
            @$server->send($fd, str_repeat('y', (3 << 20) + 1)),
            $server->getLastError(),
            $server->send($fd, 'z'),
        ]));
    });
    $server->start();
    PHP);
$client = $server->connect();
var_dump($client->exchange('go', (3 << 20) + 1) === str_repeat('x', 3 << 20) . 'z');
// The last byte is there before the callback has gone on.
echo $server->waitFor(fn () => $server->notes()[0] ?? null, 'the note'), "\n";
$client->close();
$server->stop();
?>
--EXPECT--
bool(true)
[true,false,1203,true]
