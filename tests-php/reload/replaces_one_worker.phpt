--TEST--
stop() with or without a number, and SIGTERM to a worker, replace that worker alone; its connection goes on and nothing is lost
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('workerStart', fn ($server, $id) => note("start $id"));
    $server->on('workerStop', function ($server, $id) {
        // It stops already: this does not mean its successor.
        $server->stop();
        note("stop $id");
    });
    $server->on('beforeReload', fn ($server) => note('reload'));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        $result = match (trim($data)) {
            'stop' => $server->stop(),
            'stop the other' => $server->stop(1 - $server->worker_id),
            'stop none' => @$server->stop(2),
            'SIGTERM' => posix_kill(getmypid(), SIGTERM),
            default => null,
        };
        $server->send($fd, json_encode([$server->worker_id, getmypid(), $result]) . "\n");
    });
    $server->start();
    PHP);
$server->waitForNote('start 0');
$server->waitForNote('start 1');
$clients = [];
foreach ([0, 1] as $i) {
    $client = $server->connect();
    $client->write('?');
    $clients[json_decode($client->readLine())[0]] = $client;
}
$ask = function (int $id, string $what = '?') use ($clients) {
    $clients[$id]->write($what);
    return json_decode($clients[$id]->readLine());
};
$starts = [1, 1];
foreach (['stop' => 0, 'stop the other' => 1, 'SIGTERM' => 0, 'stop none' => null] as $how => $who) {
    $before = [$ask(0)[1], $ask(1)[1]];
    echo $how, ' ', json_encode($ask(0, $how)[2]);
    if ($who !== null) {
        $server->waitForNote("start $who", ++$starts[$who]);
        $server->waitForNote("stop $who", $starts[$who] - 1);
    }
    $after = [$ask(0)[1], $ask(1)[1]];
    foreach ([0, 1] as $id) {
        echo ", $id ", $after[$id] === $before[$id] ? 'kept' : 'replaced';
    }
    echo "\n";
}
echo in_array('reload', $server->notes(), true) ? "a reload\n" : "no reload\n";
$server->stop();
?>
--EXPECT--
stop true, 0 replaced, 1 kept
stop the other true, 0 kept, 1 replaced
SIGTERM true, 0 replaced, 1 kept
stop none false, 0 kept, 1 kept
no reload
