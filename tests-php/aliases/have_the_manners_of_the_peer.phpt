--TEST--
Under the Swoole names MODE_BASE, unknown settings and events are warnings, and surplus arguments are ignored
--EXTENSIONS--
rotor
--INI--
rotor.swoole_aliases=1
--FILE--
<?php
$server = new Rotor\Server('127.0.0.1', 0, Rotor\Server::MODE_BASE, SWOOLE_SOCK_TCP, 'surplus');
var_dump($server->mode === SWOOLE_PROCESS);
var_dump($server->set(['nonsense' => 1, 'worker_num' => 2], 'surplus'), $server->setting);
var_dump($server->on('nonsense', 'strlen'));
var_dump($server->on('task', 'strlen'));
var_dump($server->on('receive', 'strlen', 'surplus', 5));
var_dump($server->exist(1, 2, 3));
var_dump(swoole_last_error('surplus'), swoole_clear_error(), swoole_last_error());
try {
    $server->set(['worker_num' => 'many']);
} catch (Swoole\Exception $exception) {
    echo get_class($exception), "\n";
}
?>
--EXPECTF--
Warning: Rotor\Server::__construct(): MODE_BASE does not exist yet, MODE_PROCESS is used in %s on line %d
bool(true)

Warning: Rotor\Server::set(): unknown setting "nonsense"%s in %s on line %d
bool(false)
array(1) {
  ["worker_num"]=>
  int(2)
}

Warning: Rotor\Server::on(): unknown event "nonsense"; the events are %s in %s on line %d
bool(false)

Warning: Rotor\Server::on(): event "Task" does not exist yet: Rotor has no task workers in %s on line %d
bool(false)
bool(true)

Warning: Rotor\Server::exist(): server is not running; call start() first in %s on line %d
bool(false)
int(509)
NULL
int(0)
Rotor\SettingException
