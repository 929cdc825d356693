--TEST--
Reloads and killed workers leave connections that dispatch_func deals out open, and a stop answers what has come (P7)
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 2, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'open_eof_split' => true, 'package_eof' => ';',
        'dispatch_func' => fn ($server, $fd, $type, $data) => $type === 0 ? (int) $data : -3,
    ]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === '1kill;') {
            posix_kill(getmypid(), SIGKILL);
        }
        if (str_ends_with($data, 'slow;')) {
            usleep(300_000);
        }
        $server->send($fd, "$server->worker_id:$data");
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("$fd closed"));
    $server->on('afterReload', fn ($server, $ok) => note('reloaded ' . json_encode($ok)));
    $server->on('workerError', fn ($server, $id, $pid, $code, $signal, $fd) => note("killed with $fd in hand"));
    $server->start();
    PHP);
$server->expectLog('/killed by SIGKILL; session=2: its message is lost/');
$one = $server->connect();
$ask = function (int $worker) use ($one): void {
    $one->write("{$worker}hello;");
    echo $one->readLine(';'), ' ';
};
$ask(0);
$ask(1);
$two = $server->connect();
$two->write('0bye;');
echo $two->readLine(';'), "\n";
$two->write('1kill;');
$two->readToEnd();
$server->waitForNote('killed with 2 in hand');
$ask(1);
$ask(0);
for ($round = 1; $round <= 3; $round++) {
    $server->signal(SIGUSR1);
    $server->waitForNote('reloaded true', $round);
    $ask(0);
    $ask(1);
}
echo "\n";
$three = $server->connect();
$three->write('1x;');
echo $three->readLine(';'), "\n";
$one->write('0slow;1slow;0a;1b;1half');
$server->signal(SIGTERM);
$answers = explode(';', $one->readToEnd());
sort($answers);
echo implode(' ', $answers), "\n";
$server->wait();
$notes = array_filter($server->notes(), fn ($note) => str_contains($note, 'closed'));
sort($notes);
echo implode("\n", $notes), "\n";
?>
--EXPECT--
0:0hello 1:1hello 0:0bye
1:1hello 0:0hello 0:0hello 1:1hello 0:0hello 1:1hello 0:0hello 1:1hello 
1:1x
 0:0a 0:0slow 1:1b 1:1slow
1 closed
2 closed
3 closed
