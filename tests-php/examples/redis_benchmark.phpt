--TEST--
examples/redis.php serves the real redis-benchmark, 50 clients with 16 commands in flight each, without an error
--EXTENSIONS--
rotor
posix
pcntl
--SKIPIF--
<?php
if (!trim((string) shell_exec('command -v redis-benchmark'))) {
    die('skip no redis-benchmark here (make test-tools)');
}
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$requests = getenv('ROTOR_STRESS') ? 2_000_000 : 50_000;
$server = TestServer::start(realpath(__DIR__ . '/../../examples/redis.php'), args: ['ROTOR_PORT']);
foreach (['', '-r 1000 -d 2000'] as $more) {
    // It ends at the first error that the server replies with, and says so.
    $command = "redis-benchmark -p $server->port -P 16 -c 50 -n $requests --csv -t ping,set,get,incr $more 2>&1";
    foreach (explode("\n", rtrim((string) shell_exec($command))) as $line) {
        echo preg_match('/^"([A-Z_]+)","[\d.]+",/', $line, $test) ? "$test[1]\n" : "$line\n";
    }
}
// The counter is the proof that each command has run once.
$client = $server->connect();
$client->write("GET counter:__rand_int__\r\n");
$client->readLine();
var_dump((int) $client->readLine() === $requests);
$client->close();
$server->stop(SIGINT);
?>
--EXPECT--
"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
PING_INLINE
PING_MBULK
SET
GET
INCR
"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
PING_INLINE
PING_MBULK
SET
GET
INCR
bool(true)
