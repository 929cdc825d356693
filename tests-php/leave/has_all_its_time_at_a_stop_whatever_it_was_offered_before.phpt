--TEST--
max_wait_time counts from the stop for a worker whose successor died with the offer open long before
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'max_wait_time' => 3]);
    $server->on('workerStart', function () {
        note('start ' . getmypid());
        pcntl_alarm(600);
    });
    $server->on('workerExit', fn () => note('exit'));
    $server->on('receive', function ($server, $fd) {
        note('in hand');
        while (!file_exists(getenv('ROTOR_TMP') . '/go')) {
            usleep(1000);
        }
        $server->send($fd, 'done');
    });
    $server->start();
    PHP);
$server->expectFile('go');
$client = $server->connect();
$client->write('?');
$server->waitForNote('in hand');
$server->signal(SIGUSR1);
$server->waitForLog('/ready; generation=3/');
$successor = (int) substr(array_values(preg_grep('/^start/', $server->notes()))[1], 6);
// Nothing shows when the manager has offered. It does so at once; where it has not by then, less is tried.
usleep(50_000);
$server->signal(SIGKILL, $successor);
$server->expectLog('/ error worker=0 pid=\d+: killed by SIGKILL/');
$server->allowLog('/the old process serves on|the reload has failed/');
$server->waitForLog('/the reload has failed/');
touch("$server->tmp/go");
echo $client->read(4), "\n";
$since = microtime(true);
$server->waitFor(fn () => microtime(true) - $since > 3.1);
$server->expectLog('/does not wait any longer than max_wait_time; after=\d+ms; pending=an alarm/');
$server->stop();
echo count(array_keys($server->notes(), 'exit', true)) > 1 ? "it has waited\n" : "it has not waited\n";
?>
--EXPECT--
done
it has waited
