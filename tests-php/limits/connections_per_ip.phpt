--TEST--
A client has at most max_connections_per_ip connections at once; others are not concerned, one that ends makes room, and a unix socket has no such limit
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/limits.inc.php';

$server = TestServer::start(LIMITED_SERVER, env: ['LIMITS' => json_encode(['max_connections_per_ip' => 3])]);
$server->expectLog('/warning master pid=\d+: refused 127\.0\.0\.2:\d+ on 127\.0\.0\.1:\d+: it has 3 connections, all that max_connections_per_ip allows/');
$server->allowLog('/max_connections_per_ip/');
$address = "tcp://127.0.0.1:$server->port";
$first = array_map(fn () => served($address, '127.0.0.2'), range(1, 6));
echo count(array_filter($first)), " of 6\n";
$second = array_map(fn () => served($address, '127.0.0.3'), range(1, 3));
echo count(array_filter($second)), " of 3\n";
$unix = array_map(fn () => served("unix://$server->tmp/socket"), range(1, 6));
echo count(array_filter($unix)), " of 6\n";
echo refusals($unix[0]), "\n";
array_filter($first)[0]->close();
$again = $server->waitFor(fn () => served($address, '127.0.0.2'), 'room');
echo is_served($address, '127.0.0.2') ? 'one too many' : 'room for one', "\n";
// Connections that come and go leave nothing behind.
for ($n = 0; $n < 50; $n++) {
    $second[0]->close();
    $second[0] = $server->waitFor(fn () => served($address, '127.0.0.3'), 'room');
}
echo is_served($address, '127.0.0.3') ? 'one too many' : 'still three', "\n";
$server->stop();
?>
--EXPECT--
3 of 6
3 of 3
6 of 6
{"abort_count":3,"refused_per_ip":3}
room for one
still three
