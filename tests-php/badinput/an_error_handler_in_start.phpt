--TEST--
An error handler that a warning of start() runs can change nothing any more, and may throw: then start() can be called again
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $tells = function (int $level, string $message) { note($message); return true; };
    set_error_handler(function (int $level, string $message) use ($server, $tells) {
        note($message);
        set_error_handler($tells);
        foreach ([
            'listen' => fn () => $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP),
            'set' => fn () => $server->set(['worker_num' => 3]),
            'on' => fn () => $server->on('receive', 'strlen'),
            'addProcess' => fn () => $server->addProcess(new Rotor\Process('strlen')),
            'start' => fn () => $server->start(),
        ] as $method => $call) {
            note("$method " . json_encode($call()));
        }
        throw new LogicException('thrown by the handler');
    });
    try {
        $server->start();
    } catch (LogicException $exception) {
        note($exception->getMessage());
    }
    note('set ' . json_encode($server->set(['worker_num' => 2])));
    $server->start();
    PHP);
echo $server->request('hello'), "\n";
$server->stop();
echo implode("\n", $server->notes()), "\n";
?>
--EXPECTF--
hello
Rotor\Server::start(): reactor_num is lowered from 2 to 1: %s
Rotor\Server::listen(): server is running; call it before start()
listen false
Rotor\Server::set(): server is running; call it before start()
set false
Rotor\Server::on(): server is running; call it before start()
on false
Rotor\Server::addProcess(): server is running; call it before start()
addProcess false
Rotor\Server::start(): a server starts once
start false
thrown by the handler
set true
