--TEST--
A port refuses settings and events of the whole server, addresses that cannot be had, and everything once the server runs
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

[$exit, $output] = TestServer::run(<<<'PHP'
    function tell(callable $try): void
    {
        try {
            echo json_encode($try()), "\n";
        } catch (Throwable $error) {
            echo get_class($error), ': ', preg_replace('/127.0.0.1:\d+/', 'ADDRESS', $error->getMessage()), "\n";
        }
    }
    $server = new Rotor\Server('127.0.0.1', 0);
    $port = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    tell(fn () => $port->set(['worker_num' => 2]));
    tell(fn () => $server->ports[0]->set(['max_request' => 2]));
    tell(fn () => $server->ports[0]->set(['backlog' => 9]));
    tell(fn () => $server->setting);
    tell(fn () => $port->set(['backlogg' => 9]));
    tell(fn () => $port->set(['backlog' => 0]));
    tell(fn () => $port->on('workerStart', fn () => null));
    tell(fn () => $port->on('reseive', fn () => null));
    tell(fn () => $port->on('receive', 'no_such_function'));
    tell(fn () => $port->getCallback('receive'));
    tell(fn () => $port->on('receive', 'strlen'));
    tell(fn () => $port->getCallback('receive'));
    tell(fn () => $server->listen('127.0.0.1', $port->port, Rotor\Server::SOCK_TCP));
    tell(fn () => $server->listen('127.0.0.1', 70000, Rotor\Server::SOCK_TCP));
    tell(fn () => $server->listen('127.0.0.1', 0, 7));
    tell(fn () => $server->listen('nowhere', 0, Rotor\Server::SOCK_TCP));
    tell(fn () => (new ReflectionClass(Rotor\Server\Port::class))->newInstance());
    tell(fn () => clone $port);
    tell(fn () => $server->start());
    $server->on('receive', fn () => null);
    $server->set(['worker_num' => 1]);
    $server->on('start', function ($server) use ($port) {
        tell(fn () => @$port->set(['backlog' => 9]));
        tell(fn () => @$port->on('receive', fn () => null));
        tell(fn () => @$server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP));
        $server->shutdown();
    });
    tell(fn () => $server->start());
    PHP);
echo preg_replace('/^\d{4}-.*\n/m', '', $output);
?>
--EXPECT--
Rotor\SettingException: Rotor\Server\Port::set(): worker_num is a setting of the whole server; give it to $server->set()
Rotor\SettingException: Rotor\Server\Port::set(): max_request is a setting of the whole server; give it to $server->set()
true
null
Rotor\SettingException: Rotor\Server\Port::set(): unknown setting "backlogg"; did you mean "backlog"?
Rotor\SettingException: Rotor\Server\Port::set(): backlog must be 1 to 1048576, 0 given
Rotor\Exception: Rotor\Server\Port::on(): event "WorkerStart" is one of the whole server; register it with $server->on()
Rotor\Exception: Rotor\Server\Port::on(): unknown event "reseive"; did you mean "Receive"?
TypeError: Rotor\Server\Port::on(): Argument #2 ($callback) must be a valid callback, function "no_such_function" not found or invalid function name
null
true
"strlen"
Rotor\Exception: Rotor\Server::listen(): cannot listen on ADDRESS: address already in use (another process listens there; stop it or choose another port)
Rotor\Exception: Rotor\Server::listen(): $port must be 0 (any free one) to 65535, 70000 given
Rotor\Exception: Rotor\Server::listen(): $sock_type must be Rotor\Server::SOCK_TCP (1), SOCK_UDP (2), SOCK_TCP6 (3), SOCK_UDP6 (4), SOCK_UNIX_STREAM (5) or SOCK_UNIX_DGRAM (6), 7 given
Rotor\Exception: Rotor\Server::listen(): $host must be an IPv4 address such as 0.0.0.0 or 127.0.0.1, "nowhere" given
ReflectionException: Access to non-public constructor of class Rotor\Server\Port
Error: Trying to clone an uncloneable object of class Rotor\Server\Port
Rotor\Exception: Rotor\Server::start(): the event "receive" has no callback on port 0; register one with on('receive', ...)
false
false
false
true
