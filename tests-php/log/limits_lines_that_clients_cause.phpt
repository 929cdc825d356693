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
    $server->set([
        'worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'open_length_check' => true, 'package_max_length' => '3M',
        'task_tmpdir' => getenv('ROTOR_TMP'),
    ]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if (substr($data, 4) === 'throw') {
            throw new Exception('thrown on purpose');
        }
        $server->send($fd, $server->stats()['log_lines_suppressed'] . "\n");
    });
    $server->start();
    PHP, ini: ['memory_limit' => '4M']);
$server->allowLog('/thrown on purpose|its callback threw|memory_limit leaves room for/');
$message = fn (string $body): string => pack('N', strlen($body)) . $body;
$asking = $server->connect();
$suppressed = function () use ($asking, $message): int {
    $asking->write($message('?'));
    return (int) $asking->readLine();
};
$sum = 0;
foreach (['its callback threw' => 'throw', 'larger than memory_limit' => str_repeat('x', 5 << 19)] as $what => $body) {
    $before = $suppressed();
    $caused = 0;
    while ($suppressed() === $before) {
        $clients = [];
        for ($i = 0; $i < 50; $i++) {
            $clients[] = $server->connect();
        }
        foreach ($clients as $client) {
            $client->write($message($body));
            $caused++;
        }
        foreach ($clients as $client) {
            $client->readToEnd();
            $client->close();
        }
    }
    $count = $suppressed() - $before;
    $sum += $count;
    // Nothing more happens: the summary comes by itself.
    $server->waitForLog("/ more like this were not written: session \\d+.* $what.*; suppressed=\\d+\$/m");
    $written = preg_match_all("/ warning worker=0 pid=\\d+: session \\d+.* $what/m", $server->log());
    echo $what, ': ', $written >= 10 ? 'some' : 'few', ' written, ', $caused - $written - $count, " missing\n";
}
$asking->close();
$server->stop();
preg_match_all('/; suppressed=(\d+)$/m', $server->log(), $summed);
var_dump((int) array_sum($summed[1]) === $sum);

// A slow callback has several lines, which count as one.
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'request_slowlog_timeout' => 0.001]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        usleep(3000);
        $server->send($fd, $server->stats()['log_lines_suppressed'] . "\n");
    });
    $server->start();
    PHP);
$server->allowLog('/: slow; session=1 |: #\d |more like this were not written: slow; suppressed=/');
$client = $server->connect();
do {
    $client->write('?');
} while ($client->readLine() === '0');
$server->waitForLog('/ more like this were not written: slow; suppressed=\d+$/m');
$client->close();
$server->stop();
preg_match_all('/^(.*) warning worker=0 pid=\d+: slow; session=1 /m', $server->log(), $written);
// A second of the limit lies in two of the clock's.
var_dump(count($written[1]) >= 10, max(array_count_values($written[1])) <= 20);
?>
--EXPECT--
its callback threw: some written, 0 missing
larger than memory_limit: some written, 0 missing
bool(true)
bool(true)
bool(true)
