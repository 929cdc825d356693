--TEST--
A connection may be closed in its onConnect, onClose, BufferFull and BufferEmpty, while its worker dies in onClose, and while send() is refused
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $ports = [];
    $said = fn (bool $done) => json_encode([$done, $done ? 0 : $server->getLastError()]);
    $settings = ['worker_num' => 1, 'socket_buffer_size' => '4M', 'buffer_high_watermark' => '1M'];
    $server->set($settings + ['log_file' => getenv('ROTOR_LOG')]);
    $fill = function ($server, $fd) {
        for ($n = 0; $server->send($fd, str_repeat('x', 100_000)); $n++);
        note("$fd filled " . $server->getLastError());
    };
    foreach ([
        'connect' => ['connect' => fn ($server, $fd) => note("$fd connect " . $said($server->send($fd, 'bye') && $server->close($fd)))],
        'close' => ['close' => fn ($server, $fd) => note("$fd again " . $said($server->close($fd)) . $said($server->close($fd, true)))],
        'full' => ['receive' => $fill, 'bufferFull' => fn ($server, $fd) => note("$fd full " . $said($server->close($fd)) . $said($server->send($fd, 'x')))],
        'full reset' => ['receive' => $fill, 'bufferFull' => fn ($server, $fd) => note("$fd full " . $said($server->close($fd, true)))],
        'empty' => ['receive' => $fill, 'bufferEmpty' => fn ($server, $fd) => note("$fd empty " . $said($server->close($fd)))],
        'overflow' => ['receive' => function ($server, $fd) use ($fill, $said) {
            $fill($server, $fd);
            note("$fd overflows " . $said($server->close($fd)));
        }],
        'dies' => ['close' => fn ($server, $fd) => note("$fd dies") || posix_kill(getmypid(), SIGKILL)],
    ] as $name => $callbacks) {
        $port = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
        $port->set(['socket_buffer_size' => '4M', 'buffer_high_watermark' => '1M']);
        foreach ($callbacks as $event => $callback) {
            $port->on($event, $callback);
        }
        $ports[$name] = $port->port;
    }
    file_put_contents(getenv('ROTOR_TMP') . '/ports', json_encode($ports));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, json_encode($server->stats()) . "\n"));
    $server->on('close', fn ($server, $fd, $reactor) => note("$fd close $reactor"));
    $server->start();
    PHP);
$ports = json_decode(file_get_contents("$server->tmp/ports"), true);
unlink("$server->tmp/ports");
$fd = 0;
foreach ($ports as $name => $port) {
    $client = new TestClient("tcp://127.0.0.1:$port");
    $fd++;
    if ($name === 'close' || $name === 'dies') {
        $client->shutdownWrite();
    } elseif ($name !== 'connect') {
        $client->write('go');
        $server->waitForNote("$fd filled 1009");
    }
    if ($name === 'dies') {
        $server->expectLog('/killed by SIGKILL/');
        $server->waitForNote("$fd dies");
    }
    $bytes = strlen($client->readToEnd($how));
    echo "$name: ", $how === 'reset' ? 'some' : ($bytes > 4 << 20 ? 'all' : $bytes), ' ', $how, "\n";
    $client->close();
    if ($name !== 'dies' && $name !== 'close') {
        $server->waitFor(fn () => preg_grep("/^$fd close/", $server->notes()), "onClose of $name");
    }
}
$server->waitFor(function () use ($server): bool {
    $client = $server->connect();
    $client->write('stats');
    $stats = json_decode($client->readLine(), true);
    $client->close();
    return $stats['connection_num'] === 1;
}, 'all to be gone');
$server->stop();
for ($n = 1; $n <= $fd; $n++) {
    echo implode(', ', preg_grep("/^$n (?!filled)/", $server->notes())), "\n";
}
?>
--EXPECT--
connect: 3 closed
close: 0 closed
full: all closed
full reset: some reset
empty: all closed
overflow: all closed
dies: 0 closed
1 connect [true,0], 1 close -1
2 again [true,0][false,1003]
3 full [true,0][false,1003], 3 close -1
4 full [true,0], 4 close -1
5 empty [true,0], 5 close -1
6 overflows [true,0], 6 close -1
7 dies
