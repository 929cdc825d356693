--TEST--
A worker killed in onPacket loses that datagram alone; onWorkerError has 0 for the session; an exception ends nothing
--EXTENSIONS--
rotor
posix
pcntl
sockets
--FILE--
<?php
require __DIR__ . '/../inc/datagrams.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'), Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_UDP);
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('start', fn () => ready());
    $server->on('packet', function ($server, $data, $client) {
        if ($data === 'kill') {
            posix_kill(getmypid(), SIGKILL);
            sleep(60);
        }
        if ($data === 'throw') {
            throw new Exception('thrown');
        }
        if ($data === 'stats') {
            $data = json_encode(array_intersect_key($server->stats(), array_flip(['lost_messages', 'exceptions', 'crash_count', 'request_count'])));
        }
        $server->sendto($client['address'], $client['port'], $data === 'who' ? "$server->worker_id $server->worker_pid" : $data);
    });
    $server->on('workerError', function ($server, $worker, $pid, $code, $signal, $fd) {
        note("error code=$code signal=$signal fd=$fd");
    });
    $server->start();
    PHP);
$server->expectLog('/error worker=\d+ pid=\d+: killed by SIGKILL; its datagram is lost/');
$server->expectLog('/PHP Fatal error:  Uncaught Exception: thrown|Fatal error: Uncaught Exception: thrown/');
$client = new DatagramClient('127.0.0.1', $server->port);
[$worker, $pid] = explode(' ', $client->exchange('who'));
$client->send('kill');
// What stood behind it is for the next process.
for ($i = 0; $i < 20; $i++) {
    $client->send("$i");
}
for ($i = 0; $i < 20; $i++) {
    if ($client->receive() !== "$i") {
        echo "$i is lost, or out of order\n";
    }
}
$server->waitForNote('error code=0 signal=9 fd=0');
[$same, $other] = explode(' ', $client->exchange('who'));
var_dump($same === $worker, $other !== $pid);
$client->send('throw');
echo $client->exchange('next'), "\n";
echo $client->exchange('stats'), "\n";
$server->stop();
?>
--EXPECT--
bool(true)
bool(true)
next
{"request_count":24,"exceptions":1,"crash_count":1,"lost_messages":1}
