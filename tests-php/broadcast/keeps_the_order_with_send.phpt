--TEST--
What one worker sends and broadcasts to a connection arrives in that order, small and large, through records, blocks and the disk
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

const CLIENTS = 60;
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'reactor_num' => 2, 'socket_buffer_size' => '1G', 'max_wait_time' => 60, 'task_tmpdir' => getenv('ROTOR_TMP'),
        'log_file' => getenv('ROTOR_LOG')]);
    $body = fn ($number) => pack('NN', $number, $size = [10, 3000, 9000, 40_000, 300_000, 2_500_000][$number % 6]) . str_repeat(chr($number % 256), $size);
    $all = function ($server) use ($body) {
        for ($number = 0; $number < 60; $number++) {
            if ($number % 5 === 3) {
                foreach ($server->connections as $fd) {
                    $server->send($fd, $body($number));
                }
            } else {
                $server->broadcast($body($number));
            }
        }
    };
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $data === 'go' ? $all($server) : $server->send($fd, $data));
    // The main thread's way is another one.
    $server->on('BeforeShutdown', $all);
    $server->start();
    PHP);
$clients = [];
for ($n = 0; $n < CLIENTS; $n++) {
    $clients[] = $server->connect();
    end($clients)->exchange('hello');
}
$look = function () use ($clients): void {
    $wrong = 0;
    foreach ($clients as $client) {
        for ($number = 0; $number < 60; $number++) {
            ['number' => $found, 'size' => $size] = unpack('Nnumber/Nsize', $client->read(8));
            $body = $client->read($size);
            $wrong += (int) ($found !== $number || $body !== str_repeat(chr($number % 256), $size));
        }
    }
    var_dump($wrong);
};
$clients[0]->write('go');
$look();
$server->signal(SIGTERM);
$look();
array_map(fn ($client) => $client->close(), $clients);
$server->wait();
?>
--EXPECT--
int(0)
int(0)
