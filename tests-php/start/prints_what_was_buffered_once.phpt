--TEST--
What was in an output buffer before start() comes out once, and what the workers print comes out too
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    ob_start();
    echo "buffered before start\n";
    ob_start(fn ($text) => strtoupper($text));
    echo "buffered below\n";
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 3, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd) {
        echo "printed by a worker\n";
        $server->send($fd, 'done');
    });
    $server->start();
    ob_end_flush();
    ob_end_flush();
    echo "printed after start\n";
    PHP);
$server->request('go', 4);
$server->signal(SIGTERM);
$server->waitForLog('/printed after start/');
$log = $server->log();
$server->wait();
foreach (['buffered before start', 'BUFFERED BELOW', 'buffered below', 'PRINTED BY A WORKER', 'printed after start'] as $text) {
    echo $text, ': ', substr_count($log, $text), "\n";
}
?>
--EXPECT--
buffered before start: 1
BUFFERED BELOW: 1
buffered below: 0
PRINTED BY A WORKER: 1
printed after start: 1
