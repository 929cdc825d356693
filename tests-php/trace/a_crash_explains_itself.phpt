--TEST--
A worker that crashes is looked at before it dies: the log has the signal, the PHP stack, the session, the build and the extensions
--EXTENSIONS--
rotor
posix
pcntl
ffi
--INI--
ffi.enable=1
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    function crash(string $how): void
    {
        match ($how) {
            'fault' => poke(),
            'abort' => FFI::cdef('void abort(void);')->abort(),
            'overflow' => deeper([1]),
            'sent' => posix_kill(getmypid(), SIGSEGV),
            'busy' => posix_kill(getmypid(), SIGBUS),
            'fork' => forked(),
        };
    }
    function poke(): void
    {
        $pointer = FFI::cdef('')->cast('int *', 16);
        $pointer[0] = 1; // here it pokes
    }
    function deeper(array $more): array
    {
        return array_map('deeper', [$more]); // here it goes deeper
    }
    function forked(): void
    {
        $pid = pcntl_fork();
        if ($pid === 0) {
            poke();
        }
        pcntl_waitpid($pid, $status);
        note('forked ' . pcntl_wtermsig($status));
    }
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'open_eof_split' => true, 'package_eof' => "\n", 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('workerError', fn ($server, $worker, $pid, $code, $signal, $fd) => note("error signal=$signal fd=$fd"));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        crash(trim($data));
        $server->send($fd, "alive\n");
    });
    $server->start();
    PHP, ini: ['ffi.enable' => '1', 'memory_limit' => '-1']);
$server->allowLog('/ (error|warning) worker=0 pid=\d+: (crashed: |#\d+ |its build: |killed by )/');
$server->allowLog('/ manager pid=\d+: (the server is degraded|respawning )/');
$script = dirname($server->tmp) . '/server.php';
$line = fn (string $mark): int => key(preg_grep("/$mark/", file($script))) + 1;
$signals = ['fault' => SIGSEGV, 'abort' => SIGABRT, 'overflow' => SIGSEGV, 'sent' => SIGSEGV, 'busy' => SIGBUS];
$fd = 0;
foreach ($signals as $how => $signal) {
    $fd++;
    $client = $server->connect();
    $client->write("$how\n");
    echo "$how: ", json_encode($client->readToEnd($end)), " $end";
    $server->waitForNote("error signal=$signal fd=$fd");
    [, $pid, $event] = $server->waitForLog("/ error worker=0 pid=(\d+): crashed: (\S+ \S+); session=$fd seconds=\d+\.\d{3} callback=onReceive\n/");
    echo ", ", preg_replace(["/from=$pid$/", '/x[0-9a-f]{6,}$/'], ['from=itself', 'xN'], $event), "\n";
    preg_match_all("/ error worker=0 pid=$pid: (#\d+) (\.\.\. and further|\S+)( .*)?$/m", $server->log(), $frames, PREG_SET_ORDER);
    $shown = array_map(fn (array $frame): string => "$frame[2]" . preg_replace(['/ \S+server\.php:/'], [' '], $frame[3] ?? ''), $frames);
    // Either of the two may be the one for which there is no room any more.
    foreach ($how === 'overflow' ? array_count_values($shown) : array_slice($shown, 0, 4) as $key => $value) {
        echo '  ', is_int($key) ? "#$key $value" : ($value > 30 ? "$key again and again" : $key), "\n";
    }
    $build = preg_match("/ error worker=0 pid=$pid: its build: rotor \d\S+ \(\w+, rustc [^)]+(\(.*\))?\), PHP (\S+), \S+ \S+; extensions: (.*)\n"
        // The master may say only now that it serves.
        . "(?:\S+ \S+ notice master .*\n)?\S+ \S+ error worker=0 pid=$pid: killed by /", $server->log(), $match);
    if ($build !== 1 || $match[2] !== PHP_VERSION || !in_array('rotor', explode(', ', preg_replace('/ [\d.]+[^\s,]*/', '', $match[3])), true)) {
        echo "  build ", json_encode($match), "\n";
    }
}
echo "poke in line ", $line('here it pokes'), ", deeper in line ", $line('here it goes deeper'), "\n";
// One that a callback has forked is none of the server's.
$client = $server->connect();
$client->write("fork\n");
echo "fork: ", $client->readLine(), "\n";
$server->waitForNote('forked ' . SIGSEGV);
echo substr_count($server->log(), 'crashed:'), " crashes\n";
$client->close();
$server->stop();
?>
--EXPECTF--
fault: "" closed, SIGSEGV address=0x10
  #0 poke() 16
  #1 crash() 5
  #2 {closure}() %d
  #3 Rotor\Server->start() %d
abort: "" closed, SIGABRT from=itself
  #0 abort() 6
  #1 crash() 6
  #2 {closure}() %d
  #3 Rotor\Server->start() %d
overflow: "" closed, SIGSEGV address=0xN
  %s() 20 again and again
  %s() 20 again and again
  ... and further
sent: "" closed, SIGSEGV from=itself
  #0 posix_kill() 8
  #1 crash() 8
  #2 {closure}() %d
  #3 Rotor\Server->start() %d
busy: "" closed, SIGBUS from=itself
  #0 posix_kill() 9
  #1 crash() 9
  #2 {closure}() %d
  #3 Rotor\Server->start() %d
poke in line 16, deeper in line 20
fork: alive
5 crashes
