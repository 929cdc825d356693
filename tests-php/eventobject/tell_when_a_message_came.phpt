--TEST--
The dispatch_time of an event is when the message was received, however late its callback runs; in modes without a worker of their own, with unsafe events, too
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

foreach ([2, 1, 3] as $mode) {
    $server = TestServer::start(<<<'PHP'
        use Rotor\Server;
        use Rotor\Server\Event;

        $server = new Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set([
            'worker_num' => 1, 'dispatch_mode' => (int) $argv[1], 'enable_unsafe_event' => true, 'event_object' => true,
            'open_eof_split' => true, 'package_eof' => "\n", 'log_file' => getenv('ROTOR_LOG'),
        ]);
        $seen = null;
        $server->on('connect', fn (Server $server, Event $event) => note("connect $event->fd"));
        $server->on('receive', function (Server $server, Event $event) use (&$seen) {
            if ($event->data === "first\n") {
                note('first');
                while (!file_exists(getenv('ROTOR_TMP') . '/go')) {
                    usleep(1000);
                }
                $seen = microtime(true);
            } else {
                note('second ' . json_encode([$event->dispatch_time > 1e9, $event->dispatch_time <= $seen, microtime(true) >= $seen]));
            }
        });
        $server->on('close', fn (Server $server, Event $event) => note("close $event->fd " . json_encode($event->dispatch_time >= $seen)));
        // Who is asked is in nobody's way.
        $server->addProcess(new Rotor\Process(function () use ($server) {
            while (true) {
                $info = $server->getClientInfo(1);
                if ($info !== false && $server->stats()['total_recv_bytes'] === 13 && $info['last_recv_time'] > 0) {
                    note('received');
                    sleep(1000);
                }
                usleep(1000);
            }
        }));
        $server->start();
        PHP, args: [(string) $mode]);
    $client = $server->connect();
    $client->write("first\n");
    $server->waitForNote('first');
    $client->write("second\n");
    $server->waitForNote('received');
    touch("$server->tmp/go");
    $server->waitFor(fn () => preg_grep('/^second/', $server->notes()), 'the second message');
    $client->close();
    $server->waitFor(fn () => preg_grep('/^close/', $server->notes()), 'the close');
    unlink("$server->tmp/go");
    $server->stop();
    $notes = array_diff($server->notes(), ['received']);
    echo "mode $mode: ", implode(', ', $notes), "\n";
}
?>
--EXPECT--
mode 2: connect 1, first, second [true,true,true], close 1 true
mode 1: connect 1, first, second [true,true,true], close 1 true
mode 3: connect 1, first, second [true,true,true], close 1 true
