--TEST--
The helper reports a server that ends before it is ready with its output, and checks one that the test forgets
--EXTENSIONS--
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/plain_server.inc.php';

try {
    TestServer::start('echo "not today\n"; exit(7);', extension: false);
} catch (RuntimeException $death) {
    echo $death->getMessage();
}

[$exit, $output] = TestServer::run('fwrite(STDERR, "Warning: of mine\n"); exit(4);', extension: false);
echo "$exit $output";

// Without a port, and ended by SIGKILL.
$server = TestServer::start('pcntl_fork(); ready(); while (true) { sleep(60); }', extension: false);
$server->waitFor(fn () => count($server->processes()) === 2);
$child = array_key_last($server->processes());
$server->signal(SIGKILL, $child);
$server->kill();

// A daemon: its first process ends, the other is stopped by its pid.
$daemon = "if (pcntl_fork()) exit(0); posix_setsid(); file_put_contents(getenv('ROTOR_TMP') . '/pid', getmypid());";
$server = TestServer::start(plain_server($daemon, "unlink(getenv('ROTOR_TMP') . '/pid');"), extension: false);
echo $server->request('daemon'), "\n";
$server->stop(pid: (int) file_get_contents("$server->tmp/pid"));

$forgotten = TestServer::start(plain_server(last: 'exit(5);'), extension: false);
?>
--EXPECT--
the server ended before it was ready, exit code 7:
not today
4 Warning: of mine
daemon
FAIL server: exit code 5, expected 0
--- the server's output and log
---
