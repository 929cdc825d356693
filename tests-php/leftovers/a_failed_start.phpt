--TEST--
P8: a start that fails, before the forks or after, ends with a non-zero code and the reason, and leaves no process, port, file or lock
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';

$folder = sys_get_temp_dir() . '/failed-start-' . getmypid();
mkdir($folder);
$script = <<<'PHP'
    $how = json_decode(getenv('HOW'), true);
    // Lets the process have so many more descriptors.
    $limit = function (int $spare): void {
        $used = array_flip(array_map(basename(...), glob('/proc/self/fd/*')));
        for ($number = 0; $spare >= 0; $number++) {
            $spare -= isset($used[$number]) || is_link("/proc/self/fd/$number") ? 0 : 1;
        }
        posix_setrlimit(POSIX_RLIMIT_NOFILE, $number - 1, $number - 1);
    };
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->listen($how['socket'] ?? getenv('ROTOR_TMP') . '/socket', 0, Rotor\Server::SOCK_UNIX_STREAM);
    $server->set($how['set'] + [
        'worker_num' => 2, 'reactor_num' => 2, 'pid_file' => getenv('ROTOR_TMP') . '/pid', 'task_tmpdir' => getenv('ROTOR_TMP'),
        'max_connection' => 20,
    ]);
    $server->on('receive', fn () => 0);
    $server->on('workerStart', fn ($server) => $how['stops'] && $server->shutdown());
    foreach ($how['on'] as $event => $what) {
        $does = fn () => match ($what) {
            'exit' => exit(3),
            'throw' => throw new RuntimeException('on purpose'),
            'memory' => str_repeat('x', 1 << 30),
            'kill' => posix_kill(getmypid(), SIGKILL),
            'descriptors' => $limit($how['spare']),
            // The limit does not hold for root; who is nobody any more may not even kill the manager.
            'threads' => (posix_getuid() || posix_setuid(65534)) && posix_setrlimit(POSIX_RLIMIT_NPROC, 1, 1),
            'address space' => posix_setrlimit(POSIX_RLIMIT_AS, 600 << 20, 600 << 20),
            'listens' => $GLOBALS['other'] = stream_socket_server('tcp://127.0.0.1:' . getenv('ROTOR_PORT')),
        };
        $event === 'before' ? $does() : $server->on($event, $does);
    }
    try {
        $server->start();
    } catch (Rotor\Exception $exception) {
        // The script may go on: no thread, and the port is free.
        $threads = count(scandir('/proc/self/task')) - 2;
        unset($server);
        // Whoever waits for a daemon to be ready has it too.
        $socket = isset($other) || !empty($how['set']['daemonize']) || @stream_socket_server('tcp://127.0.0.1:' . getenv('ROTOR_PORT'));
        echo $exception->getMessage(), $threads > 1 ? "; $threads threads" : '', $socket ? '' : '; port in use', "\n";
        exit(99);
    }
    PHP;

/**
 * Starts, and checks that nothing is left.
 *
 * @return array{int, string}
 */
$try = function (array $set = [], array $on = [], int $spare = 0, bool $stops = false, ?string $socket = null) use ($script): array {
    $how = json_encode(['set' => (object) $set, 'on' => (object) $on, 'spare' => $spare, 'stops' => $stops, 'socket' => $socket]);
    return TestServer::run($script, env: ['HOW' => $how]);
};
$cases = [
    'pid_file is a directory' => [['pid_file' => $folder], [], '~^Rotor.*cannot lock pid_file .*: is a directory~m'],
    'pid_file in no directory' => [['pid_file' => "$folder/none/pid"], [], '~^Rotor.*cannot lock pid_file .*: no such file~m'],
    'log_file is a directory' => [['log_file' => $folder], [], '~^Rotor.*cannot open log_file .*: is a directory~m'],
    'task_tmpdir is not there' => [['task_tmpdir' => "$folder/none"], [], '~task_tmpdir.*~'],
    'ipc_memory is too small' => [['ipc_memory' => '1M'], [], '~^Rotor.*ipc_memory of 1024 KiB is too small~m'],
    'ipc_memory is too large' => [['ipc_memory' => '4G'], ['before' => 'address space'], '~^Rotor.*cannot map .* of shared memory~m'],
    'another listens since' => [[], ['before' => 'listens'], '~^Rotor.*cannot listen on .*address already in use~m'],
    'onStart is killed' => [[], ['start' => 'kill'], '~.*~s'],
    'onStart exits' => [[], ['start' => 'exit'], '~onStart has ended the master~'],
    'onStart fails' => [[], ['start' => 'memory'], '~onStart has ended the master~'],
    'onStart throws' => [[], ['start' => 'throw'], '~onStart has thrown an exception~'],
    'onManagerStart is killed' => [[], ['managerStart' => 'kill'], '~the manager has ended before its workers~'],
    'onManagerStart exits' => [[], ['managerStart' => 'exit'], '~callback in the manager has ended it~'],
    'onManagerStart fails' => [[], ['managerStart' => 'memory'], '~callback in the manager has ended it~'],
    'no threads' => [['pid_file' => ''], ['start' => 'threads'], '~^Rotor.*cannot start the reactors: resource temporarily unavailable~m'],
];
foreach ($cases as $case => [$set, $on, $pattern]) {
    // Who is dead, or nobody, cannot remove files.
    $socket = in_array(current($on), ['kill', 'threads'], true) ? "$folder/socket" : null;
    if ($on === ['start' => 'kill']) {
        $set['pid_file'] = "$folder/pid";
    }
    // A daemon is there before its manager's first callback is over.
    foreach (isset($on['managerStart']) || $on === ['start' => 'kill'] ? [false] : [false, true] as $daemonize) {
        // A daemon's output is its log file.
        $log = $daemonize && !isset($set['log_file']) ? ['log_file' => "$folder/log"] : [];
        [$exit, $output] = $try($set + ['daemonize' => $daemonize] + $log, $on, socket: $socket);
        $output .= (string) @file_get_contents("$folder/log");
        @unlink("$folder/log");
        $told = preg_match($pattern, $output, $match) === 1 && !preg_match('/threads$|port in use/m', $output);
        echo $case, $daemonize ? ', as a daemon: ' : ': ', $exit, $told ? "\n" : " $output\n";
    }
}
unlink("$folder/pid");
unlink("$folder/socket");

// With so few descriptors that the start fails at one step or the next, in one process or the other.
foreach (['before', 'start'] as $when) {
    $results = [];
    for ($spare = 0; end($results) !== 'works' && $spare < 200; $spare += Ledger::isStress() || $when === 'start' ? 1 : 3) {
        [$exit, $output] = $try(['max_connection' => 4], [$when => 'descriptors'], $spare, true);
        $results[] = $exit === 0 ? 'works' : 'fails';
        if ($exit !== 0 && !preg_match('/too many open files|max_connection/', $output) || preg_match('/threads$|port in use/m', $output)) {
            echo "$when, $spare: $exit: $output\n";
        }
    }
    echo "descriptors, $when: ", implode(' ', array_keys(array_count_values($results))), "\n";
}
rmdir($folder);
?>
--EXPECT--
pid_file is a directory: 99
pid_file is a directory, as a daemon: 99
pid_file in no directory: 99
pid_file in no directory, as a daemon: 99
log_file is a directory: 99
log_file is a directory, as a daemon: 99
task_tmpdir is not there: 99
task_tmpdir is not there, as a daemon: 99
ipc_memory is too small: 99
ipc_memory is too small, as a daemon: 99
ipc_memory is too large: 99
ipc_memory is too large, as a daemon: 99
another listens since: 99
another listens since, as a daemon: 99
onStart is killed: -9
onStart exits: 3
onStart exits, as a daemon: 3
onStart fails: 255
onStart fails, as a daemon: 255
onStart throws: 255
onStart throws, as a daemon: 255
onManagerStart is killed: 1
onManagerStart exits: 3
onManagerStart fails: 255
no threads: 99
no threads, as a daemon: 99
descriptors, before: fails works
descriptors, start: fails works
