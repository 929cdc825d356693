--TEST--
A second SIGTERM or SIGINT, a second or more after the first, ends what still works; two at once count as one
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$start = fn () => TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        note("works on $data");
        $until = microtime(true) + (float) $data;
        while (($left = $until - microtime(true)) > 0) {
            usleep((int) ($left * 1e6));
        }
        $server->send($fd, 'done');
    });
    $server->on('shutdown', fn () => note('shutdown'));
    note(json_encode($server->start()));
    PHP);
foreach ([SIGTERM, SIGINT] as $signal) {
    // Work that would take longer than a stop may.
    $server = $start();
    $client = $server->connect();
    $client->write('1000');
    $server->waitForNote('works on 1000');
    $server->signal($signal);
    $server->waitForLog('/ stopping$/m');
    // The first one's second has to pass.
    $since = microtime(true);
    $server->waitFor(fn () => microtime(true) - $since > 1.1);
    echo $server->isRunning() ? 'waits, ' : 'ended, ';
    $server->signal($signal);
    echo json_encode($client->readToEnd()), ', ';
    $server->expectLog('/kills worker=\d pid=\d+: a second signal; session=1/');
    $server->allowLog('/killed by SIGKILL|its message is lost/');
    $server->waitForNote('shutdown');
    $server->waitForNote('true');
    $spawned = preg_match_all('/: spawned;/', $server->log());
    $server->wait();
    echo "$spawned spawned, stopped\n";
}
// As a supervisor does that signals the whole group.
$server = $start();
$client = $server->connect();
$client->write('0.2');
$server->waitForNote('works on 0.2');
for ($i = 0; $i < 5; $i++) {
    $server->signal(SIGTERM);
}
echo $client->readToEnd(), "\n";
$server->wait();
?>
--EXPECT--
waits, "", 2 spawned, stopped
waits, "", 2 spawned, stopped
done
