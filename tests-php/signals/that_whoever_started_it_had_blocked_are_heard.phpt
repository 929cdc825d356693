--TEST--
Signals that were blocked when the server was started are heard all the same, in every process
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    // As if by whoever has started the script.
    pcntl_sigprocmask(SIG_BLOCK, [SIGTERM, SIGINT, SIGUSR1, SIGCHLD]);
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->addProcess(new Rotor\Process(fn () => note('process') ?? sleep(1000)));
    $server->on('workerStart', fn () => note('started'));
    $server->on('afterReload', fn () => note('reloaded'));
    $server->on('receive', fn ($server, $fd) => $server->send($fd, getmypid() . "\n"));
    $server->start();
    PHP);
$server->signal(SIGUSR1);
$server->waitForNote('reloaded');
$client = $server->connect();
$client->write('?');
$server->signal(SIGTERM, (int) $client->readLine());
$server->waitForNote('started', 3);
$server->waitForNote('process');
$server->stop();
echo "stopped\n";
?>
--EXPECT--
stopped
