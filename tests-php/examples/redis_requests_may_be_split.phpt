--TEST--
examples/redis.php understands requests however they are split, many at once, and closes on what is none
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(realpath(__DIR__ . '/../../examples/redis.php'), args: ['ROTOR_PORT']);
$request = fn (string ...$words): string => '*' . count($words) . "\r\n"
    . implode(array_map(fn (string $word): string => '$' . strlen($word) . "\r\n$word\r\n", $words));

// Byte by byte, with line ends inside of words.
$value = "\r\n*1\r\n$4\r\nPING\r\n\0";
$all = $request('SET', 'key', $value) . "PING\r\n" . "*0\r\n" . "\r\n" . $request('GET', 'key') . "  ping   typed \n" . $request('PING', '');
$expected = "+OK\r\n+PONG\r\n$" . strlen($value) . "\r\n$value\r\n$5\r\ntyped\r\n$0\r\n\r\n";
$client = $server->connect();
foreach (str_split($all) as $byte) {
    $client->write($byte);
}
var_dump($client->read(strlen($expected)) === $expected);

// Thousands in one write, of which one fits in no read.
$large = random_bytes(500_000);
$many = str_repeat($request('INCR', 'n'), 5000) . $request('SET', 'large', $large) . $request('GET', 'large') . $request('GET', 'n');
$expected = '';
for ($n = 1; $n <= 5000; $n++) {
    $expected .= ":$n\r\n";
}
$expected .= "+OK\r\n$500000\r\n$large\r\n$4\r\n5000\r\n";
var_dump($client->exchange($many, strlen($expected)) === $expected);
$client->close();

foreach (["*x\r\n", "*1\r\nPING\r\n", "*1\r\n$-5\r\n", "*1\r\n$99999999999\r\n", "*9999999\r\n", str_repeat('x', 70_000)] as $none) {
    $client = $server->connect();
    $client->write("PING\r\n$none");
    echo str_replace("\r\n", ' ', $client->readToEnd()), "\n";
    $client->close();
}
$server->stop(SIGINT);
?>
--EXPECT--
bool(true)
bool(true)
+PONG -ERR Protocol error: invalid multibulk length 
+PONG -ERR Protocol error: expected '$', got 'P' 
+PONG -ERR Protocol error: invalid bulk length 
+PONG -ERR Protocol error: invalid bulk length 
+PONG -ERR Protocol error: invalid multibulk length 
+PONG -ERR Protocol error: too big inline request 
