--TEST--
A walk over $server->connections meets each session that is open throughout once, whoever comes and goes meanwhile
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 3, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if (strlen($data) > 10) {
            // The load's.
            $server->send($fd, $data);
            return;
        }
        $met = [];
        foreach ($server->connections as $session) {
            $met[$session] = ($met[$session] ?? 0) + 1;
        }
        $server->send($fd, json_encode([array_keys($met), array_sum($met) === count($met)]) . "\n");
    });
    $server->start();
    PHP);
$clients = [];
for ($fd = 1; $fd <= 30; $fd++) {
    $clients[$fd] = $server->connect();
}
$walk = function (TestClient $client): array {
    $client->write('walk');
    return json_decode($client->readLine());
};
$server->waitFor(fn () => count($walk($clients[30])[0]) === 30, 'all connections');
$load = Ledger::start($server, '--mode', 'churn', '--connections', '8', '--messages', '5000');
$good = 0;
for ($n = 0; $n < 200; $n++) {
    [$met, $once] = $walk($clients[$n % 30 + 1]);
    $good += (int) ($once && array_diff(range(1, 30), $met) === []);
}
$load->finish();
var_dump($good);
foreach ($clients as $fd => $client) {
    if ($fd > 10) {
        $client->close();
    }
}
$left = $server->waitFor(fn () => count($all = $walk($clients[1])[0]) === 10 ? $all : null, 'the others to go');
sort($left);
echo json_encode($left), "\n";
$server->stop();
?>
--EXPECT--
int(200)
[1,2,3,4,5,6,7,8,9,10]
