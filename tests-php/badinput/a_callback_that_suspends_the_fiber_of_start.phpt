--TEST--
A callback cannot suspend the fiber that start() was called in; fibers of its own it can
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $try = function (string $who) {
        try {
            Fiber::suspend();
            note("$who: suspended");
        } catch (FiberError $error) {
            note("$who: " . $error::class);
        }
    };
    $server->on('start', fn () => $try('master'));
    $server->on('managerStart', fn () => $try('manager'));
    $kept = null;
    $server->on('receive', function ($server, $fd, $reactor, $data) use ($try, &$kept) {
        $try('worker');
        if ($data === 'begin') {
            $kept = new Fiber(function () use ($server, $fd) {
                $server->send($fd, 'begun' . Fiber::suspend());
            });
            $kept->start();
            $server->send($fd, 'kept');
        } else {
            $kept->resume($data);
        }
    });
    $fiber = new Fiber(function () use ($server) {
        note('started ' . json_encode($server->start()));
        Fiber::suspend();
        note('in the fiber');
    });
    $fiber->start();
    note('suspended ' . json_encode($fiber->isSuspended()));
    $fiber->resume();
    PHP);
$client = $server->connect();
echo $client->exchange('begin', 4), "\n";
echo $client->exchange('resumed', 12), "\n";
$client->close();
$server->stop();
$notes = $server->notes();
echo implode("\n", array_slice($notes, 2)), "\n";
sort($notes);
echo count(preg_grep('/^(manager|master|worker): FiberError$/', $notes)), "\n";
?>
--EXPECT--
kept
begunresumed
worker: FiberError
worker: FiberError
started true
suspended true
in the fiber
4
