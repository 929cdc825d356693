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
        $lines = [];
        do {
            // Large enough for a block, and the same for both.
            do {
                $lines[] = [20_000, $reached = $server->broadcast(str_repeat('x', 20_000))];
                // The fast one has to keep up.
                while ($server->getClientInfo($fd)['send_queued_bytes'] > 0) {
                    usleep(100);
                }
            } while ($reached === 2);
            $count = $server->stats()['response_count'];
            $lines[] = [1, $reached = $server->broadcast('x')];
            // The kernel may have taken some more for the slow one meanwhile: then it is not at its limit any longer.
        } while ($reached === 2);
        note(json_encode([$lines, $server->broadcast(''), $reached, $server->stats()['response_count'] - $count]));
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
        // The fast one reads until the server is done.
        if (!$fast->isSilent(0.05)) {
            $fast->read(1);
            $read++;
        }
    }
    [$lines, $nothing, $one, $counted] = json_decode($server->notes()[$round]);
    $shared = array_filter($lines, fn (array $line): bool => $line[1] === 2);
    $bytes = $fast->read(array_sum(array_column($lines, 0)) - $read);
    var_dump(count($shared) > 12, $nothing, $one, $counted, trim($bytes, 'x'), $fast->isSilent(0.05));
    $length = array_sum(array_column($shared, 0));
    var_dump($slow->read($length) === str_repeat('x', $length), $slow->isSilent(0.05));
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
