--TEST--
dispatch_func chooses the worker of each datagram: it is told type 1, a number of the sender's address and the first 8 KiB, and may discard it or leave it to the mode
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
    $server->set([
        'worker_num' => 3, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG'),
        'dispatch_func' => function (Rotor\Server $server, int $from, int $type, string $data) {
            $known = array_search($from, [
                'v4' => ip2long('127.0.0.1'), 'v6' => crc32(inet_pton('::1')), 'path' => crc32(getenv('ROTOR_TMP') . '/client.sock'), 'nobody' => 0,
            ], true);
            note(json_encode([$known, $type, strlen($data), getmypid() === $server->getMasterPid()]));
            return match (substr($data, 0, 4)) {
                'drop' => Rotor\Server::DISPATCH_RESULT_DISCARD_PACKET,
                'clos' => Rotor\Server::DISPATCH_RESULT_CLOSE_CONNECTION,
                'mode' => Rotor\Server::DISPATCH_RESULT_USERFUNC_FALLBACK,
                'four' => 4,
                'text' => '1',
                'oops' => throw new Exception('oops'),
                default => (int) $data,
            };
        },
    ]);
    $server->listen('::1', (int) getenv('ROTOR_PORT'), Rotor\Server::SOCK_UDP6);
    $server->listen(getenv('ROTOR_TMP') . '/server.sock', 0, Rotor\Server::SOCK_UNIX_DGRAM);
    $own = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_UDP);
    $own->set(['dispatch_func' => false]);
    note((string) $own->port);
    $server->on('start', fn () => ready());
    $server->on('packet', function ($server, $data, $client) {
        note("$server->worker_id has " . substr($data, 0, 6));
        $client['address'] === '' || $server->sendto($client['address'], $client['port'], "$server->worker_id:" . strlen($data), $client['server_socket']);
    });
    $server->on('shutdown', fn ($server) => note('dropped ' . $server->stats()['dropped_records']));
    $server->start();
    PHP);
$server->expectLog('/a datagram from 127\.0\.0\.1:\d+: dispatch_func returned 4, and workers are 0 to 2; what it was asked about is dropped/');
$server->expectLog('/a datagram from 127\.0\.0\.1:\d+: dispatch_func returned a string instead of an int; dispatch_mode decides/');
$server->expectLog('/a datagram from 127\.0\.0\.1:\d+: dispatch_func threw; dispatch_mode decides/');
$server->expectLog('/Uncaught Exception: oops/');
$v4 = new DatagramClient('127.0.0.1', $server->port);
$path = new DatagramClient("$server->tmp/server.sock", name: "$server->tmp/client.sock");
foreach ([$v4, new DatagramClient('::1', $server->port), $path] as $client) {
    foreach (['0', '1', '2', '2' . str_repeat(' ', 9_000), '1' . str_repeat(' ', 60_000), '0'] as $data) {
        echo $client->exchange($data), ' ';
    }
    echo "\n";
}
(new DatagramClient("$server->tmp/server.sock"))->send('2 from nobody');
$server->waitForNote('2 has 2 from');
// What is dropped comes before what is answered; the mode keeps a sender's worker.
$mode = $v4->exchange('mode');
foreach (['drop', 'clos', 'four', 'text', 'oops', 'mode'] as $data) {
    $v4->send($data);
    var_dump($data, $v4->exchange('mode') === $mode || 'another worker');
    if (in_array($data, ['text', 'oops', 'mode'])) {
        var_dump($v4->receive() === $mode);
    }
}
// A port that is exempt is not asked about.
$count = count(preg_grep('/^\[/', $server->notes()));
echo json_encode((new DatagramClient('127.0.0.1', (int) $server->notes()[0]))->exchange('drop') !== ''), "\n";
$notes = preg_grep('/^\[/', $server->notes());
var_dump(count($notes) === $count);
echo implode(' ', array_unique($notes)), "\n";
unset($client, $path);
$server->stop();
echo implode(' ', preg_grep('/^dropped/', $server->notes())), "\n";
?>
--EXPECT--
0:1 1:1 2:1 2:9001 1:60001 0:1 
0:1 1:1 2:1 2:9001 1:60001 0:1 
0:1 1:1 2:1 2:9001 1:60001 0:1 
string(4) "drop"
bool(true)
string(4) "clos"
bool(true)
string(4) "four"
bool(true)
string(4) "text"
bool(true)
bool(true)
string(4) "oops"
bool(true)
bool(true)
string(4) "mode"
bool(true)
bool(true)
true
bool(true)
["v4",1,1,true] ["v4",1,8192,true] ["v6",1,1,true] ["v6",1,8192,true] ["path",1,1,true] ["path",1,8192,true] ["nobody",1,13,true] ["v4",1,4,true]
dropped 3
