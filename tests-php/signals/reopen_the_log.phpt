--TEST--
SIGUSR1, SIGRTMIN and SIGWINCH open log_file anew in every process, so that it can be moved away
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_TMP') . '/log', 'log_level' => Rotor\Server::LOG_NOTICE]);
    $server->on('workerStart', fn ($server, $id) => note("worker $id is " . getmypid()));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->start();
    note('stopped');
    PHP);
$log = "$server->tmp/log";
$holders = function (string $path) use ($server) {
    $count = 0;
    foreach (array_keys($server->processes()) as $pid) {
        foreach (glob("/proc/$pid/fd/*") as $link) {
            $count += @readlink($link) === $path ? 1 : 0;
        }
    }
    return $count;
};
$server->waitFor(fn () => count($server->notes()) === 2, 'two workers');
// Reactors share the master's.
$server->waitFor(fn () => $holders($log) === 4, 'four holders');
foreach (['SIGRTMIN' => 34, 'SIGWINCH' => SIGWINCH, 'SIGUSR1' => SIGUSR1] as $name => $signal) {
    rename($log, "$log.$name");
    $server->expectFile("log.$name");
    $server->signal($signal);
    $server->waitFor(fn () => $holders("$log.$name") === 0 && $holders($log) === 4, "four to reopen after $name");
    echo $name, ': ', $server->request('hello'), "\n";
}
$server->expectFile('log');
$server->signal(SIGTERM);
$server->waitForNote('stopped');
echo preg_match('/ reloaded\n.* stopped\n/s', file_get_contents($log)), "\n";
$server->wait();
?>
--EXPECT--
SIGRTMIN: hello
SIGWINCH: hello
SIGUSR1: hello
1
