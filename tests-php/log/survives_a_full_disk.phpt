--TEST--
A full disk costs log lines, which are counted, and nothing else
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    symlink('/dev/full', getenv('ROTOR_TMP') . '/log');
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_TMP') . '/log', 'log_rotation' => Rotor\Server::LOG_ROTATION_DAILY]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $server->stats()['log_lines_dropped'] . "\n"));
    $server->start();
    PHP);
$server->expectFile('log');
$client = $server->connect();
$server->waitFor(function () use ($client): bool {
    $client->write('?');
    // Two that were spawned, one that is ready, one that serves.
    return (int) $client->readLine() >= 3;
}, 'lines to be lost');
// There is room again: the loss is told of, by the process that lost them, also if it has nothing else to say.
unlink("$server->tmp/log");
$server->signal(SIGRTMIN);
$server->waitFor(fn () => preg_match(
    '/ warning manager pid=\d+: lines of the log are lost: no space left on device; count=\d+$/m',
    (string) @file_get_contents("$server->tmp/log"),
) === 1, 'the manager to tell of its loss');
$client->close();
$server->stop();
echo "stopped\n";
?>
--EXPECT--
stopped
