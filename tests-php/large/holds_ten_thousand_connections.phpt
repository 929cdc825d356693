--TEST--
10,000 connections at once each have 10 messages of 1 byte to 64 KiB echoed, byte for byte; an idle one costs less than 1,000 bytes of memory
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';

// The short form has a tenth of them.
$connections = Ledger::isStress() ? 10_000 : 1_000;
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 2, 'reactor_num' => 2, 'backlog' => 4096, 'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP'),
    ]);
    $server->on('connect', fn () => null);
    $server->on('close', fn () => null);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->on('shutdown', fn ($server) => note(json_encode($server->stats())));
    $server->start();
    PHP);
$options = ['--connections', (string) $connections, '--seed', (string) $server->port, '--pid', (string) $server->pid, '--threads', '2'];

$report = Ledger::run($server, '--mode', 'idle', '--seconds', '0.5', ...$options);
$growth = ($report['server']['memory_connected']['pss'] - $report['server']['memory_before']['pss']) / $connections;
if ($report['idle_held'] !== $connections || $growth >= 1000) {
    printf("%d held, %.0f bytes each\n", $report['idle_held'], $growth);
}

$report = Ledger::run($server, '--messages', (string) ($connections * 10), '--size', '1-64K', '--late-ms', '600000', ...$options);
echo json_encode(array_intersect_key($report['counts'], array_flip(['lost', 'doubled', 'reordered', 'crossed', 'corrupt', 'cut', 'reset']))), "\n";
var_dump($report['counts']['answered'] === $connections * 10);
$server->stop();
$stats = json_decode($server->notes()[0], true);
var_dump($stats['accept_count'] === 2 * $connections, $stats['close_count'] === 2 * $connections);
var_dump($stats['connection_num'], $stats['blocks_in_use'], $stats['dropped_records']);
?>
--EXPECT--
{"reset":0,"cut":0,"lost":0,"doubled":0,"reordered":0,"crossed":0,"corrupt":0}
bool(true)
bool(true)
bool(true)
int(0)
int(0)
int(0)
