--TEST--
Events of connections are refused where those keep no worker, unless enable_unsafe_event is set; the peer's names take them out with a warning
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP')] + SETTINGS);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        note('message');
        $server->send($fd, $data);
    });
    EVENTS
    try {
        var_dump($server->start());
    } catch (Rotor\Exception $exception) {
        echo $exception->getMessage(), "\n";
    }
    PHP;
$with = fn (array $settings, string $events): string
    => str_replace(['SETTINGS', 'EVENTS'], [var_export($settings, true), $events], $script);
$hear = fn (string $event): string => "\$server->on('$event', fn () => note('$event'));\n";

foreach ([1, 3, 7] as $mode) {
    echo TestServer::run($with(['dispatch_mode' => $mode], $hear('connect')))[1];
}
echo TestServer::run($with(['dispatch_mode' => 1], $hear('bufferEmpty')))[1];
$port = <<<'PHP'
    $port = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    $port->on('close', fn () => null);
    PHP;
echo TestServer::run($with(['dispatch_mode' => 1], $port))[1];

$serve = function (string $script, array $notes, array $ini = []): void {
    $server = TestServer::start($script, $ini);
    $ini === [] || $server->expectLog('/the callback is removed/');
    foreach (range(1, 20) as $number) {
        echo $server->request("$number") === "$number" ? '' : "message $number has no answer\n";
    }
    foreach ($notes as $note) {
        $server->waitForNote($note, 20);
    }
    $server->stop();
    $counts = array_count_values($server->notes());
    ksort($counts);
    preg_match_all('/^Warning: (.*) in /m', $server->log(), $warnings);
    echo json_encode($counts), "\n", implode("\n", [...$warnings[1], '']);
};
$events = $hear('connect') . $hear('close');
foreach ([1, 3, 5, 6, 7, 9, 10] as $mode) {
    $serve($with(['dispatch_mode' => $mode, 'enable_unsafe_event' => true], $events), ['connect', 'close']);
}
foreach ([2, 4, 8] as $mode) {
    $serve($with(['dispatch_mode' => $mode], $events), ['connect', 'close']);
}
$serve($with(['dispatch_mode' => 1], $events), [], ['rotor.swoole_aliases' => '1']);
?>
--EXPECT--
Rotor\Server::start(): the event "connect" needs connections that keep their worker, and in dispatch_mode 1 they do not; choose mode 2, 4 or 8, leave the callback out, or set enable_unsafe_event
Rotor\Server::start(): the event "connect" needs connections that keep their worker, and in dispatch_mode 3 they do not; choose mode 2, 4 or 8, leave the callback out, or set enable_unsafe_event
Rotor\Server::start(): the event "connect" needs connections that keep their worker, and in dispatch_mode 7 they do not; choose mode 2, 4 or 8, leave the callback out, or set enable_unsafe_event
Rotor\Server::start(): the event "bufferempty" needs connections that keep their worker, and in dispatch_mode 1 they do not; choose mode 2, 4 or 8, leave the callback out, or set enable_unsafe_event
Rotor\Server::start(): the event "close" on port 1 needs connections that keep their worker, and in dispatch_mode 1 they do not; choose mode 2, 4 or 8, leave the callback out, or set enable_unsafe_event
{"close":20,"connect":20,"message":20}
{"close":20,"connect":20,"message":20}
{"close":20,"connect":20,"message":20}
{"close":20,"connect":20,"message":20}
{"close":20,"connect":20,"message":20}
{"close":20,"connect":20,"message":20}
{"close":20,"connect":20,"message":20}
{"close":20,"connect":20,"message":20}
{"close":20,"connect":20,"message":20}
{"close":20,"connect":20,"message":20}
{"message":20}
Rotor\Server::start(): the event "connect" needs connections that keep their worker, and in dispatch_mode 1 they do not; the callback is removed
Rotor\Server::start(): the event "close" needs connections that keep their worker, and in dispatch_mode 1 they do not; the callback is removed
