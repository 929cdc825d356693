--TEST--
Reloads and killed workers leave the connections of the main thread open, and a stop answers what has come (P7)
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'package_length_func' => fn (string $buffer): int => 1 + (int) $buffer[0]]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === '1w') {
            usleep(300_000);
        }
        $server->send($fd, $data === '1k' ? getmypid() . ';' : "$data;");
        $data === '2ki' && posix_kill(getmypid(), SIGKILL);
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("$fd closed $reactor"));
    $server->on('afterReload', fn ($server, $ok) => note('reloaded ' . json_encode($ok)));
    $server->on('workerError', fn ($server, $id, $pid, $code, $signal, $fd) => note("killed with $fd in hand"));
    $server->start();
    PHP);
$server->expectLog('/killed by SIGKILL; session=2: its message is lost/');
$one = $server->connect();
$pid = $one->exchange('1k', 0) . $one->readLine(';');
$two = $server->connect();
// Its worker dies with it, the connections of the other and new ones go on.
$two->write('2ki');
echo $two->readToEnd(), "\n";
$server->waitForNote('killed with 2 in hand');
echo $one->exchange('3abc', 5), "\n";
for ($round = 1; $round <= 3; $round++) {
    $server->signal(SIGUSR1);
    $server->waitForNote('reloaded true', $round);
    $new = $one->exchange('1k', 0) . $one->readLine(';');
    var_dump($new !== $pid);
    $pid = $new;
}
// Two messages and a half have come when the stop does.
$one->write('1w2xy9half');
$three = $server->connect();
echo $three->exchange('1a', 3), "\n";
$server->signal(SIGTERM);
echo $one->readToEnd(), "\n";
echo json_encode($three->readToEnd()), "\n";
$server->wait();
$notes = array_filter($server->notes(), fn ($note) => str_contains($note, 'closed'));
sort($notes);
echo implode("\n", $notes), "\n";
?>
--EXPECT--
2ki;
3abc;
bool(true)
bool(true)
bool(true)
1a;
1w;2xy;
""
1 closed -1
2 closed -1
3 closed -1
