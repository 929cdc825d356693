--TEST--
A file that may not grow (ulimit -f) is as a full disk: it costs log lines, and a start that has no room fails with the reason
--EXTENSIONS--
rotor
posix
--SKIPIF--
<?php
exec('prlimit --version 2>/dev/null', $output, $code) === false || $code !== 0 and print 'skip prlimit (util-linux) is not there';
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $log = getenv('ROTOR_TMP') . '/log';
    if ($argv[1] === 'log') {
        // A hole: nothing of it is on the disk.
        $file = fopen($log, 'c');
        ftruncate($file, 1 << 32);
        fclose($file);
    }
    $server->set(['worker_num' => 1, 'log_file' => $log]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $server->stats()['log_lines_dropped'] . "\n"));
    try {
        $server->start();
    } catch (Rotor\Exception $e) {
        unlink($log);
        echo $e->getMessage(), "\n";
        exit(2);
    }
    PHP;
$server = TestServer::start($script, args: ['log'], prefix: ['prlimit', '--fsize=' . (1 << 32)]);
$server->expectFile('log');
$client = $server->connect();
$server->waitFor(function () use ($client): bool {
    $client->write('?');
    return (int) $client->readLine() >= 3;
}, 'lines to be lost');
$client->close();
$server->stop();
echo "stopped\n";
try {
    TestServer::start($script, args: ['start'], prefix: ['prlimit', '--fsize=100000']);
} catch (RuntimeException $e) {
    echo $e->getMessage(), "\n";
}
?>
--EXPECTF--
stopped
the server ended before it was ready, exit code 2:
Rotor\Server::start(): %s: file too large%S
