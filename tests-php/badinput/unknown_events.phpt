--TEST--
An unknown event throws, naming the nearest one, or all
--EXTENSIONS--
rotor
--FILE--
<?php
$server = new Rotor\Server('127.0.0.1');
foreach (['recieve', 'onReceive', 'workerstrat', 'Task', 'request', 'xyzzy', '', "a\0b"] as $event) {
    try {
        $server->on($event, 'strlen');
        echo "no exception\n";
    } catch (Rotor\Exception $exception) {
        echo substr($exception->getMessage(), 0, 110), "\n";
    }
}
try {
    $server->on(str_repeat('x', 100_000), 'strlen');
} catch (Rotor\Exception $exception) {
    var_dump(strlen($exception->getMessage()) < 400);
}
?>
--EXPECT--
Rotor\Server::on(): unknown event "recieve"; did you mean "Receive"?
Rotor\Server::on(): unknown event "onReceive"; did you mean "Receive"?
Rotor\Server::on(): unknown event "workerstrat"; did you mean "WorkerStart"?
Rotor\Server::on(): event "Task" does not exist yet: Rotor has no task workers
Rotor\Server::on(): event "Request" does not exist yet: Rotor has no HTTP
Rotor\Server::on(): unknown event "xyzzy"; the events are Start, BeforeShutdown, Shutdown, ManagerStart, Manag
Rotor\Server::on(): unknown event ""; the events are Start, BeforeShutdown, Shutdown, ManagerStart, ManagerSto
Rotor\Server::on(): unknown event "a\0b"; the events are Start, BeforeShutdown, Shutdown, ManagerStart, Manage
bool(true)
