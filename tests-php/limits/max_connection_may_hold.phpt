--TEST--
With max_connection_policy "hold" who comes above max_connection waits, unanswered, and is served as soon as somebody has gone; nobody is refused
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/limits.inc.php';

$server = TestServer::start(LIMITED_SERVER, env: ['LIMITS' => json_encode(['max_connection' => 3, 'max_connection_policy' => 'hold', 'worker_num' => 2])]);
$address = "tcp://127.0.0.1:$server->port";
$clients = array_map(fn () => served($address), range(1, 3));
$waiting = [];
foreach (range(1, 4) as $n) {
    $waiting[$n] = new TestClient($address);
    $waiting[$n]->write("waiting $n\n");
}
$unix = new TestClient("unix://$server->tmp/socket");
$unix->write("unix\n");
$server->waitForLog('/notice master pid=\d+: accepting waits: max_connection \(3\) is reached/');
$clients[0]->write("count\n");
echo $clients[0]->readLine(), " connections\n";
foreach ($waiting as $client) {
    echo $client->isSilent(0.02) ? 'waits' : 'is served', "\n";
}
// Each that goes lets another one in, also by the other port.
$waiting['unix'] = $unix;
$answers = [];
array_map(fn (TestClient $client) => $client->close(), $clients);
while ($waiting !== []) {
    $server->waitFor(function () use (&$waiting, &$answers): bool {
        foreach ($waiting as $n => $client) {
            if (!$client->isSilent(0.001)) {
                $answers[] = $client->readLine();
                unset($waiting[$n]);
                $n === 'unix' || $client->close();
                return true;
            }
        }
        return false;
    }, 'the next one');
}
sort($answers);
echo implode(', ', $answers), "\n";
$stats = json_decode(refusals($unix), true);
echo json_encode(array_keys($stats)), "\n";

// A stop does not wait for those that wait, nor does it hang while all places are taken.
$all = array_map(fn () => served($address), range(1, 2));
$late = new TestClient($address);
$server->stop();
?>
--EXPECT--
3 connections
waits
waits
waits
waits
unix, waiting 1, waiting 2, waiting 3, waiting 4
["accept_holds"]
