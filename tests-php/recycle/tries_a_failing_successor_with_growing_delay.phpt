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
        note('start');
        if (file_exists(getenv('ROTOR_TMP') . '/bad')) {
            exit(1);
        }
    });
    $server->on('workerError', fn () => note(sprintf('error %.3f', microtime(true))));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, getmypid() . "\n"));
    $server->start();
    PHP);
touch("$server->tmp/bad");
$client = $server->connect();
$ask = function () use ($client): string {
    $client->write('?');
    return $client->readLine();
};
$first = $ask();
$server->allowLog('/successor of worker=0 has failed|exited code=1/');
$errors = fn (): array => array_values(array_filter($server->notes(), fn ($note) => str_starts_with($note, 'error')));
$server->waitFor(function () use ($ask, $errors): bool {
    $ask();
    return count($errors()) >= 6;
});
echo $ask() === $first ? "the old one serves\n" : "replaced by a bad one\n";
$times = array_map(fn ($note) => (float) substr($note, 6), $errors());
// 0.1, 0.2, 0.4, 0.4 ... after each failure: never sooner.
$gaps = array_map(fn ($i) => $times[$i + 1] - $times[$i], range(0, 4));
foreach ([0.1, 0.2, 0.4, 0.4, 0.4] as $i => $least) {
    $gaps[$i] >= $least - 0.01 || print("tried again after $gaps[$i] s\n");
}
unlink("$server->tmp/bad");
$server->waitFor(fn () => $ask() !== $first, 'a good successor to take over');
echo "a good one took over\n";
$server->stop();
?>
--EXPECT--
the old one serves
a good one took over
