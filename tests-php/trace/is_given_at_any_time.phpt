--TEST--
trace() tells what a worker does, in the master, the manager and a user process, and why it does not anywhere else
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    function wait_here(string $fifo): void
    {
        fopen($fifo, 'r');
    }
    // Whether this is worker 1 before it has come to fopen(), in which it waits.
    function is_on_its_way(string|false $trace): bool
    {
        $inner = '(#0 (getenv|wait_here|Rotor\\\\Server->send)\(\) \S+\n)?';
        $outer = '#\d \{closure\}\(\) \S+\n#\d Rotor\\\\Server->start\(\) \S+\n#\d \{main\}\(\) \S+\n';
        return preg_match("/\A\N+\n$inner$outer\z/", (string) $trace) === 1;
    }
    $show = function (string $who, Rotor\Server $server): void {
        foreach ([0, 1, 7] as $worker) {
            $end = hrtime(true) + 30_000_000_000;
            do {
                $trace = @$server->trace($worker);
            } while ($worker === 1 && is_on_its_way($trace) && hrtime(true) < $end);
            if ($trace === false) {
                note("$who $worker: false " . $server->getLastError() . ' ' . error_get_last()['message']);
                continue;
            }
            $head = preg_replace(['/^\S+ \S+ /', '/seconds=\d+\.\d{3}/'], ['', 'seconds=N'], strtok($trace, "\n"));
            $pid = $server->getWorkerPid($worker);
            $calls = preg_match_all('/^#\d+ (\S+) .*:\d+$/m', $trace, $matches);
            note("$who $worker: " . str_replace("pid=$pid", 'pid=PID', $head) . ' ' . implode(' ', $matches[1]) . ' ' . substr_count($trace, "\n"));
        }
    };
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'open_eof_split' => true, 'package_eof' => "\n", 'log_file' => getenv('ROTOR_LOG')]);
    foreach (['master' => SIGUSR2, 'manager' => SIGALRM] as $who => $signal) {
        $server->on($who === 'master' ? 'start' : 'managerStart', function ($server) use ($who, $signal, $show) {
            pcntl_async_signals(true);
            pcntl_signal($signal, fn () => $show($who, $server));
            note("$who " . getmypid());
        });
    }
    $server->on('receive', function ($server, $fd, $reactor, $data) use ($show) {
        $server->send($fd, "here\n");
        wait_here(getenv('ROTOR_TMP') . '/fifo');
        $show('worker', $server);
        $server->send($fd, "gone\n");
    });
    $server->start();
    PHP);
$server->waitFor(fn () => count(preg_grep('/^(master|manager) \d+$/', $server->notes())) === 2, 'both');
$pids = [];
foreach (preg_grep('/^(master|manager) \d+$/', $server->notes()) as $note) {
    [$who, $pid] = explode(' ', $note);
    $pids[$who] = (int) $pid;
}
posix_mkfifo("$server->tmp/fifo", 0600);
$client = $server->connect();
$client->write("1\n");
echo $client->readLine(), "\n";
foreach (['master' => SIGUSR2, 'manager' => SIGALRM] as $who => $signal) {
    $server->signal($signal, $pids[$who]);
    $server->waitFor(fn () => count(preg_grep("/^$who [017]:/", $server->notes())) === 3, $who);
}
fclose(fopen("$server->tmp/fifo", 'w'));
echo $client->readLine(), "\n";
unlink("$server->tmp/fifo");
foreach (preg_grep('/^\w+ [017]:/', $server->notes()) as $note) {
    echo $note, "\n";
}
$client->close();
$server->stop();
?>
--EXPECT--
here
gone
master 0: pid=PID worker=0 session=0 seconds=N Rotor\Server->start() {main}() 3
master 1: pid=PID worker=1 session=1 seconds=N callback=onReceive fopen() wait_here() {closure}() Rotor\Server->start() {main}() 6
master 7: false 505 Rotor\Server::trace(): there is no worker 7; they are 0 to 1
manager 0: pid=PID worker=0 session=0 seconds=N Rotor\Server->start() {main}() 3
manager 1: pid=PID worker=1 session=1 seconds=N callback=onReceive fopen() wait_here() {closure}() Rotor\Server->start() {main}() 6
manager 7: false 505 Rotor\Server::trace(): there is no worker 7; they are 0 to 1
worker 0: false 509 Rotor\Server::trace(): an event worker serves; call it in the master, the manager or a user process
worker 1: false 509 Rotor\Server::trace(): an event worker serves; call it in the master, the manager or a user process
worker 7: false 509 Rotor\Server::trace(): an event worker serves; call it in the master, the manager or a user process
