--TEST--
What a process or its server cannot do is refused with the reason
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

[$exit, $output] = TestServer::run(<<<'PHP'
    use Rotor\{Process, Server};

    function told(callable $call): void
    {
        try {
            $result = $call();
            echo json_encode($result), "\n";
        } catch (Throwable $e) {
            echo get_class($e), ': ', $e->getMessage(), "\n";
        }
    }

    set_error_handler(function (int $level, string $message): bool {
        error_reporting() & $level && print("Warning: $message\n");
        return true;
    });
    $nothing = fn () => null;
    told(fn () => new Process('no function'));
    told(fn () => new Process($nothing, false, 2, true));
    told(fn () => new Process($nothing, false, 3));
    told(fn () => new Process($nothing, [], 3));
    told(fn () => (new Process($nothing, false, 0))->write('x'));
    told(fn () => (new Process($nothing, false, 0))->read());
    told(fn () => (new Process($nothing, false, 0))->close());
    told(fn () => (new Process($nothing, false, 0))->setTimeout(1));
    told(fn () => (new Process($nothing))->write(''));
    told(fn () => (new Process($nothing))->write(str_repeat('x', 10_000_000)));
    told(fn () => (new Process($nothing))->read(0));
    told(fn () => (new Process($nothing))->close(5));
    told(fn () => (new Process($nothing))->exit(1));
    told(fn () => (new Process($nothing))->__construct($nothing));
    told(fn () => clone new Process($nothing));
    told(fn () => serialize(new Process($nothing)));
    told(fn () => Process::kill(getmypid(), 100));
    told(fn () => Process::kill(4_194_305, 0));
    told(fn () => Process::kill(PHP_INT_MAX, 0));
    told(fn () => Process::signal(SIGUSR1, 'no function'));
    told(fn () => Process::signal(SIGKILL, null));

    $server = new Server('127.0.0.1', 0);
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    told(fn () => $server->addProcess(new stdClass()));
    told(fn () => $server->addProcess(null));
    class Forgetful extends Process
    {
        public function __construct()
        {
        }
    }
    told(fn () => $server->addProcess(new Forgetful()));
    told(fn () => (new Forgetful())->read());
    class Remembering extends Process
    {
        public string $own = 'property';
    }
    $said = getenv('ROTOR_TMP') . '/said';
    $process = new Remembering(function (Remembering $process) use ($server, $said) {
        // One after the other.
        while (!@unlink($said)) {
            usleep(1000);
        }
        told(fn () => [$process->own, $process->start(), $server->addProcess($process), Process::daemon()]);
        told(fn () => Process::wait());
        $server->shutdown();
        sleep(1000);
    });
    told(fn () => [$server->addProcess($process), $server->addProcess($process), $process->start()]);
    $started = new Process($nothing);
    $started->start();
    Process::wait();
    told(fn () => $server->addProcess($started));
    $server->on('managerStart', function () use ($process, $said) {
        told(fn () => [Process::wait(false), $process->exit()]);
        // Not touch(): that does something more to the file, which may be gone by then.
        file_put_contents($said, '');
    });
    $server->on('receive', $nothing);
    $server->start();
    told(fn () => $server->addProcess(new Process($nothing)));
    PHP);
echo preg_replace('/^.* notice .*\n/m', '', $output), "exit $exit\n";
?>
--EXPECTF--
TypeError: Rotor\Process::__construct(): Argument #1 ($callback) must be a valid callback, function "no function" not found or invalid function name
Rotor\Exception: Rotor\Process::__construct(): $enable_coroutine must be false, true given; Rotor has no coroutines; the callback runs as ordinary code
Rotor\Exception: Rotor\Process::__construct(): $pipe_type must be 0 (none), 1 (stream) or 2 (datagrams), 3 given
TypeError: Rotor\Process::__construct(): Argument #2 ($redirect_stdin_and_stdout) must be of type bool, array given
Warning: Rotor\Process::write(): the process has no pipe, or its end is closed
false
Warning: Rotor\Process::read(): the process has no pipe, or its end is closed
false
Warning: Rotor\Process::close(): the process has no pipe, or its end is closed
false
Warning: Rotor\Process::setTimeout(): the process has no pipe, or its end is closed
false
Warning: Rotor\Process::write(): the data is empty; there is nothing to write
false
Warning: Rotor\Process::write(): cannot write to the pipe: message too long
false
Warning: Rotor\Process::read(): $size must be a positive number of bytes, 0 given
false
Warning: Rotor\Process::close(): $which must be 0 (both ends) or a PIPE_ constant, 5 given
false
Warning: Rotor\Process::exit(): this is not the process itself; kill() ends another one
null
Rotor\Exception: Rotor\Process::__construct(): the process was constructed before
Error: Trying to clone an uncloneable object of class Rotor\Process
Exception: Serialization of 'Rotor\Process' is not allowed
Warning: Rotor\Process::kill(): cannot send signal 100 to process %d: invalid argument
false
false
Warning: Rotor\Process::kill(): cannot send signal 0 to process 9223372036854775807: invalid argument
false
TypeError: Rotor\Process::signal(): Argument #2 ($callback) must be a valid callback, function "no function" not found or invalid function name
Warning: Rotor\Process::signal(): signal 9 has no callback
false
TypeError: Rotor\Server::addProcess(): Argument #1 ($process) must be of type Rotor\Process, stdClass given
TypeError: Rotor\Server::addProcess(): Argument #1 ($process) must be of type Rotor\Process, null given
Rotor\Exception: Rotor\Server::addProcess(): argument #1: parent::__construct() was not called
Rotor\Exception: Rotor\Process::read(): parent::__construct() was not called
Warning: Rotor\Server::addProcess(): the process was added or started before; make another one
Warning: Rotor\Process::start(): the server runs this process, or this is the process itself; it cannot be started
[0,false,false]
Warning: Rotor\Server::addProcess(): the process was added or started before; make another one
false
Warning: Rotor\Process::wait(): the children of this process are the server's, which waits for them itself; name yours to pcntl_waitpid()
Warning: Rotor\Process::exit(): this is not the process itself; kill() ends another one
[false,null]
Warning: Rotor\Process::start(): the server runs this process, or this is the process itself; it cannot be started
Warning: Rotor\Server::addProcess(): server is running; call it before start()
Warning: Rotor\Process::daemon(): a process of a running server cannot leave it; set daemonize instead
["property",false,false,false]
false
Warning: Rotor\Server::addProcess(): server is running; call it before start()
false
exit 0
