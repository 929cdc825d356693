--TEST--
A request_slowlog_file that is a pipe: without a reader it is refused, with one that does not read the manager waits for nobody
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$fifo = sys_get_temp_dir() . '/rotor-fifo-' . bin2hex(random_bytes(5));
posix_mkfifo($fifo, 0600);
$script = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'),
        'request_slowlog_timeout' => 0.001, 'request_slowlog_file' => $argv[1]]);
    $server->on('workerStart', fn () => note('started'));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        usleep(10_000);
        $server->send($fd, getmypid() . "\n");
    });
    try {
        $server->start();
    } catch (Rotor\Exception $e) {
        echo str_replace($argv[1], 'THE PIPE', $e->getMessage()), "\n";
    }
    PHP;
[$exit, $output] = TestServer::run($script, args: [$fifo]);
echo "$exit: $output";

$pipe = fopen($fifo, 'r+');
stream_set_blocking($pipe, false);
while (fwrite($pipe, str_repeat("\n", 4096)) > 0) {
}
$server = TestServer::start($script, args: [$fifo]);
$server->allowLog('/ warning worker=\d pid=\d+: (slow|#\d)|more like this were not written/');
$server->expectLog('#cannot write request_slowlog_file .*: Resource temporarily unavailable#');
$server->expectLog('/killed by SIGKILL/');
$client = $server->connect();
$client->write('?');
$pid = (int) $client->readLine();
$server->waitForLog('/cannot write request_slowlog_file/');
// Whoever waits replaces nobody.
$server->signal(SIGKILL, $pid);
$server->waitForNote('started', 2);
$client->close();
$server->stop();
echo "served\n";
unlink($fifo);
?>
--EXPECT--
0: Rotor\Server::start(): cannot open request_slowlog_file THE PIPE: no such device or address
served
