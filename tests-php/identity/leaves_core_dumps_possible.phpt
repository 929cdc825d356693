--TEST--
A worker that has become another user may dump core and be traced by that user, unless process_dumpable is off
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

foreach ([[], ['process_dumpable' => true], ['process_dumpable' => false]] as $settings) {
    $server = TestServer::start(<<<'PHP'
        touch(getenv('ROTOR_NOTES'));
        chmod(getenv('ROTOR_NOTES'), 0666);
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'user' => 'nobody'] + json_decode($argv[1], true));
        $server->on('workerStart', fn () => note((string) getmypid()));
        $server->on('receive', fn () => 0);
        $server->start();
        PHP, args: [json_encode($settings)]);
    $pid = $server->waitFor(fn () => $server->notes()[0] ?? null, 'the worker');
    // The kernel gives the files of a process that may not be looked into to root.
    $owner = posix_getpwuid(fileowner("/proc/$pid/environ"))['name'];
    echo json_encode($settings), ": $owner\n";
    $server->stop();
}
?>
--EXPECT--
[]: nobody
{"process_dumpable":true}: nobody
{"process_dumpable":false}: root
