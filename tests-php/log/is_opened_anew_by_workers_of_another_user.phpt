--TEST--
Workers of another user, and of another root that has the file, open log_file anew; of one that has it not, they keep the old one
--EXTENSIONS--
rotor
posix
pcntl
--SKIPIF--
<?php
posix_getuid() === 0 || print('skip needs root');
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    // Only root can make files here.
    mkdir($logs = getenv('ROTOR_TMP') . '/logs');
    mkdir(getenv('ROTOR_TMP') . '/jail');
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'user' => 'nobody', 'log_file' => "$logs/log", 'task_tmpdir' => getenv('ROTOR_TMP')]
        + array_filter(['chroot' => (string) getenv('ROOT')]));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->start();
    PHP;
foreach (['no other root' => '', 'a root that has it' => 'logs', 'a root that has it not' => 'jail'] as $what => $root) {
    $server = TestServer::start(<<<'PHP'
        putenv('ROOT=' . (getenv('ROOT_NAME') === '' ? '' : getenv('ROTOR_TMP') . '/' . getenv('ROOT_NAME')));
        PHP . "\n" . $script, env: ['ROOT_NAME' => $root]);
    $server->expectFile('logs');
    $server->expectFile('jail');
    $log = "$server->tmp/logs/log";
    /** @return list<int> pids of those who have the file open, by its place in the disk and not by its path */
    $holders = function (string $path) use ($server): array {
        clearstatcache();
        $inode = @fileinode($path);
        $holds = fn (int $pid): bool => array_filter(
            glob("/proc/$pid/fd/*"),
            fn ($link) => $inode !== false && str_starts_with((string) @readlink($link), $server->tmp) && @fileinode($link) === $inode,
        ) !== [];
        return array_values(array_filter(array_keys($server->processes()), $holds));
    };
    $server->waitFor(fn () => preg_match_all('/: ready;/', (string) @file_get_contents($log)) === 2, 'two workers');
    $server->waitFor(fn () => count($holders($log)) === 4, 'all to have it open');
    rename($log, "$log.old");
    $server->signal(SIGRTMIN);
    $expected = $root === 'jail' ? 2 : 4;
    $server->waitFor(fn () => count($holders($log)) === $expected, 'those who can to open it anew');
    echo "$what: ", count($holders("$log.old")), ' keep the old one, the new one is of ', posix_getpwuid(fileowner($log))['name'], "\n";
    echo $server->request('hello'), "\n";
    // Lines of workers, written by themselves.
    $server->signal(SIGUSR1);
    $left = $root === 'jail' ? "$log.old" : $log;
    $server->waitFor(fn () => preg_match_all('/ notice worker=\d pid=\d+: left;/', file_get_contents($left)) === 2, 'two to leave');
    $server->stop();
}
?>
--EXPECT--
no other root: 0 keep the old one, the new one is of nobody
hello
a root that has it: 0 keep the old one, the new one is of nobody
hello
a root that has it not: 2 keep the old one, the new one is of nobody
hello
