--TEST--
request_timeout and extendTimeout() are for onPacket, onBufferFull and onProtocolError as well as for onReceive
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    // Twice the limit, or for ever.
    function work(Rotor\Server $server, string $where, string $how): void
    {
        $extended = $how === 'extended' ? json_encode($server->extendTimeout(600)) : 'not';
        for ($end = microtime(true) + ($how === 'extended' ? 2 : 3600); microtime(true) < $end;) {
            usleep(10_000);
        }
        note("$where done, $extended");
    }
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 4, 'log_file' => getenv('ROTOR_LOG'), 'request_timeout' => 1, 'open_length_check' => true,
        'package_max_length' => 100, 'socket_buffer_size' => '8M', 'buffer_high_watermark' => '64K',
        'kernel_socket_send_buffer_size' => '64K',
    ]);
    $server->listen('127.0.0.1', (int) getenv('ROTOR_PORT'), Rotor\Server::SOCK_UDP);
    $server->on('receive', function ($server, $fd) {
        for ($i = 0; $i < 8; $i++) {
            $server->send($fd, str_repeat('x', 1 << 19));
        }
    });
    $how = fn (int $fd): string => $fd <= 2 ? 'extended' : 'for ever';
    $server->on('bufferFull', fn ($server, $fd) => work($server, 'bufferFull', $how($fd)));
    $server->on('protocolError', fn ($server, $fd) => work($server, 'protocolError', $how($fd)));
    $server->on('packet', fn ($server, $data) => work($server, 'packet', $data));
    $server->on('requestTimeout', fn ($server, $worker, $fd, $seconds) => note("timeout $fd"));
    $server->start();
    PHP);
$server->allowLog('/request_timeout is over|: #\d+ /');
$server->expectLog('/killed by SIGKILL; its datagram is lost/');
$server->expectLog('/killed by SIGKILL; session=3: its callback for a full or empty buffer was not finished/');
$server->expectLog('/killed by SIGKILL; session=4: its callback for a protocol error was not finished/');
foreach (['extended', 'for ever'] as $how) {
    $datagrams = stream_socket_client("udp://127.0.0.1:$server->port");
    fwrite($datagrams, $how);
    // One that is sent much, and one whose message is too long to be any.
    foreach (["\0\0\0\1x", "\0\0\1\0"] as $bytes) {
        $clients[] = $client = $server->connect();
        $client->write($bytes);
    }
}
$server->waitFor(fn () => count($server->notes()) === 6, 'the notes');
// A stop would wait for those who do not read.
array_walk($clients, fn ($client) => $client->close());
$server->stop();
$notes = $server->notes();
sort($notes);
preg_match_all('/request_timeout is over; (session=\d+) .*?(callback=\w+)/', $server->log(), $ended, PREG_SET_ORDER);
$ended = array_map(fn ($line) => "$line[1] $line[2]", $ended);
sort($ended);
echo implode("\n", [...$notes, ...$ended]), "\n";
?>
--EXPECT--
bufferFull done, true
packet done, true
protocolError done, true
timeout 0
timeout 3
timeout 4
session=0 callback=onPacket
session=3 callback=onBufferFull
session=4 callback=onProtocolError
