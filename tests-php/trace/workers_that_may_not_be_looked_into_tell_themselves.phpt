--TEST--
Workers of another user, without CAP_SYS_PTRACE: the log says so once, and a late worker tells itself what it does, unharmed
--EXTENSIONS--
rotor
posix
--SKIPIF--
<?php
if (posix_getuid() !== 0) die('skip needs root, to have workers of another user');
if (trim((string) shell_exec('command -v setpriv')) === '') die('skip setpriv(1) is not installed');
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    function nap(): float
    {
        $began = hrtime(true);
        usleep(2_000_000); // here it sleeps
        return (hrtime(true) - $began) / 1e9;
    }
    function loop(float $seconds): string
    {
        $end = microtime(true) + $seconds;
        $turn = 0;
        // Nearly all of the time it makes no call.

        do { $turn = ($turn + 1) & 0xfffff; } while ($turn !== 0 || microtime(true) < $end); // here it loops
        return 'looped';
    }
    // How many rounds take a second of CPU.
    function rounds(): int
    {
        $used = function (): float {
            $usage = getrusage();
            return $usage['ru_utime.tv_sec'] + $usage['ru_utime.tv_usec'] / 1e6;
        };
        for ($began = $used(), $rounds = 0; $used() - $began < 0.1; $rounds += 10_000) {
            hash_pbkdf2('sha256', 'a', 'b', 10_000);
        }
        return 10 * $rounds;
    }
    function compute(int $rounds): string
    {
        hash_pbkdf2('sha256', 'a', 'b', $rounds); // here it computes
        return 'computed';
    }
    $rounds = rounds();
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'open_eof_split' => true, 'package_eof' => "\n", 'log_file' => getenv('ROTOR_LOG'), 'user' => 'nobody',
        'request_slowlog_timeout' => 0.5, 'request_timeout' => 3]);
    $server->on('requestTimeout', function ($server, $worker, $fd) {
        $trace = @$server->trace(0);
        note("timeout $worker $fd " . json_encode([$trace, $server->getLastError()]) . ' ' . (error_get_last()['message'] ?? ''));
    });
    $server->on('receive', function ($server, $fd, $reactor, $data) use ($rounds) {
        $what = trim($data);
        // On a busy machine they take much longer.
        in_array($what, ['nap', 'loop', 'compute'], true) && $server->extendTimeout(3600);
        $answer = match ($what) {
            'who' => posix_getuid(),
            'nap' => nap(),
            'loop' => loop(2),
            'compute' => compute($rounds),
            'sleep for ever' => sleep(600),
            'loop for ever' => loop(600),
        };
        $server->send($fd, "$answer\n");
    });
    $server->start();
    PHP, prefix: ['setpriv', '--bounding-set', '-sys_ptrace', '--inh-caps', '-sys_ptrace']);
$server->allowLog('/ warning worker=[01] pid=\d+: (slow|#\d+ |request_timeout is over|killed: request_timeout is over)/');
$server->allowLog('/ error worker=1 pid=\d+: killed by SIGKILL/');
$server->expectLog('/ warning worker=[01] pid=\d+: cannot be looked into: Operation not permitted/');
$script = dirname($server->tmp) . '/server.php';
$line = fn (string $mark): int => key(preg_grep("/$mark/", file($script))) + 1;
$trace = fn (string $event, int $session, string $function, string $mark): string => sprintf(
    "/ warning worker=%d pid=(\d+): $event; session=$session seconds=\d+\.\d{3} callback=onReceive[^\n]*\n(\S+ \S+ warning worker=\d pid=\g1: #\d \S+ \S+\n)*?"
    . '\S+ \S+ warning worker=\d pid=\g1: #\d %s\(\) %s:%d\n/', $session % 2, $function, preg_quote($script, '/'), $line($mark));
$client = $server->connect(); // 1
$client->write("who\n");
echo $client->readLine() === (string) posix_getpwnam('nobody')['uid'] ? "nobody\n" : "somebody\n";
// Wherever it may not look, the manager has said so before anybody was late.
$server->waitForLog('/cannot be looked into/');
$server->waitFor(fn () => preg_match_all('/^Threads:\s+2$/m', implode(array_map(
    fn (int $pid) => (string) @file_get_contents("/proc/$pid/status"), array_keys(preg_grep('/worker #/', $server->processes()))))) === 2, 'their threads');
$client->write("nap\n");
echo "slept long enough: ", json_encode((float) $client->readLine() >= 2), "\n";
$server->waitForLog($trace('slow', 1, 'usleep', 'here it sleeps'));
$client->write("loop\n");
echo $client->readLine(), "\n";
$server->waitForLog($trace('slow', 1, 'loop', 'here it loops'));
$client->write("compute\n");
echo $client->readLine(), "\n";
$server->waitForLog($trace('slow', 1, 'hash_pbkdf2', 'here it computes'));
echo substr_count($server->log(), ': slow;'), " slow requests\n";
$client->close();
foreach (['sleep' => 3, 'loop' => 5] as $how => $session) {
    $server->request("who\n", 1); // the even sessions are the other worker's
    $client = $server->connect();
    $client->write("$how for ever\n");
    echo json_encode($client->readToEnd($end)), " $end\n";
    $server->waitForLog("/ warning worker=1 pid=\d+: request_timeout is over; session=$session .*\n.* warning worker=1 pid=\d+: #0 $how\(\) "
        . preg_quote($script, '/') . ":\d+\n/");
    $server->waitForLog("/ warning worker=1 pid=\d+: killed: request_timeout is over; session=$session seconds=\d+\.\d{3} callback=onReceive state=\w/");
}
$server->waitFor(fn () => count($server->notes()) === 2, 'both timeouts');
foreach ($server->notes() as $note) {
    echo preg_replace('/pid \d+/', 'pid N', $note), "\n";
}
echo substr_count($server->log(), 'cannot be looked into'), " time\n";
$server->stop();
?>
--EXPECT--
nobody
slept long enough: true
looped
computed
3 slow requests
"" closed
"" closed
timeout 1 3 [false,1] Rotor\Server::trace(): cannot look into worker 0 (pid N): operation not permitted; it needs the same user, or CAP_SYS_PTRACE, and a kernel (Yama) that allows it
timeout 1 5 [false,1] Rotor\Server::trace(): cannot look into worker 0 (pid N): operation not permitted; it needs the same user, or CAP_SYS_PTRACE, and a kernel (Yama) that allows it
1 time
