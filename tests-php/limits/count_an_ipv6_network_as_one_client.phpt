--TEST--
Of IPv6 the network of 64 bits is the client, and an IPv4 client behind a proxy is itself, by whatever reactor it comes
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/limits.inc.php';
require __DIR__ . '/../inc/proxy.inc.php';

$limits = [
    'max_connections_per_ip' => 2, 'open_proxy_protocol' => true, 'proxy_trusted' => ['127.0.0.0/8'], 'worker_num' => 4, 'reactor_num' => 4,
];
$server = TestServer::start(LIMITED_SERVER, env: ['LIMITS' => json_encode($limits)]);
$server->expectLog('/warning reactor=\d pid=\d+: session \d+ of \[2001:db8:1:2::\d+\]:4711 by 127\.0\.0\.1:\d+ is refused: it has 2 connections, all that max_connections_per_ip allows/');
$server->allowLog('/max_connections_per_ip/');
$address = "tcp://127.0.0.1:$server->port";
$open = [];
$from = function (string $client) use ($address, &$open): bool {
    $family = str_contains($client, ':') ? 0x21 : 0x11;
    $open[] = $served = served($address, first: proxy_header(1, $family, proxy_addresses($client, 4711)));
    return $served !== null;
};
foreach (['2001:db8:1:2::1', '2001:db8:1:2::2', '2001:db8:1:2::3', '2001:db8:1:3::1', '203.0.113.7', '203.0.113.7', '203.0.113.7', '::ffff:203.0.113.7', '203.0.113.8'] as $client) {
    echo $client, $from($client) ? ' is served' : ' is refused', "\n";
}
// What a proxy makes for itself is not limited.
$own = array_map(fn () => served($address, first: proxy_header(0, 0, '')), range(1, 5));
echo count(array_filter($own)), " of 5\n";
echo refusals($own[0]), "\n";
$open[0]->close();
$server->waitFor(fn () => $from('2001:db8:1:2::9'), 'room');
$server->stop();
// Nobody heard of those that were refused.
echo count($server->notes()) - count(array_filter($open)) - 5, "\n";
?>
--EXPECT--
2001:db8:1:2::1 is served
2001:db8:1:2::2 is served
2001:db8:1:2::3 is refused
2001:db8:1:3::1 is served
203.0.113.7 is served
203.0.113.7 is served
203.0.113.7 is refused
::ffff:203.0.113.7 is refused
203.0.113.8 is served
5 of 5
{"abort_count":3,"refused_per_ip":3}
0
