--TEST--
With event_object callbacks get one typed object beside the server that has all that they are told otherwise
--EXTENSIONS--
rotor
posix
pcntl
sockets
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/datagrams.inc.php';

$server = TestServer::start(<<<'PHP'
    use Rotor\Server;
    use Rotor\Server\{Event, Packet, StatusInfo};

    final class Handler
    {
        public function onConnect(Server $server, Event $event, mixed ...$more): void
        {
            $this->note('connect', $event, $more, abs($event->dispatch_time - $server->getClientInfo($event->fd)['connect_time']) < 2);
        }

        public function onReceive(Server $server, Event $event, mixed ...$more): void
        {
            $this->note('receive', $event, $more);
            match ($event->data) {
                'close' => $server->close($event->fd),
                'exit' => exit(3),
                'kill' => posix_kill(getmypid(), SIGKILL),
                default => $server->send($event->fd, 'ok'),
            };
        }

        public function onClose(Server $server, Event $event, mixed ...$more): void
        {
            $this->note('close', $event, $more, abs($event->dispatch_time - microtime(true)) < 600);
        }

        public function onPacket(Server $server, Packet $packet, mixed ...$more): void
        {
            $server->sendto($packet->address, $packet->port, "you are $packet->address", $packet->server_socket);
            $known = [$packet->port > 0, $packet->server_port === $server->ports[1]->port, abs($packet->dispatch_time - microtime(true)) < 600];
            $packet->port = $packet->server_port = 0;
            $packet->dispatch_time = 0.5;
            $this->note('packet', $packet, $more, ...$known);
        }

        public function onWorkerError(Server $server, StatusInfo $info, mixed ...$more): void
        {
            $known = [
                $info->worker_pid > 1, pcntl_wifexited($info->status) ? pcntl_wexitstatus($info->status) : null,
                pcntl_wifsignaled($info->status) ? pcntl_wtermsig($info->status) : null,
            ];
            $info->worker_pid = 0;
            $this->note('error', $info, $more, ...$known);
        }

        private function note(string $what, object $event, array $more, mixed ...$known): void
        {
            if ($event instanceof Event) {
                $known[] = is_float($event->dispatch_time);
                $event->dispatch_time = 0.5;
            }
            note("$what " . json_encode([$event, $more, ...$known], JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION));
        }
    }

    $server = new Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'reactor_num' => 1, 'event_object' => true, 'log_file' => getenv('ROTOR_LOG')]);
    $other = $server->listen('127.0.0.1', 0, Server::SOCK_UDP);
    file_put_contents(getenv('ROTOR_TMP') . '/port', $other->port);
    $handler = new Handler();
    foreach (['Connect', 'Receive', 'Close', 'Packet', 'WorkerError'] as $event) {
        $server->on($event, [$handler, "on$event"]);
    }
    // What has one argument or none beside the server is as it was.
    $server->on('workerStart', fn (Server $server, int $id) => note("start $id"));
    $server->start();
    PHP);
$server->allowLog('/./');
$port = (int) file_get_contents("$server->tmp/port");
unlink("$server->tmp/port");
$step = function (callable $do, int $notes) use ($server): void {
    static $shown = 0;
    $do();
    $server->waitFor(fn () => count($server->notes()) >= $shown + $notes, 'the callbacks');
    $notes = array_slice($server->notes(), $shown);
    // Processes do not wait for each other's.
    sort($notes);
    echo implode("\n", $notes), "\n";
    $shown = count($server->notes());
};
$step(fn () => 0, 1);
$step(function () use ($server): void {
    $client = $server->connect();
    $client->exchange("hello\0", 2);
    $client->close();
}, 3);
$ended = function (string $how) use ($server): void {
    $client = $server->connect();
    $client->write($how);
    $client->readToEnd();
};
$step(fn () => $ended('close'), 3);
$step(function () use ($port): void {
    $client = new DatagramClient('127.0.0.1', $port);
    $client->send("a datagram\0");
    echo $client->receive(), "\n";
}, 1);
foreach (['exit', 'kill'] as $how) {
    $step(fn () => $ended($how), 5);
}
$server->stop();
?>
--EXPECT--
start 0
close [{"reactor_id":0,"fd":1,"dispatch_time":0.5,"data":null},[],true,true]
connect [{"reactor_id":0,"fd":1,"dispatch_time":0.5,"data":null},[],true,true]
receive [{"reactor_id":0,"fd":1,"dispatch_time":0.5,"data":"hello\u0000"},[],true]
close [{"reactor_id":-1,"fd":2,"dispatch_time":0.5,"data":null},[],true,true]
connect [{"reactor_id":0,"fd":2,"dispatch_time":0.5,"data":null},[],true,true]
receive [{"reactor_id":0,"fd":2,"dispatch_time":0.5,"data":"close"},[],true]
you are 127.0.0.1
packet [{"server_socket":1,"server_port":0,"dispatch_time":0.5,"address":"127.0.0.1","port":0,"data":"a datagram\u0000"},[],true,true,true]
close [{"reactor_id":-1,"fd":3,"dispatch_time":0.5,"data":null},[],true,true]
connect [{"reactor_id":0,"fd":3,"dispatch_time":0.5,"data":null},[],true,true]
error [{"worker_id":0,"worker_pid":0,"status":768,"exit_code":3,"signal":0,"fd":3},[],true,3,null]
receive [{"reactor_id":0,"fd":3,"dispatch_time":0.5,"data":"exit"},[],true]
start 0
close [{"reactor_id":-1,"fd":4,"dispatch_time":0.5,"data":null},[],true,true]
connect [{"reactor_id":0,"fd":4,"dispatch_time":0.5,"data":null},[],true,true]
error [{"worker_id":0,"worker_pid":0,"status":9,"exit_code":0,"signal":9,"fd":4},[],true,null,9]
receive [{"reactor_id":0,"fd":4,"dispatch_time":0.5,"data":"kill"},[],true]
start 0
