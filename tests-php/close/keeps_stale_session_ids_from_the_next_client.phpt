--TEST--
A session id whose client has gone never reaches the next one, who has its place in the tables (P2)
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    // A small table: places are used again soon.
    $server->set(['worker_num' => 2, 'max_connection' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        $reached = 0;
        for ($stale = 1; $stale < $fd; $stale++) {
            // Of those that live, one is the test's second client, whom nobody shall close.
            if (!$server->exists($stale)) {
                $reached += (int) @$server->send($stale, "for $stale") + (int) @$server->close($stale) + (int) @$server->close($stale, true)
                    + (int) ($server->getClientInfo($stale) !== false && $server->connections[$stale] !== false);
            }
        }
        $server->send($fd, "$fd reached $reached\n");
    });
    $server->start();
    PHP);
$server->allowLog('/max_connection \(2\) is reached/');
$watching = $server->connect();
$watching->write('x');
$watching->readLine();
$lines = [];
for ($n = 0; $n < 300; $n++) {
    $client = $server->waitFor(function () use ($server) {
        // Above max_connection a client is refused: the place of the last one is not free yet.
        try {
            $client = $server->connect();
            $client->write('x');
            return [$client, $client->readLine()];
        } catch (RuntimeException) {
            return null;
        }
    }, 'a free place');
    $lines[] = $client[1];
    $client[0]->close();
}
echo count(preg_grep('/^\d+ reached 0$/', $lines)), " clients\n";
$last = (int) end($lines);
var_dump($last >= 301);
$watching->write('x');
echo $watching->readLine(), "\n";
var_dump($watching->isSilent(0));
$watching->close();
$server->stop();
?>
--EXPECT--
300 clients
bool(true)
1 reached 0
bool(true)
