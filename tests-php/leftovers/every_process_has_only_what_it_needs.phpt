--TEST--
P8: master, manager and workers have the descriptors that are listed here and no others, and a program that a callback runs gets none of them
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 3, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'pid_file' => getenv('ROTOR_TMP') . '/pid',
        'task_tmpdir' => getenv('ROTOR_TMP'),
    ]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        // What a program sees, started without a shell and by one.
        $program = proc_open(['ls', '-l', '/proc/self/fd'], [1 => ['pipe', 'w']], $pipes);
        $links = stream_get_contents($pipes[1]);
        proc_close($program);
        $server->send($fd, $links . shell_exec('ls -l /proc/self/fd') . "end\n");
    });
    $server->on('managerStart', fn ($server) => note("manager $server->manager_pid"));
    $server->on('workerStart', fn ($server, $worker) => note("worker $server->worker_pid"));
    $server->start();
    PHP;
$links = fn (int $pid): array => array_map(fn ($fd) => (string) @readlink($fd), glob("/proc/$pid/fd/*"));
$inherited = $links(getmypid());
// The script's own, which PHP or the test has opened before the server: nothing of ours.
$plain = [...$inherited, '/dev/null'];

/** What a process has, counted by kind. */
$kinds = function (int $pid) use ($links, $plain, &$server): array {
    $kinds = [];
    foreach (array_diff($links($pid), $plain) as $link) {
        $kind = match (true) {
            str_ends_with($link, '/output'), str_ends_with($link, '/marker'), str_ends_with($link, '.php') => null,
            str_ends_with($link, '/log') => 'log',
            str_ends_with($link, "$server->tmp/pid") => 'pid file',
            str_starts_with($link, "$server->tmp/#") => 'spill file',
            str_starts_with($link, 'socket:') => 'socket',
            str_starts_with($link, 'pipe:') => 'pipe',
            default => preg_replace('~^(anon_inode:\[|/memfd:)(\w+).*$~', '$2', $link),
        };
        if ($kind !== null) {
            $kinds[$kind] = ($kinds[$kind] ?? 0) + 1;
        }
    }
    ksort($kinds);
    return $kinds;
};

// What all have: the log, the segment; in it a bell for each reactor (2), slot (3) and seat (6), for the main thread and
// the manager; a spill file for each reactor (2), seat (6) and the manager; a socket for files to each reactor.
$all = ['log' => 1, 'rotor' => 1, 'eventfd' => 2 + 3 + 6 + 2, 'spill file' => 2 + 6 + 1, 'socket' => 2];
$expected = [
    // Also a bell for signals, the main thread's epoll, and its end of the pipe that tells of its death; an epoll and a
    // timer for each reactor, an epoll and a bell for accepting; the listening socket, and the other end of those for files;
    // the pid file.
    'master' => ['eventfd' => 1 + 1, 'eventpoll' => 1 + 2 + 1, 'timerfd' => 2, 'pipe' => 1, 'socket' => 1 + 2, 'pid file' => 1],
    // A bell for signals, an epoll; the other end of the master's pipe, twice, and both ends of its own.
    'manager' => ['eventfd' => 1, 'eventpoll' => 1, 'pipe' => 2 + 2],
    // A bell for signals, an epoll of its loop and one for room in a lane; a timer; the other end of the manager's pipe,
    // twice: one is watched, one kills.
    'worker' => ['eventfd' => 1, 'eventpoll' => 2, 'timerfd' => 1, 'pipe' => 2],
];
$check = function (string $what) use (&$server, $kinds, $all, $expected): void {
    $pids = ['master' => [$server->pid]];
    foreach (array_unique($server->notes()) as $note) {
        [$role, $pid] = explode(' ', $note);
        file_exists("/proc/$pid/fd") && $pids[$role][] = (int) $pid;
    }
    ksort($pids);
    foreach ($pids as $role => $list) {
        $want = $all;
        foreach ($expected[$role] as $kind => $count) {
            $want[$kind] = ($want[$kind] ?? 0) + $count;
        }
        if ($role === 'master' && $what === 'with clients') {
            $want['socket'] += 5;
        }
        ksort($want);
        foreach ($list as $pid) {
            // One that has just begun, or has just lost a client, may be on its way.
            $end = microtime(true) + 10;
            while (($has = $kinds($pid)) !== $want && microtime(true) < $end) {
                usleep(1000);
            }
            if ($has !== $want) {
                echo "$what, $role: ", json_encode($want), ', it has ', json_encode($has), "\n";
            }
        }
        echo "$what: ", count($list), " $role\n";
    }
};

$server = TestServer::start($script);
$server->waitFor(fn () => count($server->notes()) === 4, 'all');
$check('at first');
$clients = array_map(fn () => $server->connect(), range(1, 5));
foreach ($clients as $client) {
    $client->write('?');
    preg_match_all('/-> (.*)/', $client->readLine("end\n"), $matches);
    $strange = preg_grep('~^(/dev/null|.*/(output|marker)|.*\.php|pipe:.*|/proc/\d+/fd)$~', $matches[1], PREG_GREP_INVERT);
    echo implode(' ', array_diff($strange, $inherited));
}
echo "\n";
$check('with clients');
array_map(fn ($client) => $client->close(), $clients);
$server->signal(SIGUSR1);
$server->waitForLog('/ reloaded$/m');
$server->waitForLog('/(exited code=0.*){3}/s');
$check('reloaded');
$server->stop();
?>
--EXPECT--
at first: 1 manager
at first: 1 master
at first: 3 worker

with clients: 1 manager
with clients: 1 master
with clients: 3 worker
reloaded: 1 manager
reloaded: 1 master
reloaded: 3 worker
