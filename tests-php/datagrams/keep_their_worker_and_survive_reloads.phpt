--TEST--
A client keeps its worker, in order; of 10,000 datagrams that wait for their answers none is lost, doubled or overtaken while the workers are replaced
--EXTENSIONS--
rotor
posix
pcntl
sockets
--FILE--
<?php
require __DIR__ . '/../inc/datagrams.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'), Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_UDP);
    $server->set(['worker_num' => 3, 'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP'), 'max_request' => 700]);
    $server->on('start', fn () => ready());
    $server->on('packet', function ($server, $data, $client) {
        $data = $data === 'stats' ? json_encode($server->stats()) : "$server->worker_id $data";
        $server->sendto($client['address'], $client['port'], $data);
    });
    $server->on('afterReload', fn ($server, $success) => note('reloaded ' . json_encode($success)));
    $server->start();
    PHP);
const CLIENTS = 10;
const EACH = 1000;
$clients = [];
for ($i = 0; $i < CLIENTS; $i++) {
    $clients[] = new DatagramClient('127.0.0.1', $server->port);
}
$workers = [];
// One datagram of each client is under way.
for ($number = 0; $number < EACH; $number++) {
    foreach ($clients as $client) {
        $client->send((string) $number);
    }
    foreach ($clients as $place => $client) {
        [$worker, $answer] = explode(' ', $client->receive());
        $workers[$place][$worker] = true;
        if ($answer !== (string) $number) {
            echo "$answer instead of $number\n";
        }
    }
    if ($number % 300 === 100) {
        $server->signal(SIGUSR1);
    }
}
$server->waitForNote('reloaded true', 1);
echo json_encode(array_unique(array_map('count', $workers))), "\n";
$stats = json_decode($clients[0]->exchange('stats'), true);
var_dump($stats['datagrams_received'], $stats['datagrams_missed'], $stats['datagrams_unsent'], $stats['recycle_count'] > 0);
$server->stop();
?>
--EXPECT--
[1]
int(10001)
int(0)
int(0)
bool(true)
