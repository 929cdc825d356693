--TEST--
Lines that clients can cause are limited in each process; a summary and stats() say how many were not written
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === 'throw') {
            throw new Exception('thrown on purpose');
        }
        $server->send($fd, $server->stats()['log_lines_suppressed'] . "\n");
    });
    $server->start();
    PHP);
$server->allowLog('/thrown on purpose|its callback threw/');
$asking = $server->connect();
$suppressed = function () use ($asking): int {
    $asking->write('?');
    return (int) $asking->readLine();
};
$thrown = 0;
while ($suppressed() === 0) {
    $clients = [];
    for ($i = 0; $i < 50; $i++) {
        $clients[] = $server->connect();
    }
    foreach ($clients as $client) {
        $client->write('throw');
        $thrown++;
    }
    foreach ($clients as $client) {
        $client->readToEnd();
        $client->close();
    }
}
$count = $suppressed();
// Nothing more happens: the summary comes by itself.
$server->waitForLog('/ more like this were not written: session \d+ is closed: its callback threw; suppressed=\d+$/m');
$asking->close();
$server->stop();
preg_match_all('/ warning worker=0 pid=\d+: session \d+ is closed: its callback threw$/m', $server->log(), $written);
preg_match_all('/; suppressed=(\d+)$/m', $server->log(), $summed);
var_dump(count($written[0]) >= 10, count($written[0]) + $count === $thrown, (int) array_sum($summed[1]) === $count);
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
