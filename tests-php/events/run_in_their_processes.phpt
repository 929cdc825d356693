--TEST--
Each event runs in its process, in order, with its arguments and $server's properties as that process has them
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $master = getmypid();
    foreach (['Start', 'BeforeShutdown', 'Shutdown', 'ManagerStart', 'ManagerStop', 'WorkerStart', 'WorkerStop', 'Connect', 'Close'] as $event) {
        $server->on($event, function (...$arguments) use ($event, $server, $master) {
            $who = match (getmypid()) {
                $master => 'master',
                $server->manager_pid => 'manager',
                $server->worker_pid => "worker $server->worker_id",
                default => 'nobody',
            };
            $same = array_shift($arguments) === $server;
            $pids = $server->getMasterPid() === $master && $server->master_pid === $master
                && $server->getManagerPid() === $server->manager_pid;
            note("$event in $who: " . json_encode([$same, $pids, $server->getWorkerId(), ...$arguments])
                . ' ' . rtrim(cli_get_process_title()));
        });
    }
    $server->on('Receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, "$fd $reactor $data {$server->getWorkerStatus()}"));
    $server->start();
    PHP);
$client = $server->connect();
echo $client->exchange("bytes \0\xff", 14) === "1 0 bytes \0\xff 1" ? "echoed\n" : "not echoed\n";
$client->close();
$server->waitFor(fn () => preg_grep('/^Close/', $server->notes()), 'onClose');
posix_kill($server->pid, SIGTERM);
$server->waitFor(fn () => preg_grep('/^Shutdown/', $server->notes()), 'onShutdown');
foreach (['master', 'manager', 'worker 0'] as $who) {
    echo implode("\n", preg_grep("/^\\w+ in $who: /", $server->notes())), "\n";
}
echo implode("\n", preg_grep('/ in nobody/', $server->notes()));
$server->wait();
?>
--EXPECT--
echoed
Start in master: [true,true,false] rotor: master
BeforeShutdown in master: [true,true,false] rotor: master
Shutdown in master: [true,true,false] rotor: master
ManagerStart in manager: [true,true,false] rotor: manager
ManagerStop in manager: [true,true,false] rotor: manager
WorkerStart in worker 0: [true,true,0,0] rotor: worker #0
Connect in worker 0: [true,true,0,1,0] rotor: worker #0
Close in worker 0: [true,true,0,1,0] rotor: worker #0
WorkerStop in worker 0: [true,true,0,0] rotor: worker #0
