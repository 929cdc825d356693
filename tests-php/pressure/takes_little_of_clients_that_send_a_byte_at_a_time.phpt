--TEST--
Clients that announce large messages and send a byte at a time take no more memory than the settings say, and keep nobody waiting
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';
require __DIR__ . '/../inc/memory.inc.php';

const IPC = 32 << 20;
$clients = Ledger::isStress() ? 1000 : 200;
foreach ([
    'eof' => [['open_eof_split' => true, 'package_eof' => "\n"], 'begun', "whole\n"],
    // Each would fit into a block of its own.
    'length' => [['open_length_check' => true], pack('N', 1 << 20) . 'begun', pack('N', 5) . 'whole'],
    // These into none.
    'larger' => [['open_length_check' => true], pack('N', 7 << 20) . 'begun', pack('N', 5) . 'whole'],
] as $name => [$settings, $begun, $whole]) {
    $server = TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set(json_decode($argv[1], true) + [
            'worker_num' => 2, 'reactor_num' => 2, 'ipc_memory' => '32M', 'package_max_length' => '8M', 'backlog' => 1024,
            'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP'),
        ]);
        $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
        $server->on('shutdown', fn ($server) => note(json_encode([$server->stats()['connection_num'], $server->stats()['blocks_in_use']])));
        $server->start();
        PHP, args: [json_encode($settings)]);
    $fast = $server->connect();
    $echoes = 0;
    $echo = function () use ($fast, $whole, &$echoes): void {
        $echoes += (int) ($fast->exchange($whole) === $whole);
    };
    $echo();
    $before = memory_of($server);
    $slow = [];
    for ($i = 0; $i < $clients; $i++) {
        $slow[] = $client = $server->connect();
        $client->write($begun);
    }
    for ($round = 0; $round < 5; $round++) {
        Ledger::isStress() && sleep(1);
        foreach ($slow as $i => $client) {
            $client->write('x');
            $i % 50 === 0 && $echo();
        }
    }
    // What was sent is there, each has its connection, and blocks are as many as there may be.
    $grown = memory_of($server) - $before;
    printf("%s: %s, %s\n", $name, $echoes === 1 + 5 * intdiv($clients, 50) ? 'nobody waits' : "$echoes echoes", $grown <= IPC + $clients * 4096 ? 'bounded' : $grown);
    Ledger::figure(sprintf('%d clients that send a byte at a time (%s): %.1f MiB', $clients, $name, $grown / (1 << 20)));
    array_map(fn ($client) => $client->close(), [...$slow, $fast]);
    $server->stop();
    echo $server->notes()[0], "\n";
}
?>
--EXPECT--
eof: nobody waits, bounded
[0,0]
length: nobody waits, bounded
[0,0]
larger: nobody waits, bounded
[0,0]
