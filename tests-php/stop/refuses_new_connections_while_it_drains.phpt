--TEST--
From a stop on nobody gets in any more, what had got in is served, and the port is free when the server has ended
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('beforeShutdown', fn () => note('before'));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        note("works on $data");
        while (!file_exists(getenv('ROTOR_TMP') . '/go')) {
            usleep(5_000);
        }
        $server->send($fd, "answer to $data");
    });
    $server->start();
    PHP);
$first = $server->connect();
$first->write('first');
$server->waitForNote('works on first');
// It waits behind the first.
$second = $server->connect();
$second->write('second');
$server->signal(SIGTERM);
$server->waitForNote('before');
$refused = $server->waitFor(function () use ($server) {
    $socket = @stream_socket_client("tcp://127.0.0.1:$server->port", $code, $message);
    $socket && fclose($socket);
    return $socket ? null : $message;
}, 'a refusal');
echo $refused, "\n";
$server->expectFile('go');
touch("$server->tmp/go");
echo $first->readToEnd(), "\n", $second->readToEnd(), "\n";
$port = $server->port;
$server->wait();
$again = stream_socket_server("tcp://127.0.0.1:$port");
echo $again ? "free\n" : "in use\n";
?>
--EXPECT--
Connection refused
answer to first
answer to second
free
