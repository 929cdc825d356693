--TEST--
A request_slowlog_file that takes nothing is told of ten times a second at most, and the accounts go to the log
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 8, 'log_file' => getenv('ROTOR_LOG'),
        'request_slowlog_timeout' => 0.001, 'request_slowlog_file' => '/dev/full']);
    $server->on('receive', function ($server, $fd) {
        usleep(10_000);
        $server->send($fd, '.');
    });
    $server->start();
    PHP);
$server->allowLog('/ warning worker=\d pid=\d+: (slow|#\d)|more like this were not written: slow/');
$server->expectLog('# warning manager pid=\d+: cannot write request_slowlog_file /dev/full: No space left on device#');
$server->allowLog('#cannot write request_slowlog_file#');
for ($clients = []; count($clients) < 8; $clients[] = $server->connect());
$told = '#: \d+ more like this were not written: cannot write request_slowlog_file#';
$server->waitFor(function () use ($server, $clients, $told): bool {
    foreach ($clients as $client) {
        $client->write('?');
    }
    foreach ($clients as $client) {
        $client->read(1);
    }
    return preg_match($told, $server->log()) === 1;
}, 'lines that are summed up');
echo str_contains($server->log(), 'usleep()') ? "the log has them\n" : "the log has them not\n";
$server->stop();
?>
--EXPECT--
the log has them
