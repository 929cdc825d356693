--TEST--
P8: a process that a callback has forked, in master, manager or worker, has nothing of the server's, ends by itself and leaves the server alone
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

// In each process a callback forks: some return, some end in each of PHP's ways, one stays.
$script = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'pid_file' => getenv('ROTOR_TMP') . '/pid',
        'task_tmpdir' => getenv('ROTOR_TMP'),
    ]);
    $who = 'nobody';
    register_shutdown_function(function () use (&$who) { note("shutdown function of $who"); });
    $fork = function (string $role) use (&$who) {
        foreach (['return', 'exit', 'throw', 'memory', 'stay'] as $what) {
            $child = pcntl_fork();
            if ($child === 0) {
                $who = "$role, $what";
                match ($what) {
                    'return' => 0,
                    'exit' => exit(3),
                    'throw' => throw new RuntimeException('thrown on purpose'),
                    'memory' => str_repeat('x', 1 << 30),
                    'stay' => [file_put_contents(getenv('ROTOR_TMP') . "/$role", (string) getmypid()), sleep(600)],
                };
                return true;
            }
            if ($what !== 'stay') {
                pcntl_waitpid($child, $status);
                note("$role, $what: " . (pcntl_wifexited($status) ? pcntl_wexitstatus($status) : -pcntl_wtermsig($status)));
            }
        }
        $who = $role;
        return false;
    };
    $server->on('start', fn () => $fork('master'));
    $server->on('managerStart', fn () => $fork('manager'));
    $server->on('receive', function ($server, $fd, $reactor, $data) use ($fork) {
        if ($data !== 'fork' || !$fork('worker')) {
            $server->send($fd, $data);
        }
    });
    $server->start();
    PHP;
$links = fn (int $pid): array => array_map(fn ($fd) => (string) @readlink($fd), glob("/proc/$pid/fd/*"));
$inherited = $links(getmypid());
$server = TestServer::start($script);
$server->allowLog('/Uncaught RuntimeException: thrown on purpose|Allowed memory size/');
$client = $server->connect();
$client->exchange('fork');
echo $client->exchange('and go on'), "\n";
// Nothing has ended with those that have ended: the manager still replaces workers.
$server->signal(SIGUSR1);
$server->waitForLog('/ reloaded$/m');
echo $client->exchange('reloaded'), "\n";
$roles = ['master', 'manager', 'worker'];
foreach ($roles as $role) {
    $server->waitFor(fn () => (string) @file_get_contents("$server->tmp/$role") !== '', $role);
    echo implode("\n", preg_grep("/^(shutdown function of )?$role,/", $server->notes())), "\n";
    $pid = $staying[$role] = (int) file_get_contents("$server->tmp/$role");
    unlink("$server->tmp/$role");
    // The standard streams, the script and the test's marker are the script's; an eventfd of its own stands for all.
    $strange = preg_grep('~^(/dev/null|.*/(output|marker)|.*\.php|anon_inode:\[eventfd\])$~', $links($pid), PREG_GREP_INVERT);
    echo "has: ", implode(' ', array_diff($strange, $inherited)), "\n";
    echo str_contains(file_get_contents("/proc/$pid/maps"), '/memfd:rotor') ? "maps the segment\n" : '';
}

// A client that is closed sees that, and when the server is gone so is its port, though they live on.
$client->close();
// The one that was replaced ends behind the reload.
$server->waitForNote('shutdown function of worker');
$server->signal(SIGTERM);
$server->waitFor(fn () => !$server->isRunning(), 'the end');
echo count($server->processes()), " live on\n";
$socket = @stream_socket_server("tcp://127.0.0.1:$server->port", $code, $message);
echo $socket ? "port free\n" : "$message\n";
// The handlers that the server had set are not theirs.
foreach ($staying as $pid) {
    posix_kill($pid, SIGTERM);
}
$server->wait();
preg_match_all('/^shutdown function of (\w+)$/m', implode("\n", $server->notes()), $matches);
echo implode(' ', array_unique($matches[1])), "\n";
?>
--EXPECT--
and go on
reloaded
shutdown function of master, return
master, return: 0
shutdown function of master, exit
master, exit: 3
shutdown function of master, throw
master, throw: 255
shutdown function of master, memory
master, memory: 255
has: 
shutdown function of manager, return
manager, return: 0
shutdown function of manager, exit
manager, exit: 3
shutdown function of manager, throw
manager, throw: 255
shutdown function of manager, memory
manager, memory: 255
has: 
shutdown function of worker, return
worker, return: 0
shutdown function of worker, exit
worker, exit: 3
shutdown function of worker, throw
worker, throw: 255
shutdown function of worker, memory
worker, memory: 255
has: 
3 live on
port free
worker manager master
