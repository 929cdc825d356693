--TEST--
An iterator that forks while broadcast() walks over it: the child's broadcast() throws, the other one sends once
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
    $server->on('receive', function ($server, $fd) {
        $child = null;
        $forks = function () use ($fd, &$child) {
            yield $fd;
            $child = pcntl_fork();
        };
        try {
            $count = $server->broadcast('sent', $forks());
            note("count $count");
        } catch (Rotor\Exception $exception) {
            note($exception->getMessage());
        }
        if ($child === 0) {
            return;
        }
        pcntl_waitpid($child, $status);
        note('child ' . pcntl_wexitstatus($status));
        $server->send($fd, 'done');
    });
    $server->start();
    PHP);
$client = $server->connect();
echo $client->exchange('ask', 8), "\n";
$client->close();
$server->stop();
$notes = $server->notes();
sort($notes);
echo implode("\n", $notes), "\n";
?>
--EXPECT--
sentdone
child 0
count 1
this process was forked by a callback and is no part of the server; call its methods in the process that runs the callback
