--TEST--
P8: whoever is killed or crashes, in whatever order and whoever is stopped meanwhile, nothing is left: no process, port, file, shared memory or zombie; and the next server takes the ports and the pid file over
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$port = TestServer::freePort();
$folder = sys_get_temp_dir() . '/leftovers-' . getmypid();
mkdir($folder);
$start = function () use ($port, $folder): array {
    $server = TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('PORT'));
        $server->set([
            'worker_num' => 3, 'log_file' => getenv('ROTOR_LOG'), 'pid_file' => getenv('FOLDER') . '/pid',
            'task_tmpdir' => getenv('FOLDER'), 'output_buffer_size' => 64 << 20, 'socket_buffer_size' => 64 << 20,
        ]);
        $server->listen(getenv('FOLDER') . '/socket', 0, Rotor\Server::SOCK_UNIX_STREAM);
        $server->on('start', fn () => ready());
        $server->on('managerStart', fn ($server) => note("manager $server->manager_pid"));
        $server->on('workerStart', fn ($server) => note("worker $server->worker_pid"));
        $server->on('receive', function ($server, $fd, $reactor, $data) {
            $server->send($fd, $data);
            match ($data) {
                'loop' => (function () { for (;;); })(),
                'sleep' => sleep(600),
                // More than a block or the socket takes.
                'spill' => $server->send($fd, str_repeat('x', 32 << 20)),
            };
        });
        $server->start();
        PHP, env: ['PORT' => (string) $port, 'FOLDER' => $folder], prefix: ['sh', '-c', 'ulimit -c 0; exec "$@"', 'sh']);
    $server->allowLog('/./');
    $server->waitFor(fn () => count($server->notes()) === 4, 'all');
    $pids = ['master' => [$server->pid]];
    foreach ($server->notes() as $note) {
        [$role, $pid] = explode(' ', $note);
        $pids[$role][] = (int) $pid;
    }
    // One worker loops, one sleeps, one has an answer on its way that nobody reads.
    foreach (['loop', 'sleep', 'spill'] as $what) {
        $clients[$what] = new TestClient("tcp://127.0.0.1:$port");
        $clients[$what]->exchange($what);
    }
    foreach (array_merge(...array_values($pids)) as $pid) {
        if (preg_match('~ (/dev/shm/.*|/SYSV.*)$~m', file_get_contents("/proc/$pid/maps"), $match)) {
            echo "$pid maps $match[1], which stays when nobody has it\n";
        }
    }
    return [$server, $pids, $clients];
};

// What happens in order, a signal and who gets it; then the exit code of the master, none where the server goes on.
$stories = [
    'all workers' => [[SIGKILL, 'worker']],
    'all workers crash' => [[SIGSEGV, 'worker']],
    'the manager' => [[SIGKILL, 'manager'], 1],
    'the manager crashes' => [[SIGSEGV, 'manager'], 1],
    'the master' => [[SIGKILL, 'master'], -SIGKILL],
    'the master crashes' => [[SIGSEGV, 'master'], -SIGSEGV],
    'master, manager, workers' => [[SIGKILL, 'master'], [SIGKILL, 'manager'], [SIGKILL, 'worker'], -SIGKILL],
    'manager, master, workers' => [[SIGKILL, 'manager'], [SIGKILL, 'master'], [SIGKILL, 'worker'], -SIGKILL],
    'workers, manager, master' => [[SIGKILL, 'worker'], [SIGKILL, 'manager'], [SIGKILL, 'master'], -SIGKILL],
    'the master, of stopped workers' => [[SIGSTOP, 'worker'], [SIGKILL, 'master'], -SIGKILL],
    'the master, all others stopped' => [[SIGSTOP, 'worker'], [SIGSTOP, 'manager'], [SIGKILL, 'master'], -SIGKILL],
    'the manager, of stopped workers' => [[SIGSTOP, 'worker'], [SIGKILL, 'manager'], 1],
    'the manager, then its stopped master' => [[SIGSTOP, 'master'], [SIGKILL, 'manager'], [SIGKILL, 'master'], -SIGKILL],
    'the manager of a master that was stopped' => [[SIGSTOP, 'master'], [SIGKILL, 'manager'], [SIGCONT, 'master'], 1],
];
foreach ($stories as $story => $steps) {
    [$server, $pids, $clients] = $start();
    $exit = is_int(end($steps)) ? array_pop($steps) : null;
    foreach ($steps as [$signal, $role]) {
        array_map(fn ($pid) => posix_kill($pid, $signal), $pids[$role]);
    }
    if ($exit === null) {
        $server->waitFor(fn () => count($server->notes()) === 7, 'successors');
        $server->waitFor(fn () => array_filter($pids['worker'], fn ($pid) => file_exists("/proc/$pid")) === [], 'no zombie', 10);
        $server->stop();
    } else {
        $server->waitFor(fn () => !$server->isRunning() && $server->processes() === [], "the end: $story", 10);
        $server->wait($exit);
    }
    array_map(fn ($client) => $client->close(), $clients);
    $socket = @stream_socket_server("tcp://127.0.0.1:$port", $code, $message);
    // A killed master could not remove these, or was just about to.
    $left = array_diff(scandir($folder), ['.', '..', ...$exit < 0 ? ['pid', 'socket'] : []]);
    echo "$story: ", $socket ? 'port free' : $message, $left ? ', left: ' . implode(' ', $left) : '', "\n";
    $socket && fclose($socket);
}
[$server] = $start();
$server->stop(SIGKILL, -SIGKILL);
unlink("$folder/pid");
unlink("$folder/socket");
rmdir($folder);
?>
--EXPECT--
all workers: port free
all workers crash: port free
the manager: port free
the manager crashes: port free
the master: port free
the master crashes: port free
master, manager, workers: port free
manager, master, workers: port free
workers, manager, master: port free
the master, of stopped workers: port free
the master, all others stopped: port free
the manager, of stopped workers: port free
the manager, then its stopped master: port free
the manager of a master that was stopped: port free
