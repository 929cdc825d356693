--TEST--
A second start() warns and returns false, in a callback and after the stop, and so does what comes too late
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
    set_error_handler(function ($level, $message) { note($message); return true; });
    $tell = fn (string $what, mixed $result) => note("$what " . json_encode($result));
    $server->on('receive', function ($server, $fd) use ($tell) {
        $tell('start', $server->start());
        $tell('set', $server->set(['worker_num' => 2]));
        $tell('on', $server->on('close', 'strlen'));
        try {
            new Rotor\Server('127.0.0.1');
        } catch (Rotor\Exception $exception) {
            note($exception->getMessage());
        }
        $server->send($fd, 'done');
    });
    note('started ' . json_encode($server->start()));
    $tell('start', $server->start());
    $tell('stats', $server->stats());
    $tell('send', $server->send(1, 'x'));
    $tell('count', count($server->connections));
    PHP);
$client = $server->connect();
echo $client->exchange('ask', 4), "\n";
$client->close();
posix_kill($server->pid, SIGTERM);
$server->waitForNote('count 0');
echo implode("\n", $server->notes()), "\n";
$server->wait();
?>
--EXPECT--
done
Rotor\Server::start(): a server starts once
start false
Rotor\Server::set(): server is running; call it before start()
set false
Rotor\Server::on(): server is running; call it before start()
on false
Rotor\Server::__construct(): this process has a server already; there can be one at a time
started true
Rotor\Server::start(): a server starts once
start false
Rotor\Server::stats(): server is not running any more
stats false
Rotor\Server::send(): server is not running any more
send false
count 0
