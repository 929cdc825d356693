--TEST--
request_timeout: a callback that never ends is traced, its worker replaced, its connection closed whatever the settings say; the others are answered
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    function for_ever(): never
    {
        for (;;) {
            usleep(3_600_000_000); // here it is
        }
    }
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'open_eof_split' => true, 'package_eof' => "\n", 'log_file' => getenv('ROTOR_LOG'),
        'request_timeout' => 1, 'close_on_worker_error' => false]);
    $server->on('requestTimeout', function (Rotor\Server $server, int $worker, int $fd, float $seconds) {
        note("timeout worker=$worker fd=$fd " . (getmypid() === $server->manager_pid ? 'manager' : 'elsewhere')
            . ($seconds >= 1 ? '' : " too early: $seconds"));
        note('stats ' . $server->stats()['request_timeout_count']);
    });
    $server->on('workerError', fn ($server, $worker, $pid, $code, $signal, $fd) => note("error code=$code signal=$signal fd=$fd"));
    $server->on('connect', fn ($server, $fd) => $fd === 6 ? for_ever() : null);
    $server->on('close', function ($server, $fd, $reactor) {
        note("close $fd $reactor");
        $fd === 5 && for_ever();
    });
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        match (trim($data)) {
            'ever' => for_ever(),
            default => $server->send($fd, $data),
        };
    });
    $server->start();
    PHP);
$ended = function (int $fd) use ($server): void {
    $server->waitForNote("error code=0 signal=9 fd=$fd");
};
// They have no message finished before they die, and are replaced at once all the same.
foreach ([1, 3] as $fd) {
    $client = $server->connect();
    $began = hrtime(true);
    $client->write("ever\necho\n");
    $rest = $client->readToEnd($end);
    echo json_encode([$rest, $end, hrtime(true) - $began >= 1_000_000_000]), ' ', $server->request("echo\n");
    $ended($fd);
    $server->waitForNote("close $fd -1");
    $server->waitFor(fn () => preg_grep('/^close ' . ($fd + 1) . ' /', $server->notes()), 'the other close');
}
// The callbacks of a close and of a connect are callbacks as well.
$client = $server->connect();
$client->exchange("echo\n");
$client->close();
$ended(5);
$client = $server->connect();
echo json_encode($client->readToEnd()), "\n";
$ended(6);
$server->waitForNote('close 6 -1');
echo $server->request("echo\n");

// The manager's, then the workers'.
foreach ([...preg_grep('/^close/', $server->notes(), PREG_GREP_INVERT), ...preg_grep('/^close [1356]/', $server->notes())] as $note) {
    echo $note, "\n";
}
$script = dirname($server->tmp) . '/server.php';
$line = key(preg_grep('/here it is/', file($script))) + 1;
$trace = preg_quote("#0 usleep() $script:$line", '/');
foreach ([1, 3, 5, 6] as $fd) {
    $found = preg_match("/ warning worker=0 pid=(\d+): killed: request_timeout is over; session=$fd seconds=\d+\.\d{3} callback=on\w+\n"
        . "[^\n]+ warning worker=0 pid=\g1: $trace\n[^\n]+ warning worker=0 pid=\g1: #1 for_ever\(\) /", $server->log());
    echo $found ? "traced\n" : "no trace of $fd\n";
    $server->expectLog("/ error worker=0 pid=\d+: killed by SIGKILL; session=$fd\b/");
}
echo str_contains($server->log(), 'respawning') ? "not at once\n" : "at once\n";
$server->allowLog('/ warning worker=0 pid=\d+: (killed: request_timeout is over|#\d+ )/');
$server->stop();
?>
--EXPECT--
["","closed",true] echo
["","closed",true] echo
""
echo
timeout worker=0 fd=1 manager
stats 1
error code=0 signal=9 fd=1
timeout worker=0 fd=3 manager
stats 2
error code=0 signal=9 fd=3
timeout worker=0 fd=5 manager
stats 3
error code=0 signal=9 fd=5
timeout worker=0 fd=6 manager
stats 4
error code=0 signal=9 fd=6
close 1 -1
close 3 -1
close 5 0
close 6 -1
traced
traced
traced
traced
at once
