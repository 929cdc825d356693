--TEST--
With daemonize the shell's process ends with a non-zero code when the start fails, and the reason is on its output or in log_file
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'daemonize' => 1, 'log_file' => getenv('ROTOR_LOG')] + match ($argv[1]) {
        'pid file' => ['pid_file' => '/no/such/folder/pid'],
        'memory' => ['ipc_memory' => '1M'],
        'start' => [],
    });
    $server->on('receive', fn () => 0);
    $server->on('start', fn () => $argv[1] === 'start' && exit(3));
    $server->start();
    PHP;
foreach (['pid file' => '/cannot lock pid_file/', 'memory' => '/ipc_memory of 1024 KiB is too small/', 'start' => '/onStart has ended the master/'] as $why => $pattern) {
    [$exit, $output] = TestServer::run($script, args: [$why]);
    echo "$why: ", $exit !== 0 ? 'failed' : 'succeeded', ', ', preg_match($pattern, $output) ? 'told' : "not told: $output", "\n";
}
?>
--EXPECT--
pid file: failed, told
memory: failed, told
start: failed, told
