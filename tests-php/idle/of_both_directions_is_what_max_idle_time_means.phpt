--TEST--
max_idle_time, with a fraction, closes a connection on which nothing comes and nothing is sent; one direction is enough to stay
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

const LIMIT = 1.5;
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'max_idle_time' => 1.5, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        [$what, $to] = explode(' ', $data);
        match ($what) {
            'who' => $server->send($fd, sprintf('%06d', $fd)),
            // Nothing for whoever sends, something for another.
            'tell' => $server->send((int) $to, '.'),
            'protect' => $server->protect($fd) && $server->send($fd, 'protected'),
        };
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("$fd closed $reactor"));
    $server->on('shutdown', fn ($server) => note('idle ' . min(1, $server->stats()['idle_close_count'])));
    $server->start();
    PHP);
$guarded = $server->connect();
echo $guarded->exchange('protect 0', 9), "\n";
for ($round = 1; $round <= 20; $round++) {
    [$silent, $teller, $listener] = [$server->connect(), $server->connect(), $server->connect()];
    $id = (int) $listener->exchange('who 0', 6);
    $began = $last = microtime(true);
    $longest = 0.0;
    do {
        $isClosed = !$silent->isSilent(0.05);
        try {
            $teller->write("tell $id");
            $listener->read(1);
            $live = true;
        } catch (RuntimeException) {
            $live = false;
        }
        $longest = max($longest, microtime(true) - $last);
        $last = microtime(true);
    } while (!($isClosed && $last > $began + 2 * LIMIT) && $live && $last < $began + TestServer::PATIENCE);
    if ($longest < LIMIT) {
        break;
    }
}
var_dump($live, $isClosed, $silent->readToEnd($how), $how);
echo $guarded->exchange('who 0', 6), "\n";
$server->waitFor(fn () => preg_grep('/closed -1/', $server->notes()), 'onClose');
$server->stop();
echo current(preg_grep('/idle/', $server->notes())), "\n";
?>
--EXPECT--
protected
bool(true)
bool(true)
string(0) ""
string(6) "closed"
000001
idle 1
