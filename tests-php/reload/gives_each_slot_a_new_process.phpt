--TEST--
SIGUSR1 to master or manager and reload() in any process give every slot a new process; connections and their order go on
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
    pcntl_async_signals(true);
    pcntl_signal(SIGALRM, fn () => note('reload() ' . json_encode($server->reload())));
    $server->on('workerStart', fn ($server, $id) => note("worker $id is $server->worker_pid, manager is $server->manager_pid"));
    $server->on('beforeReload', fn ($server) => note('before in ' . ($server->manager_pid === getmypid() ? 'manager' : 'another')));
    $server->on('afterReload', fn ($server, $success) => note('after ' . json_encode($success)));
    $server->on('workerStop', fn ($server, $id) => note("stop $id"));
    $server->on('close', fn () => note('close'));
    $server->on('receive', fn ($server, $fd) => $server->send($fd, "$server->worker_id " . getmypid() . ' ' . $server->getWorkerPid($server->worker_id) . "\n"));
    $server->start();
    PHP);
$server->waitFor(fn () => count($server->notes()) === 2, 'two workers');
sscanf($server->notes()[0], 'worker %d is %d, manager is %d', $id, $pid, $manager);
$clients = [$server->connect(), $server->connect()];
$ask = function () use ($clients) {
    $pids = [];
    foreach ($clients as $client) {
        $client->write('?');
        [$id, $pid, $known] = explode(' ', $client->readLine());
        $pid === $known || print("getWorkerPid() gives $known for $pid\n");
        $pids[$id] = $pid;
    }
    return $pids;
};
$before = $ask();
$ways = [
    'SIGUSR1' => fn () => $server->signal(SIGUSR1),
    'SIGUSR1 to the manager' => fn () => $server->signal(SIGUSR1, $manager),
    'reload() in the master' => fn () => $server->signal(SIGALRM),
    'reload() in the manager' => fn () => $server->signal(SIGALRM, $manager),
    'reload() in a worker' => function () use ($server, &$before) { $server->signal(SIGALRM, (int) $before[0]); },
];
$count = 0;
foreach ($ways as $way => $reload) {
    $reload();
    $server->waitForNote('after true', ++$count);
    $after = $ask();
    echo "$way: ", array_keys($after) === array_keys($before) && array_intersect($after, $before) === [] ? 'new' : 'old', "\n";
    $before = $after;
}
// The old ones have ended, each in order.
foreach ([0, 1] as $id) {
    $server->waitForNote("stop $id", $count);
}
$server->waitFor(fn () => count($server->processes()) === 4, 'the old workers to end');
$notes = $server->notes();
$places = array_filter($notes, fn ($note) => preg_match('/^(before|after)/', $note));
echo implode(', ', array_unique($places)), ', ', count($places), "\n";
echo count(array_keys($notes, 'reload() true', true)), ' reload() true, ', count(array_keys($notes, 'close', true)), " closed\n";
$server->stop();
?>
--EXPECT--
SIGUSR1: new
SIGUSR1 to the manager: new
reload() in the master: new
reload() in the manager: new
reload() in a worker: new
before in manager, after true, 10
3 reload() true, 0 closed
