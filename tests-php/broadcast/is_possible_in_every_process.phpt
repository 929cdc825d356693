--TEST--
broadcast() works in workers, user processes, the master and the manager, and reaches the connections of all workers
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 4, 'reactor_num' => 2, 'task_tmpdir' => getenv('ROTOR_TMP'), 'log_file' => getenv('ROTOR_LOG')]);
    $say = function ($server, $who) {
        foreach ([20, 10_000, 100_000, 3_000_000] as $size) {
            $count = $server->broadcast(str_pad("$who $size ", $size, '.'));
            note("$who $size: $count");
        }
    };
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $data === 'worker' ? $say($server, 'worker') : $server->send($fd, $data));
    $server->on('workerError', fn ($server) => $say($server, 'manager'));
    $server->on('beforeShutdown', fn ($server) => $say($server, 'master'));
    $server->addProcess(new Rotor\Process(function ($process) use ($server, $say) {
        pcntl_async_signals(true);
        pcntl_signal(SIGUSR1, fn () => $say($server, 'user'));
        note('user process ' . getmypid());
        while (true) {
            sleep(60);
        }
    }));
    $server->start();
    PHP);
$clients = [];
for ($n = 0; $n < 20; $n++) {
    $clients[] = $server->connect();
    end($clients)->exchange('hello');
}
$hear = function (string $who) use ($clients, $server): void {
    $right = 0;
    foreach ($clients as $client) {
        foreach ([20, 10_000, 100_000, 3_000_000] as $size) {
            $right += $client->read($size) === str_pad("$who $size ", $size, '.');
        }
    }
    echo "$who: $right, ", implode(', ', preg_grep("/^$who .*:/", $server->notes())), "\n";
};
$clients[3]->write('worker');
$hear('worker');
$server->waitFor(fn () => preg_grep('/^user process/', $server->notes()), 'the user process');
$user = (int) substr(current(preg_grep('/^user process/', $server->notes())), 13);
posix_kill($user, SIGUSR1);
$hear('user');
$server->expectLog('/killed by SIGKILL/');
posix_kill($user, SIGKILL);
$hear('manager');
$server->signal(SIGTERM);
$hear('master');
array_map(fn ($client) => $client->close(), $clients);
$server->wait();
?>
--EXPECT--
worker: 80, worker 20: 20, worker 10000: 20, worker 100000: 20, worker 3000000: 20
user: 80, user 20: 20, user 10000: 20, user 100000: 20, user 3000000: 20
manager: 80, manager 20: 20, manager 10000: 20, manager 100000: 20, manager 3000000: 20
master: 80, master 20: 20, master 10000: 20, master 100000: 20, master 3000000: 20
