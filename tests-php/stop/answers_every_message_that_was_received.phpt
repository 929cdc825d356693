--TEST--
SIGTERM, Ctrl-C in a terminal and shutdown() from any process: every message in hand or queued is answered, exit code 0
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';

$start = fn (bool $terminal) => TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 4, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG'),
        'open_length_check' => true, 'package_length_type' => 'N', 'package_body_offset' => 4,
    ]);
    pcntl_async_signals(true);
    pcntl_signal(SIGALRM, fn () => $server->shutdown());
    $server->on('workerStart', fn ($server, $id) => note("worker $id is $server->worker_pid, manager is $server->manager_pid"));
    $server->on('receive', function ($server, $fd, $reactor, $data) use ($argv) {
        note('in hand');
        $until = microtime(true) + $argv[1];
        while (($left = $until - microtime(true)) > 0) {
            usleep((int) ($left * 1e6));
        }
        $server->send($fd, $data);
    });
    note(json_encode($server->start()));
    PHP, args: [Ledger::isStress() ? '1' : '0.1'], terminal: $terminal);
$message = fn (int $n) => pack('N', 6) . sprintf("msg %02d", $n);
$ways = [
    'SIGTERM' => fn ($server) => $server->signal(SIGTERM),
    'Ctrl-C' => fn ($server) => $server->type("\x03"),
    'SIGTERM to the manager' => fn ($server, $worker, $manager) => $server->signal(SIGTERM, $manager),
    'shutdown() in the master' => fn ($server) => $server->signal(SIGALRM),
    'shutdown() in the manager' => fn ($server, $worker, $manager) => $server->signal(SIGALRM, $manager),
    'shutdown() in a worker' => fn ($server, $worker) => $server->signal(SIGALRM, $worker),
];
foreach ($ways as $way => $stop) {
    $server = $start($way === 'Ctrl-C');
    $server->waitFor(fn () => count($server->notes()) >= 4, 'four workers');
    sscanf($server->notes()[0], 'worker %d is %d, manager is %d', $id, $worker, $manager);
    $clients = [];
    for ($i = 0; $i < 8; $i++) {
        $clients[] = $client = $server->connect();
        // Five of them in one piece: one is in hand, the others wait.
        $client->write(implode('', array_map($message, range(5 * $i, 5 * $i + 4))));
    }
    $server->waitForNote('in hand', 4);
    $stop($server, $worker, $manager);
    $answers = 0;
    foreach ($clients as $i => $client) {
        $answer = $client->readToEnd($how);
        $answers += count(array_intersect(str_split($answer, 10), array_map($message, range(5 * $i, 5 * $i + 4))));
        $how === 'closed' || print("a connection was $how\n");
    }
    $server->waitForNote('true');
    $server->wait();
    echo "$way: $answers answers\n";
}
?>
--EXPECT--
SIGTERM: 40 answers
Ctrl-C: 40 answers
SIGTERM to the manager: 40 answers
shutdown() in the master: 40 answers
shutdown() in the manager: 40 answers
shutdown() in a worker: 40 answers
