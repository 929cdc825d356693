--TEST--
A connection that is closed with output waiting is reset when its peer takes none of it for message_timeout; a slow one gets all
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'message_timeout' => 1, 'socket_buffer_size' => '64M', 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        $server->send($fd, str_repeat('x', 32 << 20));
        $data === 'close' && $server->close($fd);
        note("$fd sent");
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("$fd closed $reactor"));
    $server->on('shutdown', fn ($server) => note('stalled ' . $server->stats()['stalled_close_count']));
    $server->start();
    PHP);
// By the server; by the peer, that has only shut its sending half.
foreach (['close', 'half-close'] as $n => $way) {
    $client = $server->connect();
    $client->write($way);
    if ($way === 'half-close') {
        $client->shutdownWrite();
    }
    $fd = $n + 1;
    $server->waitForNote("$fd sent");
    $server->waitFor(fn () => preg_grep("/^$fd closed/", $server->notes()), 'onClose');
    // Not a byte is read before it is over.
    $server->waitFor(fn () => preg_match_all('/./', $server->log()) >= 0 && !isConnected($server->port), 'the reset');
    $bytes = $client->readToEnd($how);
    var_dump(strlen($bytes) < 32 << 20, $how);
    $client->close();
}
$slow = $server->connect();
$slow->write('close');
$server->waitForNote('3 sent');
$got = 0;
while ($got < 32 << 20) {
    usleep(20_000);
    $got += strlen($slow->read(1 << 20));
}
var_dump($slow->readToEnd($how), $how);
$server->stop();
$notes = $server->notes();
sort($notes);
echo implode(', ', $notes), "\n";

/** Whether a server's socket of that port has a connection, as the kernel lists it. */
function isConnected(int $port): bool
{
    // sl, local address:port, remote address:port, state; 01 to 0B but LISTEN, with the port on the server's side.
    return preg_match(sprintf('/^ *\d+: [0-9A-F]+:%04X [0-9A-F]+:(?!0000)[0-9A-F]{4} (01|04|05|08|09)/m', $port), file_get_contents('/proc/net/tcp')) === 1;
}
?>
--EXPECT--
bool(true)
string(5) "reset"
bool(true)
string(5) "reset"
string(0) ""
string(6) "closed"
1 closed -1, 1 sent, 2 closed 0, 2 sent, 3 closed -1, 3 sent, stalled 2
