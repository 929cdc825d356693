--TEST--
onPacket gets each datagram whole, with whom it came from, over UDP, UDP6 and unix sockets; sendto() and send() answer, up to the largest there is
--EXTENSIONS--
rotor
posix
pcntl
sockets
--FILE--
<?php
require __DIR__ . '/../inc/datagrams.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'), Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_UDP);
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP')]);
    $server->listen('::1', (int) getenv('ROTOR_PORT'), Rotor\Server::SOCK_UDP6);
    $server->listen(getenv('ROTOR_TMP') . '/server.sock', 0, Rotor\Server::SOCK_UNIX_DGRAM);
    $server->on('start', fn () => ready());
    $server->on('packet', function (Rotor\Server $server, string $data, array $client) {
        if ($data === 'who') {
            $age = microtime(true) - $client['dispatch_time'];
            $client['dispatch_time'] = is_float($client['dispatch_time']) && $age >= 0 && $age < 60;
            $data = json_encode($client, JSON_UNESCAPED_SLASHES);
        }
        $sent = $client['port'] === 0
            ? $server->send($client['address'], $data, $client['server_socket'])
            : $server->sendto($client['address'], $client['port'], $data, $client['server_socket']);
        if (!$sent) {
            note('not sent');
        }
    });
    $server->start();
    PHP);
foreach ([
    new DatagramClient('127.0.0.1', $server->port),
    new DatagramClient('::1', $server->port),
    new DatagramClient("$server->tmp/server.sock", name: "$server->tmp/client.sock"),
] as $client) {
    $who = $client->exchange('who');
    echo strtr($who, ["\"server_port\":$server->port" => '"server_port":PORT', "\"port\":{$client->port()}" => '"port":OWN', $server->tmp => 'TMP']), "\n";
    foreach ([0, 1, 1500, 16_384, 16_385, 65_507] as $length) {
        $bytes = $length > 0 ? random_bytes($length) : '';
        if ($client->exchange($bytes) !== $bytes) {
            echo "$length bytes did not come back\n";
        }
    }
    // Two in a row have bounds.
    $client->send('one');
    $client->send('two');
    echo $client->receive(), ' ', $client->receive(), "\n";
}
$bytes = random_bytes(65_536);
var_dump($client->exchange($bytes) === $bytes);
unset($client);
echo implode("\n", $server->notes());
$server->stop();
?>
--EXPECT--
{"server_socket":0,"server_port":PORT,"dispatch_time":true,"address":"127.0.0.1","port":OWN}
one two
{"server_socket":1,"server_port":PORT,"dispatch_time":true,"address":"::1","port":OWN}
one two
{"server_socket":2,"server_port":0,"dispatch_time":true,"address":"TMP/client.sock","port":OWN}
one two
bool(true)
