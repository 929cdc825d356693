--TEST--
Process::signal() calls back from a loop, a sleep, a read and between two callbacks of a worker; null puts back what was before; the server's signals are refused
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    use Rotor\Process;

    function told(string $about, callable $call): void
    {
        set_error_handler(function (int $level, string $message) use ($about) {
            note("$about: $message");
        });
        $result = $call();
        restore_error_handler();
        $result === true && note("$about: done");
    }

    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'respawn_max_delay' => 0.01]);
    $server->addProcess(new Process(function (Process $process) {
        Process::signal(SIGUSR1, function (int $signal) use (&$come) {
            $come || note("signal $signal");
            $come = true;
        });
        // Again and again: the first may come before there is anything that it could end.
        $signalled = function (callable $call) use (&$come): mixed {
            $come = false;
            $child = pcntl_fork();
            while ($child === 0) {
                usleep(30_000);
                posix_kill(posix_getppid(), SIGUSR1);
            }
            $result = $call();
            posix_kill($child, SIGKILL);
            while (pcntl_waitpid($child, $status) !== $child);
            return $result;
        };
        $signalled(function () use (&$come) {
            while (!$come);
        });
        note('out of the loop');
        note($signalled(fn () => sleep(1000)) > 0 ? 'out of the sleep' : 'slept all the time');
        note('read gives ' . json_encode($signalled(fn () => $process->read())));
        // An exception of the callback comes out of what was running.
        Process::signal(SIGUSR2, fn () => throw new LogicException('in the callback'));
        try {
            posix_kill(getmypid(), SIGUSR2);
            for (;;);
        } catch (LogicException $e) {
            note($e->getMessage());
        }
        // Two at once run one after the other, also where the first brings the second about.
        Process::signal(SIGUSR1, function () {
            posix_kill(getmypid(), SIGUSR2);
            for ($i = 0; $i < 1000; $i++);
            note('the first ends');
        });
        Process::signal(SIGUSR2, fn () => note('the second begins'));
        posix_kill(getmypid(), SIGUSR1);
        usleep(1);
        told('null', fn () => Process::signal(SIGUSR1, null));
        told('null again', fn () => Process::signal(SIGUSR1));
        posix_kill(getmypid(), SIGUSR1);
        told('0', fn () => Process::signal(0, fn () => null));
        told('9', fn () => Process::signal(SIGKILL, fn () => null));
        note('end');
        sleep(1000);
    }));
    $server->on('workerStart', function ($server) {
        told('SIGTERM in a worker', fn () => Process::signal(SIGTERM, fn () => null));
        Process::signal(SIGUSR2, fn (int $signal) => note("worker gets $signal"));
        note("worker $server->worker_pid");
    });
    $server->on('managerStart', function () {
        told('SIGCHLD in the manager', fn () => Process::signal(SIGCHLD, fn () => null));
    });
    $server->on('receive', fn () => null);
    // Before a server, and for its end.
    Process::signal(SIGUSR1, fn () => note('never, while the server runs'));
    Process::signal(SIGALRM, fn () => note('SIGALRM'));
    $server->start();
    posix_kill(getmypid(), SIGALRM);
    usleep(1);
    PHP);
$server->waitForNote('end');
$own = preg_grep('/worker|manager/', $server->notes(), PREG_GREP_INVERT);
echo implode("\n", $own), "\n--\n";
sscanf(current(preg_grep('/^worker \d/', $server->notes())), 'worker %d', $pid);
$server->signal(SIGUSR2, $pid);
$server->waitForNote('worker gets ' . SIGUSR2);
$refused = preg_grep('/ in (a|the) (worker|manager)/', $server->notes());
sort($refused);
echo implode("\n", $refused), "\n--\n";
$server->stop();
echo implode("\n", array_slice($server->notes(), -1)), "\n";
?>
--EXPECT--
signal 10
out of the loop
signal 10
out of the sleep
signal 10
read gives false
in the callback
the first ends
the second begins
null: done
null again: Rotor\Process::signal(): signal 10 has no callback
0: Rotor\Process::signal(): $signal_no must be 1 to 64, 0 given
9: Rotor\Process::signal(): cannot handle signal 9: invalid argument
end
--
SIGCHLD in the manager: Rotor\Process::signal(): SIGCHLD is the server's in this process
SIGTERM in a worker: Rotor\Process::signal(): SIGTERM is the server's in this process
--
SIGALRM
