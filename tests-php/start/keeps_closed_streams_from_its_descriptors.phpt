--TEST--
A server that is started without standard streams, or whose script has closed them, has none of its descriptors under their numbers: what workers print reaches nobody
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    if ($argv[1] === 'script') {
        array_map(fclose(...), [STDIN, STDOUT, STDERR]);
    }
    $process = new Rotor\Process(fn () => note('process') ?? sleep(1000));
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->addProcess($process);
    // PHP's own have the first free numbers: its script, what is included before it.
    $show = fn (string $who) => note("$who: " . implode(' ', array_map(
        fn ($number) => preg_replace('#^/.*\.php$#', 'script', readlink("/proc/self/fd/$number")),
        [0, 1, 2],
    )));
    $server->on('start', fn () => $show('master'));
    $server->on('managerStart', fn () => $show('manager'));
    $server->on('workerStart', fn () => $show('worker'));
    $server->on('receive', function ($server, $fd, $reactor, $data) use ($argv) {
        $argv[1] === 'script' && print str_repeat('x', 100_000);
        $server->send($fd, $data);
    });
    $server->start();
    PHP;
foreach (['shell' => ['sh', '-c', 'exec "$0" "$@" <&- >&- 2>&-'], 'script' => []] as $who => $prefix) {
    $server = TestServer::start($script, args: [$who], prefix: $prefix);
    $server->waitForNote('process');
    echo $server->request("$who\n");
    $server->stop();
    $notes = array_diff($server->notes(), ['process']);
    sort($notes);
    echo implode(', ', $notes), "\n";
}
?>
--EXPECT--
shell
manager: script script /dev/null, master: script script /dev/null, worker: script script /dev/null
script
manager: /dev/null /dev/null /dev/null, master: /dev/null /dev/null /dev/null, worker: /dev/null /dev/null /dev/null
