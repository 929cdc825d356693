--TEST--
Arguments are converted and complained about as those of PHP's own functions
--EXTENSIONS--
rotor
--FILE--
<?php
$server = new Rotor\Server('127.0.0.1');
function attempt(callable $call): void
{
    try {
        var_dump($call());
    } catch (Error $error) {
        echo get_class($error), ': ', $error->getMessage(), "\n";
    }
}
attempt(fn () => $server->exists('12'));
attempt(fn () => $server->exists('x'));
attempt(fn () => $server->exists(1.5));
attempt(fn () => $server->exists(null));
attempt(fn () => $server->exists());
attempt(fn () => $server->exists(1, 2));
attempt(fn () => $server->send([], 'x'));
attempt(fn () => $server->send(1, new stdClass));
attempt(fn () => $server->send(1, new class { function __toString() { return 'text'; } }));
attempt(fn () => $server->close(fd: 1, reset: 'yes'));
attempt(fn () => $server->close(reset: true));
attempt(fn () => $server->close(1, nonsense: true));
attempt(fn () => $server->set('worker_num'));
attempt(fn () => $server->on('receive', 'no_such_function'));
attempt(fn () => $server->on('receive', ['X', 'y']));
attempt(fn () => $server->on('receive', 5));
attempt(fn () => new Rotor\Server([]));
?>
--EXPECTF--

Warning: Rotor\Server::exists(): server is not running; call start() first in %s on line %d
bool(false)
TypeError: Rotor\Server::exists(): Argument #1 ($fd) must be of type int, string given

Deprecated: Implicit conversion from float 1.5 to int loses precision in %s on line %d

Warning: Rotor\Server::exists(): server is not running; call start() first in %s on line %d
bool(false)

Deprecated: Rotor\Server::exists(): Passing null to parameter #1 ($fd) of type int is deprecated in %s on line %d

Warning: Rotor\Server::exists(): server is not running; call start() first in %s on line %d
bool(false)
ArgumentCountError: Rotor\Server::exists() expects exactly 1 argument, 0 given
ArgumentCountError: Rotor\Server::exists() expects exactly 1 argument, 2 given
TypeError: Rotor\Server::send(): Argument #1 ($fd) must be of type string|int, array given
TypeError: Rotor\Server::send(): Argument #2 ($data) must be of type string, stdClass given

Warning: Rotor\Server::send(): server is not running; call start() first in %s on line %d
bool(false)

Warning: Rotor\Server::close(): server is not running; call start() first in %s on line %d
bool(false)
ArgumentCountError: Rotor\Server::close(): Argument #1 ($fd) not passed
Error: Unknown named parameter $nonsense
TypeError: Rotor\Server::set(): Argument #1 ($settings) must be of type array, string given
TypeError: Rotor\Server::on(): Argument #2 ($callback) must be a valid callback, function "no_such_function" not found or invalid function name
TypeError: Rotor\Server::on(): Argument #2 ($callback) must be a valid callback, class "X" not found
TypeError: Rotor\Server::on(): Argument #2 ($callback) must be a valid callback, no array or string given
TypeError: Rotor\Server::__construct(): Argument #1 ($host) must be of type string, array given
