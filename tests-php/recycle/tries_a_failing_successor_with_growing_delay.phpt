--TEST--
A worker that is due and whose successors fail serves on; they are tried with growing delays, and the first good one takes over
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'max_request' => 5, 'max_request_grace' => 0,
        'respawn_max_delay' => 0.4,
    ]);
    $server->on('workerStart', function () {
        note('start ' . hrtime(true));
        if (file_exists(getenv('ROTOR_TMP') . '/bad')) {
            exit(1);
        }
    });
    $server->on('workerError', fn () => note('error'));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, getmypid() . "\n"));
    $server->start();
    PHP);
$client = $server->connect();
$ask = function () use ($client): string {
    $client->write('?');
    return $client->readLine();
};
$first = $ask();
touch("$server->tmp/bad");
$server->allowLog('/successor of worker=0 has failed|exited code=1/');
$server->waitFor(function () use ($ask, $server): bool {
    $ask();
    return count(array_keys($server->notes(), 'error', true)) >= 6;
});
echo $ask() === $first ? "the old one serves\n" : "replaced by a bad one\n";
// The first is the one that serves. Each of the others was forked 0.1, 0.2, 0.4, 0.4 ... s after the failure of the one
// before, which comes behind that one's start.
$starts = array_slice(array_values(preg_grep('/^start/', $server->notes())), 1);
foreach ([0.1, 0.2, 0.4, 0.4, 0.4] as $i => $least) {
    $gap = ((int) substr($starts[$i + 1], 6) - (int) substr($starts[$i], 6)) / 1e9;
    $gap >= $least || print("tried again after $gap s\n");
}
unlink("$server->tmp/bad");
$server->waitFor(fn () => $ask() !== $first, 'a good successor to take over');
echo "a good one took over\n";
$server->stop();
?>
--EXPECT--
the old one serves
a good one took over
