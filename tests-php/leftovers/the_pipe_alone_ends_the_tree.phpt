--TEST--
P8: without the kernel's signal at the parent's death the pipe to the parent ends manager and workers, busy ones too; and without the kernel's signal of the pipe their loops see its end
--EXTENSIONS--
rotor
posix
pcntl
ffi
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$start = function (string $what): array {
    $server = TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
        $c = FFI::cdef('int prctl(int option, unsigned long argument, ...); int fcntl(int fd, int command, ...);');
        $cut = function (string $role) use ($c) {
            $c->prctl(1 /* PR_SET_PDEATHSIG */, 0);
            if (getenv('WHAT') === 'loop') {
                foreach (glob('/proc/self/fd/*') as $path) {
                    if (str_starts_with((string) @readlink($path), 'pipe:')) {
                        // Without O_ASYNC.
                        $c->fcntl((int) basename($path), 4 /* F_SETFL */, 04000 /* O_NONBLOCK */);
                    }
                }
            }
            note("$role " . getmypid());
        };
        $server->on('managerStart', fn () => $cut('manager'));
        $server->on('workerStart', fn () => $cut('worker'));
        $server->on('receive', function ($server, $fd, $reactor, $data) {
            $server->send($fd, $data);
            while ($data === 'busy');
        });
        $server->start();
        PHP, env: ['WHAT' => $what]);
    $server->allowLog('/./');
    $server->waitFor(fn () => count($server->notes()) === 3, 'all');
    sscanf(implode(' ', preg_grep('/^manager/', $server->notes())), 'manager %d', $manager);
    return [$server, $manager];
};
foreach (['busy', 'loop'] as $what) {
    foreach (['manager', 'master'] as $whom) {
        [$server, $manager] = $start($what);
        if ($what === 'busy') {
            // One of each: a busy one and an idle one.
            $client = $server->connect();
            $client->exchange('busy');
        }
        posix_kill($whom === 'manager' ? $manager : $server->pid, SIGKILL);
        $server->waitFor(fn () => !$server->isRunning() && $server->processes() === [], 'the end', 10);
        $log = $server->log();
        $server->wait($whom === 'manager' ? 1 : -SIGKILL);
        // The manager kills its workers before they see its end.
        $said = preg_match_all('/ (manager|worker=\d) pid=\d+: the (master|manager) has died/', $log, $matches);
        sort($matches[1]);
        echo "$what, without its $whom: nobody left", $said ? ', seen by ' . implode(' and ', array_unique($matches[1])) : '', "\n";
    }
}
?>
--EXPECT--
busy, without its manager: nobody left
busy, without its master: nobody left
loop, without its manager: nobody left, seen by worker=0 and worker=1
loop, without its master: nobody left, seen by manager
