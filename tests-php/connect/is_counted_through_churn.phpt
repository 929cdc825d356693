--TEST--
Thousands of clients that come, ask once and reset: each has its onConnect, its answer and its onClose
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $open = [];
    $count = 0;
    $server->on('connect', function ($server, $fd) use (&$open) {
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
$messages = Ledger::isStress() ? 500_000 : 10_000;
$report = Ledger::run($server, '--mode', 'churn', '--connections', '20', '--messages', (string) $messages);
var_dump($report['counts']['answered'] === $messages);
$server->stop();
echo implode("\n", $server->notes()), "\n";
?>
--EXPECT--
bool(true)
open 0
open 0
[0,true,0,0]
counted all
