--TEST--
P8: a root that may not signal others' processes says so at start(); its workers end with it all the same, however it ends
--EXTENSIONS--
rotor
posix
pcntl
--SKIPIF--
<?php
posix_getuid() === 0 || print('skip needs root');
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

foreach (['stop', 'kill the master', 'kill the manager', 'kill both'] as $how) {
    $server = TestServer::start(<<<'PHP'
        // Said at the start, before anything was forked.
        set_error_handler(fn ($level, $message) => print("said: $message\n"));
        touch(getenv('ROTOR_NOTES'));
        chmod(getenv('ROTOR_NOTES'), 0666);
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'user' => 'nobody']);
        $server->on('workerStart', fn ($server) => note("ready $server->manager_pid"));
        $server->on('receive', fn () => 0);
        $server->start();
        PHP, prefix: ['setpriv', '--bounding-set', '-kill']);
    $server->waitFor(fn () => count($server->notes()) === 2, 'both workers');
    preg_match_all('/^said: (.*)/m', $server->log(), $said);
    echo "$how: ", json_encode($said[1]), "\n";
    $manager = (int) substr($server->notes()[0], 6);
    $server->allowLog('/the master has died|the manager has ended before its workers|the server ends at once|manager has died/');
    if ($how === 'kill both') {
        // It must not see the manager's death before its own.
        $server->signal(SIGSTOP);
    }
    if ($how === 'kill the manager' || $how === 'kill both') {
        $server->signal(SIGKILL, $manager);
    }
    if ($how === 'kill the manager') {
        // The master ends by itself. The workers see the end of a pipe, and may need a moment more.
        $server->waitFor(fn () => $server->processes() === [], 'the end of all processes');
        $server->wait(1);
    } elseif ($how === 'stop') {
        $server->stop();
    } else {
        $server->kill();
    }
}
?>
--EXPECT--
stop: ["Rotor\\Server::start(): user: without CAP_KILL this process cannot signal workers of another user: one that hangs is not ended by force"]
kill the master: ["Rotor\\Server::start(): user: without CAP_KILL this process cannot signal workers of another user: one that hangs is not ended by force"]
kill the manager: ["Rotor\\Server::start(): user: without CAP_KILL this process cannot signal workers of another user: one that hangs is not ended by force"]
kill both: ["Rotor\\Server::start(): user: without CAP_KILL this process cannot signal workers of another user: one that hangs is not ended by force"]
