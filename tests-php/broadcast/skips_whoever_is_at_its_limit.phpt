--TEST--
A client that is at socket_buffer_size is skipped and not counted, what it was counted for reaches it, and then it is one again
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    // It waits for no client, whatever send_timeout says.
    $server->set(['worker_num' => 2, 'socket_buffer_size' => '256K', 'send_timeout' => 60, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        static $slow = null;
        if ($data === 'slow') {
            $slow = $fd;
            $server->send($fd, 'ok');
            return;
        }
        $sent = 0;
        // Large enough for a block, and the same for both.
        while ($server->broadcast(str_repeat('x', 20_000)) === 2) {
            $sent++;
            // The fast one has to keep up.
            while ($server->getClientInfo($fd)['send_queued_bytes'] > 0) {
                usleep(100);
            }
        }
        $count = $server->stats()['response_count'];
        note(json_encode([$sent, $server->broadcast(''), $server->broadcast('y'), $server->stats()['response_count'] - $count]));
    });
    $server->start();
    PHP);
$slow = $server->connect();
$slow->exchange('slow', 2);
$fast = $server->connect();
for ($round = 0; $round < 3; $round++) {
    $fast->write('go');
    $read = 0;
    while (!isset($server->notes()[$round])) {
        // Until both are done: one more is for the fast one alone.
        if (!$fast->isSilent(0.05)) {
            $fast->read(1);
            $read++;
        }
    }
    [$sent, $nothing, $one, $counted] = json_decode($server->notes()[$round]);
    // One that was skipped is among those of the fast one.
    $bytes = $fast->read(20_000 * ($sent + 1) + 1 - $read);
    var_dump($sent > 12, $nothing, $one, $counted, substr($bytes, -1), $fast->isSilent(0.05));
    var_dump($slow->read(20_000 * $sent) === str_repeat('x', 20_000 * $sent), $slow->isSilent(0.05));
}
$server->expectLog('/the data is empty; there is nothing to send/');
$slow->close();
$fast->close();
$server->stop();
?>
--EXPECT--
bool(true)
int(0)
int(1)
int(1)
string(1) "y"
bool(true)
bool(true)
bool(true)
bool(true)
int(0)
int(1)
int(1)
string(1) "y"
bool(true)
bool(true)
bool(true)
bool(true)
int(0)
int(1)
int(1)
string(1) "y"
bool(true)
bool(true)
bool(true)
