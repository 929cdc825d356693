--TEST--
With send_timeout send() waits for a client whose output queue is full: until it reads, until it goes, or until the time is over
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

function server(float $timeout): TestServer
{
    return TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set([
            // What has room in shared memory may be sent before a reactor has seen that it is too much.
            'worker_num' => 1, 'socket_buffer_size' => '1M', 'ipc_memory' => '16M', 'max_connection' => 100,
            'send_timeout' => (float) getenv('TIMEOUT'), 'log_file' => getenv('ROTOR_LOG'),
        ]);
        $server->on('receive', function ($server, $fd, $reactor, $data) {
            for ($n = 0; $n < (int) $data; $n++) {
                $began = hrtime(true);
                if (!$server->send($fd, str_repeat('x', 100_000))) {
                    $seconds = (hrtime(true) - $began) / 1e9;
                    note(json_encode(['error' => $server->getLastError(), 'seconds' => $seconds, 'sent' => $n]));
                    return;
                }
            }
            note('all');
        });
        $server->on('shutdown', fn ($server) => note(json_encode([$server->stats()['send_overflow_count'], $server->stats()['send_wait_count'] > 0])));
        $server->start();
        PHP, env: ['TIMEOUT' => (string) $timeout]);
}

// Nobody reads: the time is over.
$server = server(0.4);
$client = $server->connect();
$client->write('600');
$told = json_decode($server->waitFor(fn () => $server->notes()[0] ?? null, 'the end of the wait'), true);
var_dump($told['error'], $told['seconds'] >= 0.4, $told['sent'] >= 10);
$client->close();
$server->stop();
echo $server->notes()[1], "\n";

// It reads: all of it is sent, though that is thirty times what may wait.
$server = server(60.0);
$client = $server->connect();
$client->write('300');
for ($n = 0; $n < 300; $n++) {
    $client->read(100_000);
}
$server->waitForNote('all');
// It goes while the worker waits, which is when nothing more is queued.
$client->write('600');
$client->read(100_000);
$other = $server->connect();
$other->write('1');
var_dump($other->isSilent(0.3));
$client->reset();
$told = json_decode($server->waitFor(fn () => $server->notes()[1] ?? null, 'the end of the wait'), true);
var_dump(in_array($told['error'], [1003, 1004], true), $told['sent'] < 600);
var_dump(strlen($other->read(100_000)));
$other->close();
$server->stop();
echo $server->notes()[3], "\n";
?>
--EXPECT--
int(1009)
bool(true)
bool(true)
[1,true]
bool(true)
bool(true)
bool(true)
int(100000)
[0,true]
