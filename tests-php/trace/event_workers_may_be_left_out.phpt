--TEST--
With trace_event_worker off slow callbacks are told of nowhere and counted nowhere; request_timeout holds for them all the same
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'request_slowlog_timeout' => 0.05, 'request_timeout' => 3,
        'trace_event_worker' => $argv[1] === 'on',
    ]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        // Many times what is slow, in a worker that anybody may look into.
        for ($end = microtime(true) + (int) $data; microtime(true) < $end;) {
            usleep(10_000);
        }
        $server->send($fd, json_encode($server->stats()['slow_request_count']));
    });
    $server->on('requestTimeout', fn ($server, $id, $fd) => note("ended $fd"));
    $server->start();
    PHP;
foreach (['on', 'off'] as $state) {
    $server = TestServer::start($script, args: [$state]);
    $server->allowLog('/ slow; |: #\d+ |request_timeout|SIGKILL/');
    $client = $server->connect();
    $client->write('1');
    echo "$state: ", $client->read(1), ' counted, ';
    $client->write('600');
    echo json_encode($client->readToEnd()), ', ';
    $server->waitForNote('ended 1');
    $server->stop();
    echo str_contains($server->log(), ' slow; session=1 ') ? 'told of' : 'not told of', "\n";
}
?>
--EXPECT--
on: 1 counted, "", told of
off: 0 counted, "", not told of
