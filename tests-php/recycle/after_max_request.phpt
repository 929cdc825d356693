--TEST--
max_request: a worker asks for a successor at the very message that reaches it, serves on until that is ready, and nothing is lost; stats() counts what it took meanwhile
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'open_length_check' => true,
        'max_request' => 50, 'max_request_grace' => 0,
    ]);
    $server->on('workerStop', fn ($server) => note('stop ' . $server->stats()['worker_request_count']));
    $server->on('shutdown', fn ($server) => note('stats ' . json_encode($server->stats())));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->start();
    PHP);
$counts = Ledger::run($server, '--connections', '20', '--messages', '3000', '--framing', 'length')['counts'];
echo "$counts[answered] answered\n";
$asked = fn (): int => preg_match_all('/asks for a successor: max_request is reached; requests=50$/m', $server->log());
$server->waitFor(fn (): bool => count($server->notes()) === $asked(), 'all who have asked to be gone');
$replaced = $asked();
$took = array_map(fn ($note) => (int) substr($note, 5), $server->notes());
$server->stop();
$stats = json_decode(substr(current(preg_grep('/^stats/', $server->notes())), 6), true);
echo min($took) >= 50 ? "none before its time\n" : 'replaced after ' . min($took) . "\n";
echo $replaced > 5 ? "many were replaced\n" : "$replaced were replaced\n";
$beyond = array_sum($took) - 50 * $replaced;
foreach (['recycle_count' => $replaced, 'max_request_overshoot' => $beyond, 'crash_count' => 0, 'reload_count' => 0] as $name => $expected) {
    $stats[$name] === $expected || print("$name is $stats[$name], not $expected\n");
}
?>
--EXPECT--
3000 answered
none before its time
many were replaced
