--TEST--
What is still pending max_wait_time after a worker was told to leave is named in the log; onWorkerStop runs, and the worker ends in order
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'max_wait_time' => 1]);
    $server->on('workerStart', fn () => pcntl_alarm(60));
    $server->on('workerExit', fn () => note('exit'));
    $server->on('workerStop', fn () => note('stop ' . getmypid()));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, getmypid() . "\n"));
    $server->start();
    PHP);
$client = $server->connect();
$ask = function () use ($client): int {
    $client->write('?');
    return (int) $client->readLine();
};
$first = $ask();
// By a reload, and then by a stop.
$server->signal(SIGUSR1);
$server->waitForNote("stop $first");
echo $ask() !== $first ? "replaced\n" : "not replaced\n";
$server->expectLog("/worker=0 pid=$first: does not wait any longer than max_wait_time; after=\d+ms; pending=an alarm/");
$server->allowLog('/does not wait any longer than max_wait_time/');
$second = $ask();
$server->stop();
echo in_array("stop $second", $server->notes(), true) ? "stopped in order\n" : "no onWorkerStop\n";
echo count(array_keys($server->notes(), 'exit', true)) > 3 ? "asked again and again\n" : "hardly asked\n";
echo preg_match('/SIGKILL/', $server->log()) ? "killed\n" : "not killed\n";
?>
--EXPECT--
replaced
stopped in order
asked again and again
not killed
