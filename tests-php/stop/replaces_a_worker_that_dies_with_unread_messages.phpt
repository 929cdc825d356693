--TEST--
A worker that is killed during a stop loses the message in hand alone: another one is forked for what waits, and then the server ends
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'open_eof_split' => true, 'package_eof' => "\n"]);
    $server->on('workerStart', fn () => note('start ' . getmypid()));
    $server->on('workerStop', fn () => note('stop'));
    $server->on('close', fn ($server, $fd) => note("close $fd"));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        for ($data === "endless\n" && note('in hand'); $data === "endless\n";) {
            usleep(1_000_000);
        }
        $server->send($fd, $data);
    });
    note(json_encode($server->start()));
    PHP);
$server->expectLog('/killed by SIGKILL; session=1: its message is lost/');
$server->waitFor(fn () => $server->notes(), 'the worker');
$worker = (int) substr($server->notes()[0], 6);
[$first, $second] = [$server->connect(), $server->connect()];
$first->write("endless\nbehind\n");
$server->waitForNote('in hand');
$second->write("one\ntwo\nthree\n");
$server->signal(SIGTERM);
$server->waitForLog('/ manager pid=\d+: stopping/');
$server->signal(SIGKILL, $worker);
echo json_encode($first->readToEnd()), "\n", json_encode($second->readToEnd()), "\n";
$server->waitForNote('true');
$notes = array_slice($server->notes(), 2);
$server->wait();
sort($notes);
echo preg_replace('/\d{2,}/', 'PID', implode(', ', $notes)), "\n";
?>
--EXPECT--
""
"one\ntwo\nthree\n"
close 1, close 2, start PID, stop, true
