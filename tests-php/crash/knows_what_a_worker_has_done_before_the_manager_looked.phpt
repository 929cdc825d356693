--TEST--
Workers that get ready, finish a message and die while the manager does not run are not taken for ones that die early
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'close_on_worker_error' => false,
        'open_eof_split' => true, 'package_eof' => "\n"]);
    $server->on('managerStart', fn () => note('manager ' . getmypid()));
    $server->on('workerStart', function () {
        note('worker ' . getmypid());
        while (!file_exists(getenv('ROTOR_TMP') . '/' . getmypid())) {
            usleep(1_000);
            clearstatcache();
        }
    });
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        $data === "die\n" ? posix_kill(getmypid(), SIGKILL) : $server->send($fd, getmypid() . "\n");
    });
    $server->start();
    PHP);
$server->expectLog('/killed by SIGKILL; session=1: its message is lost/');
$pids = fn (string $who) => preg_replace('/\D+/', '', array_values(preg_grep("/^$who /", $server->notes())));
$waitForState = fn (int $pid, string $state) => $server->waitFor(
    fn () => preg_match("/\) $state /", (string) @file_get_contents("/proc/$pid/stat")) === 1,
    "$pid in state $state",
);
$manager = (int) $server->waitFor(fn () => $pids('manager'), 'the manager')[0];
$client = $server->connect();
for ($i = 0; $i < 4; $i++) {
    $worker = (int) $server->waitFor(fn () => array_slice($pids('worker'), $i), "worker $i")[0];
    if ($i < 3) {
        $server->signal(SIGSTOP, $manager);
        $waitForState($manager, 'T');
    }
    touch("$server->tmp/$worker");
    $client->write("who\n");
    echo $client->readLine() === (string) $worker ? "answered\n" : "answered by another\n";
    unlink("$server->tmp/$worker");
    if ($i < 3) {
        $client->write("die\n");
        $waitForState($worker, 'Z');
        $server->signal(SIGCONT, $manager);
    }
}
$client->close();
$server->stop();
?>
--EXPECT--
answered
answered
answered
answered
