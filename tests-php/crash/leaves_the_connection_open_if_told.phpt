--TEST--
With close_on_worker_error off a connection outlives the exception, exit() or death of its worker, and the next message is answered
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'close_on_worker_error' => (bool) $argv[1]]);
    $server->on('workerStart', fn () => note('start'));
    $server->on('close', fn ($server, $fd) => note("close"));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        match ($data) {
            'throw' => throw new RuntimeException('thrown on purpose'),
            'exit' => exit(3),
            'memory' => str_repeat('x', 1 << 30),
            'kill' => posix_kill(getmypid(), SIGKILL),
            default => $server->send($fd, $data),
        };
    });
    $server->start();
    PHP;
$server = TestServer::start($script, args: ['0']);
$server->allowLog('/./');
$server->waitForNote('start');
$client = $server->connect();
$starts = 1;
foreach (['throw', 'exit', 'memory', 'kill'] as $how) {
    $client->write($how);
    $how === 'throw' || $server->waitForNote('start', ++$starts);
    $how === 'throw' && $server->waitForLog('/Uncaught RuntimeException/');
    echo "$how: ", $client->exchange('alive'), "\n";
}
echo count(array_keys($server->notes(), 'close', true)), " closed\n";
$client->close();
$server->waitForNote('close');
$server->stop();

// On, which is the default: an exception closes, and the worker goes on.
$server = TestServer::start($script, args: ['1']);
$server->expectLog('/Uncaught RuntimeException: thrown on purpose/');
$server->allowLog('/its callback threw/');
$other = $server->connect();
echo $other->exchange('hello'), "\n";
$client = $server->connect();
$client->write('throw');
echo json_encode($client->readToEnd($how)), " $how\n";
echo $other->exchange('still there'), "\n";
$server->waitForNote('close');
echo count(array_keys($server->notes(), 'start', true)), " start, ", count(array_keys($server->notes(), 'close', true)), " closed\n";
$other->close();
$server->stop();
?>
--EXPECT--
throw: alive
exit: alive
memory: alive
kill: alive
0 closed
hello
"" closed
still there
1 start, 1 closed
