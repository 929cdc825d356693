--TEST--
A client that sends nothing for heartbeat_idle_time is closed, with -1; whoever sends or is protected stays, whatever is sent to it
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

const LIMIT = 1.0;
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'reactor_num' => 2, 'heartbeat_idle_time' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        match ($data) {
            'protect' => $server->send($fd, json_encode([$server->protect($fd), $server->protect($fd)])),
            'give up' => $server->send($fd, json_encode($server->protect($fd, false))),
            default => $server->send($fd, $data),
        };
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("$fd closed $reactor"));
    $server->on('shutdown', fn ($server) => note(json_encode(['heartbeat_close_count' => $server->stats()['heartbeat_close_count']])));
    $server->start();
    PHP);
$guarded = $server->connect();
echo $guarded->exchange('protect', 11), "\n";
// The test may be held up itself: what counts is a round in which the busy client has never been silent for long.
for ($round = 1; $round <= 20; $round++) {
    $busy = $server->connect();
    $busy->exchange('begin');
    $silent = $server->connect();
    $silent->exchange('begin');
    $began = $last = microtime(true);
    $longest = 0.0;
    do {
        $isClosed = !$silent->isSilent(0.05);
        try {
            $busy->exchange('still here');
            $lives = true;
        } catch (RuntimeException) {
            $lives = false;
        }
        $longest = max($longest, microtime(true) - $last);
        $last = microtime(true);
    } while (!$isClosed && $lives && $last < $began + TestServer::PATIENCE);
    if ($longest < LIMIT) {
        break;
    }
}
var_dump($lives, $isClosed, $silent->readToEnd() === '', $last - $began >= LIMIT);
echo $guarded->exchange('hello'), "\n";
// From now on it is a client like any other.
echo $guarded->exchange('give up', 4), "\n";
var_dump($guarded->readToEnd($how), $how);
$busy->close();
$server->waitForNote('1 closed -1');
$server->stop();
$byClient = 0;
foreach (preg_grep('/closed [^-]/', $server->notes()) as $note) {
    // Only a round that did not count may have been closed by the client.
    if (++$byClient > $round) {
        echo $note, "\n";
    }
}
$closed = json_decode(current(preg_grep('/heartbeat/', $server->notes())), true)['heartbeat_close_count'];
var_dump($closed >= 2);
?>
--EXPECTF--
[true,true]
bool(true)
bool(true)
bool(true)
bool(true)
hello
true
string(0) ""
string(6) "closed"
bool(true)
