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
        [$all, $shared, $count] = [0, 0, 0];
        do {
            // Large enough for a block, and the same for both.
            do {
                $reached = $server->broadcast(str_repeat('x', 20_000));
                $all += 20_000;
                $shared += $reached === 2 ? 20_000 : 0;
                // The fast one has to keep up.
                while ($server->getClientInfo($fd)['send_queued_bytes'] > 0) {
                    usleep(100);
                }
            } while ($reached === 2);
            $count = $server->stats()['response_count'];
            $reached = $server->broadcast('x');
            $all++;
            $shared += $reached === 2 ? 1 : 0;
            // The kernel may have taken some more for the slow one meanwhile: then it is not at its limit any longer.
        } while ($reached === 2);
        note(json_encode([$all, $shared, $server->broadcast(''), $reached, $server->stats()['response_count'] - $count]));
    });
    $server->start();
    PHP);
$slow = $server->connect();
$slow->exchange('slow', 2);
$fast = $server->connect();
for ($round = 0; $round < 3; $round++) {
    $fast->write('go');
    $bytes = '';
    while (!isset($server->notes()[$round])) {
        // The fast one reads until the server is done: all that there is.
        if (!$fast->isSilent(0.05)) {
            $bytes .= fread($fast->stream, 1 << 18);
        }
    }
    [$all, $shared, $nothing, $one, $counted] = json_decode($server->notes()[$round]);
    $bytes .= $fast->read($all - strlen($bytes));
    var_dump($shared > 240_000, $nothing, $one, $counted, trim($bytes, 'x'), $fast->isSilent(0.05));
    var_dump($slow->read($shared) === str_repeat('x', $shared), $slow->isSilent(0.05));
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
string(0) ""
bool(true)
bool(true)
bool(true)
bool(true)
int(0)
int(1)
int(1)
string(0) ""
bool(true)
bool(true)
bool(true)
bool(true)
int(0)
int(1)
int(1)
string(0) ""
bool(true)
bool(true)
bool(true)
