--TEST--
A client that reads later gets every byte of many megabytes
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'reactor_num' => 1, 'socket_buffer_size' => '1G', 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === 'ping') {
            $server->send($fd, 'pong');
            return;
        }
        mt_srand(7);
        $hash = hash_init('sha256');
        for ($sent = 0; $sent < 48 << 20; $sent += strlen($bytes)) {
            $bytes = str_repeat(chr(mt_rand(0, 255)), [1, 100, 5000, 70_000, 1_000_000][mt_rand(0, 4)]);
            hash_update($hash, $bytes);
            $server->send($fd, $bytes) || note("failed after $sent: {$server->getLastError()}");
        }
        note("sent $sent " . hash_final($hash));
    });
    $server->start();
    PHP);
$slow = $server->connect();
$slow->write('many');
[, $length, $hash] = explode(' ', $server->waitFor(fn () => $server->notes(), 'the sends')[0]);
// Meanwhile others are served: by the other worker, by the same one, and by the same reactor.
for ($n = 0; $n < 4; $n++) {
    echo $server->request('ping'), "\n";
}
var_dump(hash('sha256', $slow->read((int) $length)) === $hash);
echo $slow->exchange('ping'), "\n";
$slow->close();
$server->stop();
?>
--EXPECT--
pong
pong
pong
pong
bool(true)
pong
