--TEST--
rotor.swoole_aliases gives a module swoole of version 6.2.2, its class names, constants and functions
--EXTENSIONS--
rotor
--INI--
rotor.swoole_aliases=1
--FILE--
<?php
var_dump(extension_loaded('swoole'), phpversion('swoole'), SWOOLE_VERSION, SWOOLE_VERSION_ID, swoole_version());
var_dump(SWOOLE_BASE, SWOOLE_PROCESS, SWOOLE_SOCK_TCP6, SWOOLE_TCP, SWOOLE_LOG_NONE, SWOOLE_WORKER_IDLE, SWOOLE_DISPATCH_IDLE_WORKER);
class Application extends Swoole\Server {}
$server = new Application('127.0.0.1', 0, SWOOLE_PROCESS, SWOOLE_SOCK_TCP);
function takes(Swoole\Server $server): string
{
    return get_parent_class($server);
}
var_dump(takes($server), $server instanceof Rotor\Server, $server->connections instanceof Swoole\Connection\Iterator);
try {
    new Swoole\Server('127.0.0.1', -1);
} catch (Swoole\Exception $exception) {
    echo get_class($exception), "\n";
}
?>
--EXPECT--
bool(true)
string(5) "6.2.2"
string(5) "6.2.2"
int(60202)
string(5) "6.2.2"
int(1)
int(2)
int(3)
int(1)
int(6)
int(2)
int(3)
string(12) "Rotor\Server"
bool(true)
bool(true)
Rotor\Exception
