--TEST--
heartbeat() lists the connections that have been silent for too long, and closes them if asked; protect() exempts
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

// Reactors do not close what they do not read, so the paused connections are left to heartbeat().
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'heartbeat_idle_time' => 3600, 'log_file' => getenv('ROTOR_LOG')]);
    $second = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    $second->set(['heartbeat_idle_time' => 1]);
    file_put_contents(getenv('ROTOR_TMP') . '/port', $second->port);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === 'protect') {
            $answer = $server->protect($fd);
        } elseif ($data === 'pause') {
            $answer = $server->pause($fd);
        } elseif ($data === 'errors') {
            $answer = [$server->protect(99), $server->getLastError(), @$server->protect(-1), $server->getLastError()];
        } else {
            $listed = $server->heartbeat(false);
            $closed = $data === 'close' ? $server->heartbeat() : null;
            $answer = [$listed, $closed, $server->exists(2), $server->exists(4)];
        }
        $server->send($fd, json_encode($answer) . "\n");
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("$fd closed $reactor"));
    $server->start();
    PHP);
$port = (int) file_get_contents("$server->tmp/port");
unlink("$server->tmp/port");
$asks = $server->connect();
$ask = function (string $what) use ($asks): string {
    $asks->write($what);
    return $asks->readLine();
};
echo $ask('errors'), "\n";
$clients = [];
foreach (['pause', 'pause', 'protect'] as $what) {
    $clients[] = $client = new TestClient("tcp://127.0.0.1:$port");
    $client->write($what);
    echo $client->readLine(), "\n";
}
$other = array_pop($clients);
$last = $server->waitFor(function () use ($ask): ?string {
    $answer = $ask('list');
    return $answer === '[[2,3],null,true,true]' ? $answer : null;
}, 'both to be late');
echo "$last\n";
echo $ask('close'), "\n";
foreach ($clients as $client) {
    var_dump($client->readToEnd($how), $how);
}
$server->waitForNote('2 closed -1');
$server->waitForNote('3 closed -1');
echo $ask('list'), "\n";
$server->stop();

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', fn ($server, $fd) => $server->send($fd, json_encode([$server->heartbeat(), $server->getLastError()]) . "\n"));
    $server->start();
    PHP);
$client = $server->connect();
$client->write('x');
echo $client->readLine(), "\n";
$server->stop();
?>
--EXPECT--
[false,1005,false,1006]
true
true
true
[[2,3],null,true,true]
[[2,3],[2,3],false,true]
string(0) ""
string(6) "closed"
string(0) ""
string(6) "closed"
[[],null,false,true]
[false,509]
