--TEST--
A full standard output that nobody reads holds no process up: the server starts, serves, reloads and stops; what is lost is counted and told of
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$fifo = sys_get_temp_dir() . '/rotor-fifo-' . bin2hex(random_bytes(5));
posix_mkfifo($fifo, 0600);
$pipe = fopen($fifo, 'r+');
stream_set_blocking($pipe, false);
$fill = function () use ($pipe): void {
    while (fwrite($pipe, str_repeat("\n", 4096)) > 0) {
    }
};
$fill();
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2]);
    $server->on('start', fn () => note('ready'));
    $server->on('afterReload', fn () => note('reloaded'));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $server->stats()['log_lines_dropped'] . "\n"));
    $server->start();
    note('stopped');
    PHP, prefix: ['sh', '-c', 'exec "$0" "$@" > ' . $fifo]);
$dropped = function () use ($server): int {
    $client = $server->connect();
    $client->write('?');
    $count = (int) $client->readLine();
    $client->close();
    return $count;
};
$server->waitForNote('ready');
$server->waitFor(fn () => $dropped() >= 2, 'lines to be lost');
$server->signal(SIGUSR1);
$server->waitForNote('reloaded');
echo "reloaded\n";

// Somebody reads: from now on there are lines again, and one that says what is missing.
$text = '';
$server->waitFor(function () use ($pipe, &$text): bool {
    $text .= fread($pipe, 65536);
    return str_contains($text, 'lines of the log are lost: nobody has read what came before; count=');
}, 'the loss to be told of');
preg_match_all('/^\S+ \S+ warning \S+ pid=\d+: lines of the log are lost: .*; count=\d+$/m', $text, $told);
echo count($told[0]) > 0 ? "told\n" : $text;

$fill();
$server->signal(SIGTERM);
$server->waitForNote('stopped');
$server->wait();
echo "stopped\n";
unlink($fifo);
?>
--EXPECT--
reloaded
told
stopped
