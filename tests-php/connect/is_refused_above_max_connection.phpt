--TEST--
Above max_connection a client is refused at once and counted, the others are served, and a place that is free again is used
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'max_connection' => 3, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, json_encode([
        count($server->connections), $server->stats()['abort_count'],
    ]) . "\n"));
    $server->start();
    PHP);
$server->expectLog('/warning master pid=\d+: refused .* max_connection \(3\) is reached/');
$ask = function (TestClient $client): string {
    $client->write('x');
    return $client->readLine();
};
$clients = [$server->connect(), $server->connect(), $server->connect()];
foreach ($clients as $client) {
    $ask($client);
}
$refused = 0;
for ($n = 0; $n < 5; $n++) {
    try {
        $server->connect()->readToEnd($how);
        $refused += (int) ($how === 'reset');
    } catch (RuntimeException) {
        // Refused before we have seen that we were connected.
        $refused++;
    }
}
echo "$refused refused, ", $ask($clients[0]), "\n";
array_pop($clients)->close();
$again = $server->waitFor(function () use ($server, $ask): ?string {
    try {
        return $ask($server->connect());
    } catch (RuntimeException) {
        return null;
    }
}, 'the free place');
echo str_starts_with($again, '[3,') ? 'three again' : $again, "\n";
$server->stop();
?>
--EXPECT--
5 refused, [3,5]
three again
