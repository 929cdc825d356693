--TEST--
extendTimeout() moves the end of the running callback, to later and to sooner, and not that of the next
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'open_eof_split' => true, 'package_eof' => "\n", 'log_file' => getenv('ROTOR_LOG'),
        'request_timeout' => (float) getenv('LIMIT')]);
    $server->on('workerStart', function ($server) {
        note('start ' . json_encode([$server->extendTimeout(1), $server->getLastError()]));
    });
    $server->on('requestTimeout', fn ($server, $worker, $fd, $seconds) => note("timeout $fd " . ($seconds < 20 ? 'in time' : 'late')));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        [$seconds, $nap] = explode(' ', trim($data));
        $extended = @$server->extendTimeout($seconds === 'NAN' ? NAN : (float) $seconds);
        $error = $extended ? '' : ' ' . $server->getLastError() . ' ' . (error_get_last()['message'] ?? '');
        usleep((int) ($nap * 1e6));
        $server->send($fd, json_encode($extended) . "$error\n");
    });
    $server->start();
    PHP;
$server = TestServer::start($script, env: ['LIMIT' => '1']);
$client = $server->connect();
// Longer than the limit, and again in the next message.
foreach (['30 1.5', '30 1.5', '-1 0', '0 0', 'NAN 0'] as $message) {
    $client->write("$message\n");
    echo $client->readLine(), "\n";
}
// The next callback has the setting's time.
$client->write("0 30\n");
$client->readToEnd($end);
echo "$end\n";
$server->waitForNote('timeout 1 in time');
echo $server->notes()[0], "\n";
$server->allowLog('/ (warning|error) worker=0 pid=\d+: (killed|#\d)/');
$server->stop();

// Sooner than a limit that is far away.
$server = TestServer::start($script, env: ['LIMIT' => '3600']);
$client = $server->connect();
$client->write("0.2 60\n");
$client->readToEnd($end);
echo "$end\n";
$server->waitForNote('timeout 1 in time');
$server->allowLog('/ (warning|error) worker=0 pid=\d+: (killed|#\d)/');
$server->stop();

// Without a limit there is nothing to move.
$server = TestServer::start($script, env: ['LIMIT' => '0']);
$client = $server->connect();
$client->write("0.01 0.3\n");
echo $client->readLine(), "\n";
$client->close();
$server->stop();
?>
--EXPECT--
true
true
false 505 Rotor\Server::extendTimeout(): $seconds must be greater than 0, -1.0 given
false 505 Rotor\Server::extendTimeout(): $seconds must be greater than 0, 0.0 given
false 505 Rotor\Server::extendTimeout(): $seconds must be greater than 0, NaN given
closed
start [false,509]
closed
true
