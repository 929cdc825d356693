--TEST--
dispatch_func chooses the worker of each message by what is in it, in the master, and sees no more than the first 8 KiB
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 3, 'log_file' => getenv('ROTOR_LOG'), 'package_max_length' => '16M',
        'open_length_check' => true, 'package_length_type' => 'N', 'package_body_offset' => 4,
        'dispatch_func' => function (Rotor\Server $server, int $fd, int $type, string $data = ''): int {
            note(json_encode([$server->worker_id, getmypid() === $server->getMasterPid(), $fd, $type, strlen($data)]));
            return $type === 0 ? (int) $data[4] : Rotor\Server::DISPATCH_RESULT_USERFUNC_FALLBACK;
        },
    ]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, "$server->worker_id:" . strlen($data) . ' '));
    $server->start();
    PHP);
$client = $server->connect();
foreach (['0', '1', '2', '2...', '1', '0' . str_repeat('x', 10_000), '2' . str_repeat('x', 100_000), '1' . str_repeat('x', 3_000_000), '2' . str_repeat('x', 9_000_000)] as $message) {
    $client->write(pack('N', strlen($message)) . $message);
    echo $client->readLine(' '), "\n";
}
// All at once: each worker answers in order, and the others do not wait for it.
$client->write(implode(array_map(fn ($i) => pack('N', 2 + $i) . $i % 3 . str_repeat('.', $i + 1), range(0, 29))));
$answers = [];
for ($i = 0; $i < 30; $i++) {
    [$worker, $length] = explode(':', $client->readLine(' '));
    $answers[$worker][] = $length;
}
foreach ($answers as $worker => $lengths) {
    $sorted = $lengths;
    sort($sorted);
    var_dump($lengths === $sorted && count($lengths) === 10 && ($lengths[0] - 6) % 3 === $worker);
}
$client->close();
$server->waitForNote('[-1,true,1,4,0]');
$notes = $server->notes();
echo $notes[0], ' ', implode(' ', array_slice($notes, 1, 8)), "\n";
var_dump(json_decode($notes[9])[4] > 0, count($notes));
$server->stop();
?>
--EXPECT--
0:5
1:5
2:5
2:8
1:5
0:10005
2:100005
1:3000005
2:9000005
bool(true)
bool(true)
bool(true)
[-1,true,1,5,0] [-1,true,1,0,5] [-1,true,1,0,5] [-1,true,1,0,5] [-1,true,1,0,8] [-1,true,1,0,5] [-1,true,1,0,8192] [-1,true,1,0,8192] [-1,true,1,0,8192]
bool(true)
int(41)
