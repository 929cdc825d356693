--TEST--
Work that is not done max_wait_time after a stop was asked for is ended by force, with a line that says whose, and what is done is kept
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'max_wait_time' => 1]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        note($data);
        while ($data === 'for ever') {
            usleep(1_000_000);
        }
        $server->send($fd, str_repeat('x', 1 << 22));
    });
    $server->on('workerStop', fn ($server, $id) => note('a worker stops'));
    $server->on('shutdown', fn () => note('shutdown'));
    note(json_encode($server->start()));
    PHP);
// Sessions 1 and 2 belong to different workers.
$endless = $server->connect();
$endless->write('for ever');
$server->waitForNote('for ever');
$other = $server->connect();
$other->write('short');
$server->waitForNote('short');
$server->signal(SIGTERM);
$server->waitForNote('a worker stops');
$server->expectLog('/kills worker=\d pid=\d+: max_wait_time has passed; session=1/');
$server->allowLog('/killed by SIGKILL|its message is lost/');
echo strlen($other->read(1 << 22)), "\n";
echo json_encode($endless->readToEnd()), "\n";
$server->waitForNote('true');
$notes = $server->notes();
$server->wait();
echo count(array_keys($notes, 'a worker stops', true)), ' ', in_array('shutdown', $notes, true) ? 'shutdown' : 'no shutdown', "\n";
?>
--EXPECT--
4194304
""
1 shutdown
