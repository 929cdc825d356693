--TEST--
A signal that reaches a worker or the manager while its shutdown functions run changes nothing: it ends in order, with its own exit code
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $late = function (string $who): void {
        $pid = getmypid();
        register_shutdown_function(function () use ($who, $pid): void {
            // A worker has its manager's function too.
            if (getmypid() !== $pid) {
                return;
            }
            foreach ([SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP] as $signal) {
                posix_kill(getmypid(), $signal);
            }
            note("$who ends");
        });
    };
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('managerStart', fn () => $late('the manager'));
    $server->on('workerStart', fn () => $late('a worker'));
    $server->on('workerError', fn () => note('a crash'));
    $server->on('receive', fn () => 0);
    note(json_encode($server->start()));
    PHP);
$server->signal(SIGUSR1);
$server->waitForNote('a worker ends');
$server->signal(SIGTERM);
$server->waitForNote('true');
echo implode("\n", $server->notes()), "\n";
$server->wait();
?>
--EXPECT--
a worker ends
a worker ends
the manager ends
true
