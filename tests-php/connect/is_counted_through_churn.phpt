--TEST--
Clients that come, ask once and reset or close, 30,000 of them: each has its onConnect, its answer and its onClose, a session id that nobody had before, and leaves no memory behind
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';
require __DIR__ . '/../inc/memory.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        // The session table is small: its places are taken again and again.
        'worker_num' => 2, 'reactor_num' => 2, 'max_connection' => 200, 'max_connection_policy' => 'hold', 'log_file' => getenv('ROTOR_LOG'),
    ]);
    $open = $last = [];
    $count = 0;
    $server->on('connect', function ($server, $fd, $reactor) use (&$open, &$last) {
        // By one way to one worker they come in order, and no other worker has ids like these.
        $fd % 2 === $server->worker_id && $fd > ($last[$reactor] ?? 0) || note("$fd is not new");
        $last[$reactor] = $fd;
        $open[$fd] = isset($open[$fd]) ? note("$fd connected twice") : true;
    });
    $server->on('receive', function ($server, $fd, $reactor, $data) use (&$open) {
        isset($open[$fd]) || note("$fd is not connected");
        $server->send($fd, $data);
    });
    $server->on('close', function ($server, $fd) use (&$open, &$count) {
        isset($open[$fd]) || note("$fd closed twice");
        unset($open[$fd]);
        $count++;
    });
    $server->on('workerStop', function () use (&$open, &$count) {
        note('open ' . count($open));
        file_put_contents(getenv('ROTOR_TMP') . '/count', "$count\n", FILE_APPEND);
    });
    $server->on('shutdown', function ($server) {
        $stats = $server->stats();
        note(json_encode([$stats['connection_num'], $stats['accept_count'] === $stats['close_count'], $stats['blocks_in_use'], $stats['dropped_records']]));
        note('counted ' . (array_sum(file(getenv('ROTOR_TMP') . '/count')) === $stats['accept_count'] ? 'all' : 'others'));
        unlink(getenv('ROTOR_TMP') . '/count');
    });
    $server->start();
    PHP);
$churn = function (int $clients, string ...$options) use ($server): void {
    $report = Ledger::run($server, '--mode', 'churn', '--connections', '20', '--messages', (string) $clients, ...$options);
    var_dump($report['counts']['answered'] === $clients);
};
$all = Ledger::isStress() ? 3_000_000 : 30_000;
// Lanes are used to their ends, and whatever is needed once is there.
$churn(intdiv($all, 5));
$before = memory_of($server);
$cpu = cpu_seconds($server);
$churn(intdiv($all, 5) * 4 - 3000, '--close', 'reset');
// A port that was closed in order is taken for a minute: not too many, and from many addresses.
$churn(3000, '--close', 'finish', '--sources', '250');
$server->waitFor(fn () => memory_of($server) < $before + (1 << 20), "no more than $before bytes of memory");
Ledger::figure(sprintf(
    '%d connections one after the other: memory %.1f MiB after a fifth of them, %.1f MiB after all; CPU %.0f µs for each',
    $all,
    $before / (1 << 20),
    memory_of($server) / (1 << 20),
    (cpu_seconds($server) - $cpu) / (intdiv($all, 5) * 4) * 1e6,
));
$server->stop();
echo implode("\n", $server->notes()), "\n";
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
open 0
open 0
[0,true,0,0]
counted all
