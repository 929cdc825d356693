--TEST--
A worker's memory stays as it is through many event objects, also those that callbacks keep for a while or write to
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/datagrams.inc.php';

$server = TestServer::start(<<<'PHP'
    use Rotor\Server\{Event, Packet};

    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 1, 'event_object' => true, 'open_eof_split' => true, 'package_eof' => "\n", 'log_file' => getenv('ROTOR_LOG'),
    ]);
    $other = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_UDP);
    file_put_contents(getenv('ROTOR_TMP') . '/port', $other->port);
    $kept = [];
    $server->on('connect', fn ($server, Event $event) => null);
    $server->on('receive', function ($server, Event $event) use (&$kept) {
        if ($event->data === "memory\n") {
            $kept = [];
            gc_collect_cycles();
            $server->send($event->fd, memory_get_usage() . "\n");
            return;
        }
        $event->data = [$event->data, $event];
        $kept[$event->fd % 10] = clone $event;
        $server->send($event->fd, 'x');
    });
    $server->on('packet', function ($server, Packet $packet) {
        $server->sendto($packet->address, $packet->port, $packet->data);
        $packet->data = null;
    });
    $server->start();
    PHP);
$port = (int) file_get_contents("$server->tmp/port");
unlink("$server->tmp/port");
$client = $server->connect();
$usage = function () use ($client): int {
    $client->write("memory\n");
    return (int) $client->readLine();
};
$load = function (int $count) use ($client, $server, $port): void {
    $client->exchange(str_repeat(str_repeat('y', 100) . "\n", $count), $count);
    $datagrams = new DatagramClient('127.0.0.1', $port);
    for ($n = 0; $n < $count / 10; $n++) {
        $datagrams->send(str_repeat('z', 1000));
        $datagrams->receive();
    }
    for ($n = 0; $n < 10; $n++) {
        $server->connect()->exchange("one\n", 1);
    }
};
$load(20_000);
$before = $usage();
$load(20_000);
$after = $usage();
var_dump(abs($after - $before) < 200_000 ?: [$before, $after]);
$load(60_000);
var_dump(abs($usage() - $before) < 200_000 ?: [$before, $usage()]);
$server->stop();
?>
--EXPECT--
bool(true)
bool(true)
