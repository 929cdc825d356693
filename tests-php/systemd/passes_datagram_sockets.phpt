--TEST--
Sockets for datagrams that systemd has opened are ports like others: UDP of either family, of both, and unix; what comes between two servers waits for the next
--EXTENSIONS--
rotor
posix
pcntl
sockets
--FILE--
<?php
require __DIR__ . '/../inc/systemd.inc.php';
require __DIR__ . '/../inc/datagrams.inc.php';

$script = <<<'PHP'
    $server = new Rotor\Server('SYSTEMD');
    foreach ($server->ports as $port) {
        note(implode(' ', [$port->host, $port->port > 0 ? 'PORT' : 0, $port->type, $port->sock]));
    }
    note("$server->host $server->type");
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'unix_socket_mode' => 0600]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, "stream: $data"));
    $server->on('packet', function ($server, $data, $client) {
        $data = str_replace('ADDRESS', $client['address'], "{$client['server_socket']}: $data");
        $server->sendto($client['address'], $client['port'], $data, $client['server_socket']);
    });
    $server->on('shutdown', fn ($server) => note('missed ' . $server->stats()['datagrams_missed']));
    $server->on('start', fn () => ready());
    $server->start();
    PHP;
$path = sys_get_temp_dir() . '/rotor-systemd-' . getmypid();
$sockets = new PassedSockets('udp://127.0.0.1:0', 'tcp://127.0.0.1:0', 'udp://[::]:0', "udg://$path");
chmod($path, 0640);
$port = fn (int $place): int => (int) substr(strrchr($sockets->name($place), ':'), 1);
$count = 0;
$clients = fn (): array => [
    new DatagramClient('127.0.0.1', $port(0)), new DatagramClient('::1', $port(2)), new DatagramClient('127.0.0.1', $port(2)),
    new DatagramClient($path, name: "$path-client" . ++$GLOBALS['count']),
];
// Before there is a server, while it runs, and for the next one.
$early = $clients();
foreach ($early as $client) {
    $client->send('early');
}
for ($n = 1; $n <= 2; $n++) {
    $server = TestServer::start($script, env: $sockets->env(), prefix: PassedSockets::prefix());
    foreach ($early as $client) {
        echo $client->receive(), ', ';
    }
    foreach ($clients() as $client) {
        echo str_replace($path, 'PATH', $client->exchange('from ADDRESS')), ', ';
    }
    $tcp = new TestClient('tcp://' . $sockets->name(1));
    echo $tcp->exchange('hello', 13), "\n";
    $tcp->close();
    $server->stop();
    $early = $clients();
    foreach ($early as $client) {
        $client->send("early $n");
    }
}
printf("%s %o\n", file_exists($path) ? 'the file stays' : 'the file is gone', fileperms($path) & 0777);
unset($client, $early);
unlink($path);
echo str_replace($path, 'PATH', implode("\n", $server->notes())), "\n";
?>
--EXPECT--
0: early, 2: early, 2: early, 3: early, 0: from 127.0.0.1, 2: from ::1, 2: from ::ffff:127.0.0.1, 3: from PATH-client2, stream: hello
0: early 1, 2: early 1, 2: early 1, 3: early 1, 0: from 127.0.0.1, 2: from ::1, 2: from ::ffff:127.0.0.1, 3: from PATH-client4, stream: hello
the file stays 640
127.0.0.1 PORT 2 0
127.0.0.1 PORT 1 1
:: PORT 4 2
PATH 0 6 3
127.0.0.1 2
missed 0
