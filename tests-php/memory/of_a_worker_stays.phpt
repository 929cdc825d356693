--TEST--
A worker's memory does not grow with the messages, connections and closes that it has seen
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';

// One worker, which tells its PHP memory; the ledger looks at the whole tree's.
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('connect', fn ($server, $fd) => $server->getClientInfo($fd));
    $server->on('close', fn ($server, $fd) => $server->connections[$fd]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === 'memory') {
            gc_collect_cycles();
            $server->send($fd, memory_get_usage() . "\n");
            return;
        }
        // All that allocates on the way.
        $server->exists($fd) && count($server->connections) && $server->stats() && isset($server->connections[$fd]);
        foreach ($server->connections as $one) {
            break;
        }
        $server->send($fd, $data);
    });
    $server->start();
    PHP);
$client = $server->connect();
$memory = function () use ($client): int {
    $client->write('memory');
    return (int) $client->readLine();
};
$messages = Ledger::isStress() ? 500_000 : 10_000;
$load = function (int $messages) use ($server): array {
    Ledger::run($server, '--mode', 'churn', '--connections', '10', '--messages', (string) intdiv($messages, 5));
    return Ledger::run($server, '--connections', '10', '--size', '1-32K', '--messages', (string) $messages, '--pid', (string) $server->pid);
};
$load(2000);
$before = $memory();
$first = $load($messages)['server']['memory_end']['pss'];
$last = $load($messages)['server']['memory_end']['pss'];
// What PHP itself keeps of a few calls is no leak; one word for each message would be.
$grown = $memory() - $before;
var_dump($grown < $messages, $last - $first < max(5 * $messages, 2 << 20) ?: $last - $first);
$client->close();
$server->stop();
?>
--EXPECT--
bool(true)
bool(true)
