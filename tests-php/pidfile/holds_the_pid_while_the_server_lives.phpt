--TEST--
pid_file has the master's pid and is locked while the server lives; it is removed at the end, and a stale one is no obstacle
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', $argv[2] ?? false ? 0 : (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'pid_file' => $argv[1]]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->start();
    PHP;
$folder = sys_get_temp_dir() . '/pidfile-' . getmypid();
mkdir($folder);
$path = "$folder/server.pid";

/** A server listens a moment before its pid is in the file. */
$waitForPid = fn (TestServer $server) => $server->waitFor(fn (): bool => (int) @file_get_contents($path) === $server->pid, 'the pid in the file');

$server = TestServer::start($script, args: [$path]);
$waitForPid($server);
echo $server->request('first'), "\n";

[$exit, $output] = TestServer::run($script, args: [$path, 'second']);
echo $exit, ' ', preg_match('/Uncaught Rotor.Exception: (.*) in /', $output, $match) ? str_replace([$path, (string) $server->pid], ['PATH', 'PID'], $match[1]) : $output, "\n";
echo (int) file_get_contents($path) === $server->pid ? "untouched\n" : "overwritten\n";
echo $server->request('still there'), "\n";

// A crash leaves the file, and the next start takes it over.
$server->kill();
echo file_exists($path) ? "stale\n" : "gone\n";
$server = TestServer::start($script, args: [$path]);
$waitForPid($server);
$server->stop();
echo file_exists($path) ? "left\n" : "removed\n";

// The number of a process that lives, but is no server.
file_put_contents($path, getmypid());
$server = TestServer::start($script, args: [$path]);
$server->stop();
echo file_exists($path) ? "left\n" : "removed\n";

// A reload keeps it; somebody else may remove it.
$server = TestServer::start($script, args: [$path]);
$server->signal(SIGUSR1);
$server->waitForLog('/ reloaded$/m');
echo (int) file_get_contents($path) === $server->pid ? "kept\n" : "lost\n";
unlink($path);
$server->stop();

[$exit, $output] = TestServer::run($script, args: ["$folder/no/such/folder/pid"]);
echo $exit, ' ', preg_match('/Uncaught Rotor.Exception: (.*) in /', $output, $match) ? str_replace($folder, '', $match[1]) : $output, "\n";
rmdir($folder);
?>
--EXPECTF--
first
255 Rotor\Server::start(): cannot lock pid_file PATH: a running server holds it (pid PID)
untouched
still there
stale
removed
removed
kept
255 Rotor\Server::start(): cannot lock pid_file /no/such/folder/pid: %s
