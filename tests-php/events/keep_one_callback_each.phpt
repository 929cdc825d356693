--TEST--
on() takes any callable under any spelling of the event, the last one counts, getCallback() gives it back
--EXTENSIONS--
rotor
--FILE--
<?php
class M
{
    public static function st() {}
    public function m() {}
    public function __call($name, $args) {}
    public function __invoke() {}
}
$server = new Rotor\Server('127.0.0.1');
$closure = fn () => 1;
$m = new M;
foreach ([$closure, 'strlen', 'M::st', ['M', 'st'], [$m, 'm'], [$m, 'magic'], $m, $m->magic(...)] as $callback) {
    var_dump($server->on('ReCeIvE', $callback) && $server->getCallback('receive') === $callback);
}
var_dump($server->getCallback('connect'), $server->getCallback('nonsense'));
foreach (['Start', 'Shutdown', 'BeforeShutdown', 'ManagerStart', 'ManagerStop', 'WorkerStart', 'WorkerStop', 'WorkerExit',
    'WorkerError', 'Connect', 'Receive', 'Close', 'BeforeReload', 'AfterReload'] as $event) {
    $server->on(strtolower($event), $closure) || print($event);
    $server->getCallback(strtoupper($event)) === $closure || print($event);
}
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
NULL
NULL
