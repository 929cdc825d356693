--TEST--
Every method of a server whose constructor a subclass did not call throws, saying so
--EXTENSIONS--
rotor
--FILE--
<?php
class Forgetful extends Rotor\Server
{
    public function __construct() {}
}
$arguments = ['set' => [[]], 'on' => ['receive', 'strlen'], 'getCallback' => ['receive'], 'send' => [1, 'x'], 'close' => [1],
    'bind' => [1, 1], 'broadcast' => ['x'], 'exists' => [1], 'exist' => [1], 'getClientInfo' => [1], 'connection_info' => [1],
    'listen' => ['127.0.0.1', 0, 1], 'addlistener' => ['127.0.0.1', 0, 1],
    'trace' => [0], 'extendTimeout' => [1.0], 'protect' => [1], 'sendto' => ['127.0.0.1', 1, 'x'], 'sendfile' => [1, 'x'],
    'pause' => [1], 'resume' => [1], 'confirm' => [1], 'addProcess' => [new Rotor\Process('strlen')]];
$count = 0;
foreach ([new Forgetful, (new ReflectionClass('Rotor\Server'))->newInstanceWithoutConstructor()] as $server) {
    foreach (get_class_methods('Rotor\Server') as $method) {
        if ($method === '__construct') {
            continue;
        }
        try {
            $server->$method(...($arguments[$method] ?? []));
            echo "$method: no exception\n";
        } catch (Rotor\Exception $exception) {
            $exception->getMessage() === "Rotor\\Server::$method(): parent::__construct() was not called"
                ? $count++ : print("{$exception->getMessage()}\n");
        }
    }
}
var_dump($count === 2 * (count(get_class_methods('Rotor\Server')) - 1));
?>
--EXPECT--
bool(true)
