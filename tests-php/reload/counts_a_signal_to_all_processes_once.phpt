--TEST--
SIGUSR1 to a whole process group, master and manager among it, is one reload, whenever either takes note of it; two to the master are two
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
    $wait = function (string $name): void {
        while (!file_exists($path = getenv('ROTOR_TMP') . "/$name")) {
            usleep(2_000);
        }
        unlink($path);
    };
    pcntl_async_signals(true);
    pcntl_signal(SIGALRM, fn () => note('turn'));
    $server->on('start', fn () => note('starting') ?? $wait('start'));
    $server->on('managerStart', fn ($server) => note("manager is $server->manager_pid"));
    $server->on('workerStart', fn () => note('begin') ?? $wait('go'));
    $server->on('afterReload', fn () => note('reloaded'));
    $server->on('receive', fn () => null);
    $server->start();
    PHP, prefix: ['setsid']);
$go = function (int $times) use ($server): void {
    $server->waitForNote('begin', $times);
    file_put_contents("$server->tmp/go", "");
};
// Whatever it was told before, a process knows by its second turn.
$turns = function (int $pid) use ($server): void {
    foreach ([1, 2] as $_) {
        $before = count(array_keys($server->notes(), 'turn', true));
        $server->signal(SIGALRM, $pid);
        $server->waitForNote('turn', $before + 1);
    }
};
$count = fn (): int => preg_match_all('/ manager pid=\d+: reloading$/m', $server->log());

$go(1);
$server->waitForLog('/ready; generation=2/');
$server->waitForNote('starting');
posix_kill(-$server->pid, SIGUSR1);
$server->waitForNote('begin', 2);
file_put_contents("$server->tmp/start", "");
$server->waitForLog('/ serving on /');
$turns($server->pid);
$go(2);
$server->waitForNote('reloaded');
sscanf(implode(preg_grep('/^manager is/', $server->notes())), 'manager is %d', $manager);
$turns($manager);
echo $count(), "\n";

$server->signal(SIGUSR1);
$server->waitForNote('begin', 3);
$server->signal(SIGUSR1);
$go(3);
$go(4);
$server->waitForNote('reloaded', 3);
echo $count(), "\n";
$server->stop();
?>
--EXPECT--
1
3
