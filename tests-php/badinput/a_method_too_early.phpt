--TEST--
Methods of a running server warn and return false before start()
--EXTENSIONS--
rotor
--FILE--
<?php
$server = new Rotor\Server('127.0.0.1');
$arguments = ['send' => [1, 'x'], 'close' => [1], 'exists' => [1], 'exist' => [1], 'getClientInfo' => [1], 'connection_info' => [1],
    'bind' => [1, 1], 'trace' => [0], 'extendTimeout' => [1.0], 'protect' => [1], 'sendto' => ['127.0.0.1', 1, 'x'],
    'sendfile' => [1, 'x'], 'pause' => [1], 'resume' => [1], 'confirm' => [1], 'broadcast' => ['x']];
set_error_handler(function (int $level, string $message) use (&$warning): bool {
    $warning = $message;
    return true;
});
foreach (array_diff(get_class_methods($server), [
    '__construct', 'set', 'on', 'getCallback', 'listen', 'addlistener', 'addProcess', 'start', 'getLastError', 'getSocket',
]) as $method) {
    $warning = null;
    $result = $server->$method(...($arguments[$method] ?? []));
    // What counts is a number.
    if ($result !== ($method === 'broadcast' ? 0 : false) || $warning !== "Rotor\\Server::$method(): server is not running; call start() first" || $server->getLastError() !== 509) {
        var_dump($method, $result, $warning);
    }
}
foreach ($server->connections as $fd) {
    var_dump($fd);
}
var_dump(count($server->connections), isset($server->connections[1]), $server->connections[1], $server->connections->current());
$server->connections[1] = 2;
unset($server->connections[1]);
?>
--EXPECT--
int(0)
bool(false)
bool(false)
bool(false)
