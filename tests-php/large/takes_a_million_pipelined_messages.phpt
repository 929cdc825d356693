--TEST--
A million pipelined messages over 50 connections: none is lost, doubled or reordered, and memory stays flat
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';

// The short form has a tenth of them.
$messages = Ledger::isStress() ? 1_000_000 : 100_000;
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 2, 'reactor_num' => 2, 'open_length_check' => true,
        'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP'),
    ]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->on('shutdown', fn ($server) => note(json_encode($server->stats())));
    $server->start();
    PHP);
foreach (['64', '1-8K'] as $size) {
    $report = Ledger::run($server, '--connections', '50', '--in-flight', '100', '--framing', 'length', '--size', $size,
        '--messages', (string) $messages, '--late-ms', '600000', '--pid', (string) $server->pid);
    var_dump($report['counts']['answered'] === $messages);
    ['memory_half' => $half, 'memory_end' => $end] = $report['server'];
    // What lies in lanes and blocks at the moment of the look varies; a leak of 20 bytes a message would show.
    $room = max(10 * $messages, 4 << 20);
    if ($end['pss'] > $half['pss'] + $room) {
        echo "PSS grew from {$half['pss']} to {$end['pss']} bytes\n";
    }
}
$server->stop();
$stats = json_decode($server->notes()[0], true);
var_dump($stats['request_count'] === 2 * $messages, $stats['response_count'] === 2 * $messages);
var_dump($stats['blocks_in_use'], $stats['dropped_records'], $stats['protocol_errors']);
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
bool(true)
int(0)
int(0)
int(0)
