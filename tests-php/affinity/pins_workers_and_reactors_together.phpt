--TEST--
open_cpu_affinity: reactor n and worker n run on the same CPU and no other; cpu_affinity_ignore leaves CPUs out
--EXTENSIONS--
rotor
posix
pcntl
--SKIPIF--
<?php
preg_match('/^Cpus_allowed_list:\s*\d+$/m', file_get_contents('/proc/self/status')) && print('skip this machine has one CPU');
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

function cpus(string $task): array
{
    preg_match('/^Cpus_allowed_list:\s*(\S+)$/m', file_get_contents("$task/status"), $match);
    $cpus = [];
    foreach (explode(',', $match[1]) as $range) {
        [$first, $last] = explode('-', $range) + [1 => $range];
        array_push($cpus, ...range((int) $first, (int) $last));
    }
    return $cpus;
}

$script = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 4, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG')] + json_decode($argv[1], true));
    $server->on('workerStart', fn ($server, $id) => note("worker $id is " . getmypid()));
    $server->on('afterReload', fn () => note('reloaded'));
    $server->on('receive', fn () => 0);
    $server->start();
    PHP;
/** @return array{array<int, list<int>>, array<int, list<int>>} CPUs by worker and by reactor */
function look(TestServer $server, int $starts): array
{
    $started = fn () => preg_grep('/^worker/', $server->notes());
    $server->waitFor(fn () => count($started()) === $starts, 'workers');
    $pids = [];
    foreach ($started() as $note) {
        // The last one counts: those before may be gone.
        sscanf($note, 'worker %d is %d', $id, $pid);
        $pids[$id] = $pid;
    }
    ksort($pids);
    $workers = array_map(fn ($pid) => cpus("/proc/$pid"), $pids);
    $reactors = [];
    foreach (glob("/proc/$server->pid/task/*") as $task) {
        if (sscanf(file_get_contents("$task/comm"), 'rotor-reactor-%d', $id) === 1) {
            $reactors[$id] = $task;
        }
    }
    ksort($reactors);
    return [$workers, array_map('cpus', $reactors)];
}

$all = cpus('/proc/self');
$server = TestServer::start($script, args: ['{"open_cpu_affinity": true}']);
// A thread pins itself; it may be listed before it has.
[$workers, $reactors] = $server->waitFor(function () use ($server) {
    $seen = look($server, 4);
    return count($seen[1][0] ?? []) === 1 && count($seen[1][1] ?? []) === 1 ? $seen : null;
}, 'pinned reactors');
$expected = fn (int $n, array $cpus) => [$cpus[$n % count($cpus)]];
foreach ($workers as $id => $cpus) {
    echo "worker $id: ", $cpus === $expected($id, $all) && $reactors[$id % 2] === $expected($id % 2, $all) ? 'as told' : json_encode([$workers, $reactors]), "\n";
}
$server->signal(SIGUSR1);
$server->waitForNote('reloaded');
echo 'after a reload: ', look($server, 8) === [$workers, $reactors] ? 'the same' : 'others', "\n";
$master = cpus("/proc/$server->pid");
$server->stop();
echo 'master: ', $master === $all ? 'everywhere' : json_encode($master), "\n";

$server = TestServer::start($script, args: [json_encode(['open_cpu_affinity' => 1, 'cpu_affinity_ignore' => [$all[0]]])]);
[$workers, $reactors] = $server->waitFor(function () use ($server) {
    $seen = look($server, 4);
    return count($seen[1][0] ?? []) === 1 && count($seen[1][1] ?? []) === 1 ? $seen : null;
}, 'pinned reactors');
echo in_array($all[0], array_merge(...$workers, ...$reactors), true) ? "not ignored\n" : "ignored\n";
$server->stop();

$server = TestServer::start($script, args: ['{}']);
[$workers, $reactors] = look($server, 4);
echo array_unique([...$workers, ...$reactors], SORT_REGULAR) === [$all] ? "off by default\n" : "on\n";
$server->stop();
?>
--EXPECT--
worker 0: as told
worker 1: as told
worker 2: as told
worker 3: as told
after a reload: the same
master: everywhere
ignored
off by default
