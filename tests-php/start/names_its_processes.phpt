--TEST--
ps, top and the methods tell who is who: titles, pids and states of master, manager and each worker, as seen from each
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
    $tell = fn ($server) => json_encode([
        'master' => $server->getMasterPid(), 'manager' => $server->getManagerPid(), 'id' => $server->getWorkerId(),
        'mine' => $server->getWorkerPid(), 'pids' => [$server->getWorkerPid(0), $server->getWorkerPid(1)],
        'none' => @$server->getWorkerPid(2), 'status' => $server->getWorkerStatus(),
        'none status' => @$server->getWorkerStatus(2),
    ]);
    pcntl_async_signals(true);
    pcntl_signal(SIGALRM, fn () => note((getmypid() === $server->master_pid ? 'master ' : 'manager ') . $tell($server)));
    $server->on('workerStart', fn ($server, $id) => note("worker $id is " . getmypid()));
    $server->on('receive', fn ($server, $fd) => $server->send($fd, $tell($server) . "\n"));
    $server->start();
    PHP);
$pids = [];
$server->waitFor(function () use ($server, &$pids) {
    foreach ($server->notes() as $note) {
        if (sscanf($note, 'worker %d is %d', $id, $pid) === 2) {
            $pids[$id] = $pid;
        }
    }
    return count($pids) === 2;
});
ksort($pids);
$titles = $server->processes();
$title = fn (int $pid) => rtrim($titles[$pid] ?? 'nobody');
echo $title($server->pid), ', ', $title($pids[0]), ', ', $title($pids[1]), "\n";
unset($titles[$server->pid], $titles[$pids[0]], $titles[$pids[1]]);
$manager = array_key_first($titles);
echo count($titles), ' ', rtrim($titles[$manager]), "\n";

$answers = [];
while (count($answers) < 2) {
    $client = $server->connect();
    $client->write('?');
    $answer = json_decode($client->readLine(), true);
    $answers[$answer['id']] = $answer;
    $client->close();
}
$server->signal(SIGALRM);
$server->signal(SIGALRM, $manager);
foreach (['master', 'manager'] as $who) {
    $note = $server->waitFor(fn () => current(preg_grep("/^$who /", $server->notes())), "the $who");
    $answers[$who] = json_decode(substr($note, strlen($who) + 1), true);
}
foreach ([0, 1, 'master', 'manager'] as $who) {
    $answer = $answers[$who];
    $same = $answer['master'] === $server->pid && $answer['manager'] === $manager && $answer['pids'] === $pids;
    $mine = $answer['mine'] === ($pids[$who] ?? false);
    echo $who, ': ', json_encode([$same, $mine, $answer['id'], $answer['status'], $answer['none'], $answer['none status']]), "\n";
}
$server->stop();
?>
--EXPECT--
rotor: master, rotor: worker #0, rotor: worker #1
1 rotor: manager
0: [true,true,0,1,false,false]
1: [true,true,1,1,false,false]
master: [true,true,false,false,false,false]
manager: [true,true,false,false,false,false]
