--TEST--
When onClose runs for a connection that another worker has closed, exists() and send() say so, also while its output is still on the way
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

const ROUNDS = 100;
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 2, 'reactor_num' => 1, 'open_eof_split' => true, 'package_eof' => "\n", 'log_file' => getenv('ROTOR_LOG'),
        'kernel_socket_send_buffer_size' => '4K', 'socket_buffer_size' => '64M',
    ]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === "id\n") {
            $server->send($fd, "$fd\n");
            return;
        }
        // More than the kernels take, so that the close waits behind it.
        $server->send((int) $data, str_repeat('x', 8 << 20));
        $server->close((int) $data);
    });
    $server->on('close', fn ($server, $fd) => note("$fd " . json_encode([
        $server->exists($fd), $server->send($fd, 'late'), $server->getLastError(), $server->close($fd), $server->getLastError(),
    ])));
    $server->start();
    PHP);
$asks = $server->connect();
$id = function (TestClient $client): int {
    $client->write("id\n");
    return (int) $client->readLine();
};
$asker = $id($asks);
$told = [];
for ($round = 0; $round < ROUNDS; $round++) {
    do {
        $client = $server->connect();
        $fd = $id($client);
    } while ($fd % 2 === $asker % 2);
    $asks->write("$fd\n");
    $note = current($server->waitFor(fn () => preg_grep("/^$fd /", $server->notes()), 'onClose'));
    $told[strstr($note, ' ')] = ($told[strstr($note, ' ')] ?? 0) + 1;
    $client->close();
}
$asks->close();
$server->stop();
foreach ($told as $what => $times) {
    echo "$times times:$what\n";
}
?>
--EXPECT--
100 times: [false,false,1003,false,1003]
