--TEST--
listen() makes a port with settings and callbacks of its own; what it was not told it has from the primary port
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'open_eof_split' => true, 'package_eof' => "\n"]);
    $server->on('connect', fn ($server, $fd) => note("primary connect $fd"));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, "primary: $data"));
    $server->on('close', fn ($server, $fd) => note("primary close $fd"));

    // Its own framing, and a callback for each event.
    $length = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    $length->set(['open_length_check' => true, 'package_length_type' => 'n', 'package_body_offset' => 2]);
    $length->on('connect', fn ($server, $fd) => note("length connect $fd"));
    $length->on('Receive', fn ($server, $fd, $reactor, $data) => $server->send(
        $fd, 'length: ' . bin2hex($data) . ' ' . $server->getClientInfo($fd)['server_port'] . "\n",
    ));
    $length->on('close', fn ($server, $fd) => note("length close $fd"));
    // Nothing of its own.
    $plain = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    // Told something, and so nothing else of the primary port's settings: each read is a message.
    $raw = $server->addlistener('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    $raw->set(['open_tcp_nodelay' => false]);

    file_put_contents(getenv('ROTOR_TMP') . '/ports', json_encode(array_map(fn ($port) => [
        $port::class, $port->host, $port->port, $port->type, $port->sock, $port->ssl, $port->setting,
    ], $server->ports)));
    $server->start();
    PHP);
$ports = json_decode(file_get_contents("$server->tmp/ports"));
unlink("$server->tmp/ports");
foreach ($ports as [$class, $host, $number, $type, $sock, $ssl, $setting]) {
    echo "$class $host $type $sock ", json_encode([$number > 0, $ssl, $setting]), "\n";
}
[$primary, $length, $plain, $raw] = array_map(fn ($port) => new TestClient("tcp://127.0.0.1:$port[2]"), $ports);
foreach ([$primary, $plain] as $client) {
    $client->write("one\ntwo\n");
    echo $client->readLine(), ', ', $client->readLine(), "\n";
}
$length->write("\0\1a\0\2bc");
foreach ([1, 2] as $i) {
    echo str_replace($ports[1][2], 'PORT', $length->readLine()), "\n";
}
$raw->write("one\ntwo\n");
echo $raw->readLine(), ', ', $raw->readLine(), "\n";
foreach ([$primary, $length, $plain, $raw] as $client) {
    $client->close();
}
$server->waitFor(fn () => count($server->notes()) === 8);
$server->stop();
$notes = $server->notes();
sort($notes);
echo implode(', ', $notes), "\n";
?>
--EXPECT--
Rotor\Server\Port 127.0.0.1 1 0 [true,false,null]
Rotor\Server\Port 127.0.0.1 1 1 [true,false,{"open_length_check":true,"package_length_type":"n","package_body_offset":2}]
Rotor\Server\Port 127.0.0.1 1 2 [true,false,null]
Rotor\Server\Port 127.0.0.1 1 3 [true,false,{"open_tcp_nodelay":false}]
primary: one, primary: two
primary: one, primary: two
length: 000161 PORT
length: 00026263 PORT
primary: one, two
length close 2, length connect 2, primary close 1, primary close 3, primary close 4, primary connect 1, primary connect 3, primary connect 4
