--TEST--
A client makes at most accept_rate_per_ip connections a second, as many at once; others are not concerned, and later it may again
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/limits.inc.php';

// One in 100 s: however slow the machine, no second one comes in time.
$server = TestServer::start(LIMITED_SERVER, env: ['LIMITS' => json_encode(['accept_rate_per_ip' => 0.01])]);
$server->expectLog('/warning master pid=\d+: refused 127\.0\.0\.2:\d+ on 127\.0\.0\.1:\d+: it connects more often than accept_rate_per_ip allows/');
$address = "tcp://127.0.0.1:$server->port";
$served = array_map(fn () => is_served($address, '127.0.0.2'), range(1, 5));
echo json_encode($served), "\n";
$other = served($address, '127.0.0.3');
echo refusals($other), "\n";
echo count(array_filter(array_map(fn () => is_served("unix://$server->tmp/socket"), range(1, 5)))), " of 5\n";
$server->stop();

// Fifty a second: all are served in the end, each refusal was followed by a success.
$server = TestServer::start(LIMITED_SERVER, env: ['LIMITS' => json_encode(['accept_rate_per_ip' => 50])]);
$server->allowLog('/accept_rate_per_ip/');
$address = "tcp://127.0.0.1:$server->port";
for ($n = 0; $n < 100; $n++) {
    $server->waitFor(fn () => is_served($address, '127.0.0.2'), 'the next one');
}
echo "100 served\n";
$server->stop();
?>
--EXPECT--
[true,false,false,false,false]
{"abort_count":4,"refused_rate":4}
5 of 5
100 served
