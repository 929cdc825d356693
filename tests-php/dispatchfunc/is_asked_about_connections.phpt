--TEST--
dispatch_func is asked about the beginning and the end of a connection: it may refuse the one and keep the other to itself
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 2, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG'),
        'dispatch_func' => function ($server, $fd, $type) {
            note("$fd asked $type of " . func_num_args());
            return match ([$fd, $type]) {
                [1, 5], [1, 4] => 0,
                [2, 5] => Rotor\Server::DISPATCH_RESULT_CLOSE_CONNECTION,
                [3, 5], [3, 4] => Rotor\Server::DISPATCH_RESULT_DISCARD_PACKET,
                [4, 5], [4, 4] => Rotor\Server::DISPATCH_RESULT_USERFUNC_FALLBACK,
                default => 1,
            };
        },
    ]);
    $server->on('connect', fn ($server, $fd, $reactor) => note("$fd connected in $server->worker_id on $reactor"));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        note("$fd got $data in $server->worker_id");
        $server->send($fd, $data);
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("$fd closed in $server->worker_id by " . ($reactor < 0 ? 'the server' : 'its client')));
    $server->on('shutdown', fn ($server) => note(json_encode(array_intersect_key($server->stats(), ['accept_count' => 0, 'close_count' => 0, 'connection_num' => 0]))));
    $server->start();
    PHP);
foreach ([1, 2, 3, 4] as $fd) {
    $client = $server->connect();
    if ($fd === 2) {
        echo json_encode($client->readToEnd()), "\n";
    } else {
        echo $client->exchange('hello'), "\n";
    }
    $client->close();
    $fd === 2 || $server->waitForNote("$fd asked 4 of 3");
    $fd === 2 || $fd === 3 || $server->waitForNote("$fd closed in 0 by its client");
}
$server->stop();
// Master and workers note side by side.
$notes = $server->notes();
$stats = array_pop($notes);
foreach ([1, 2, 3, 4] as $fd) {
    $asked = preg_filter("/^$fd asked (\d) of 3$/", '$1', $notes);
    $told = preg_grep("/^$fd (?!asked)/", $notes);
    sort($told);
    echo implode("\n", ["$fd asked " . implode(', ', $asked), ...$told]), "\n";
}
echo "$stats\n";
?>
--EXPECT--
hello
""
hello
hello
1 asked 5, 0, 4
1 closed in 0 by its client
1 connected in 0 on 2
1 got hello in 1
2 asked 5
3 asked 5, 0, 4
3 got hello in 1
4 asked 5, 0, 4
4 closed in 0 by its client
4 connected in 0 on 2
4 got hello in 1
{"connection_num":0,"accept_count":4,"close_count":4}
