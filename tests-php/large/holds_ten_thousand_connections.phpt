--TEST--
10,000 connections at once each have 10 messages of 1 byte to 64 KiB echoed, byte for byte; an idle one costs less than 1,000 bytes of memory
--EXTENSIONS--
rotor
posix
--SKIPIF--
<?php
$needed = getenv('ROTOR_STRESS') ? 11_000 : 3_000;
$limit = posix_getrlimit()['hard openfiles'];
if ($limit !== 'unlimited' && $limit < $needed) {
    die("skip the limit of open files is $limit, and $needed are needed (ulimit -Hn)");
}
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';

// The short form has a fifth of them.
$connections = Ledger::isStress() ? 10_000 : 2_000;
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
// What a process needs once, for its first connections, is not the price of one.
Ledger::run($server, '--mode', 'churn', '--connections', '10', '--messages', '500');

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
var_dump($stats['accept_count'] === 2 * $connections + 500, $stats['close_count'] === 2 * $connections + 500);
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
