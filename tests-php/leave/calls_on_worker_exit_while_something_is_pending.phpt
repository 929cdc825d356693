--TEST--
A worker that leaves calls onWorkerExit once when nothing is pending, and again and again while an alarm is; when the script lets go it stops and ends
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $exits = 0;
    $server->on('workerStart', function ($server, $id) {
        if ($id === 0) {
            pcntl_async_signals(true);
            pcntl_signal(SIGALRM, function () {
                note('alarm');
                pcntl_alarm(1);
            });
            pcntl_alarm(1);
        }
    });
    $server->on('workerExit', function ($server, $id) use (&$exits) {
        note("exit $id");
        if (++$exits === 4) {
            note('lets go');
            pcntl_alarm(0);
        }
    });
    $server->on('workerStop', fn ($server, $id) => note("stop $id"));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->start();
    PHP);
$server->waitForNote('alarm');
$server->stop();
$notes = array_values(array_diff($server->notes(), ['alarm']));
echo implode("\n", array_filter($notes, fn ($note) => !str_ends_with($note, '1'))), "\n";
echo implode("\n", array_filter($notes, fn ($note) => str_ends_with($note, '1'))), "\n";
?>
--EXPECT--
exit 0
exit 0
exit 0
exit 0
lets go
stop 0
exit 1
stop 1
