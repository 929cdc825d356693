--TEST--
15,000 connections at once are echoed to, byte for byte; an idle one costs less than 1,000 bytes of memory
--EXTENSIONS--
rotor
posix
--SKIPIF--
<?php
$limit = posix_getrlimit()['hard openfiles'];
if ($limit !== 'unlimited' && $limit < 3_000) {
    die("skip the limit of open files is $limit, and 3,000 are needed (ulimit -Hn)");
}
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';
require __DIR__ . '/../inc/memory.inc.php';

// As many as there may be: the server has some descriptors beside, and so has its client.
$limit = posix_getrlimit()['hard openfiles'];
$most = $limit === 'unlimited' ? PHP_INT_MAX : $limit - 200;
$many = min(Ledger::isStress() ? 100_000 : 15_000, $most);
$some = min(Ledger::isStress() ? 10_000 : 2_000, $most);
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

$options = ['--seed', (string) $server->port, '--pid', (string) $server->pid, '--threads', '2', '--late-ms', '600000'];
$echo = function (int $connections, int $each, string ...$more) use ($server, $options): array {
    $counts = ['--connections', (string) $connections, '--messages', (string) ($connections * $each)];
    $report = Ledger::run($server, ...$options, ...$counts, ...$more);
    var_dump($report['counts']['connected'] === $connections, $report['counts']['answered'] === $connections * $each);
    return $report['server'];
};

$cpu = cpu_seconds($server);
// Each address has some 28,000 ports.
$cost = $echo($many, 2, '--sources', '10');
$bytes = fn (string $when): float => ($cost["memory_$when"]['pss'] - $cost['memory_before']['pss']) / $many;
var_dump($bytes('connected') < 1000 ?: $bytes('connected'));
Ledger::figure(sprintf(
    '%d connections at once: %.0f bytes each while idle, %.0f once each has echoed; CPU %.0f µs for the whole life of one, %.1f µs for an echo',
    $many,
    $bytes('connected'),
    $bytes('end'),
    (cpu_seconds($server) - $cpu) / $many * 1e6,
    $cost['cpu_us_per_request'],
));

$echo($some, 10, '--size', '1-64K');
$server->stop();
$stats = json_decode($server->notes()[0], true);
var_dump($stats['accept_count'] === $many + $some + 500, $stats['close_count'] === $many + $some + 500);
var_dump($stats['connection_num'], $stats['blocks_in_use'], $stats['dropped_records']);
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
int(0)
int(0)
int(0)
