--TEST--
package_length_func takes what can be called, shows it in $setting, and is put back by null; the last of several wins, a refused one changes nothing
--EXTENSIONS--
rotor
--FILE--
<?php
$server = new Rotor\Server('127.0.0.1');
foreach (['no_such_function', 12, true, [], ['strlen'], [$server, 'nothing'], new stdClass, 1.5] as $bad) {
    try {
        $server->set(['worker_num' => 3, 'package_length_func' => $bad]);
        echo "no exception\n";
    } catch (Rotor\SettingException $exception) {
        echo $exception->getMessage(), "\n";
    }
}
var_dump($server->setting);
$closure = fn (string $buffer): int => 1;
var_dump($server->set(['package_length_func' => $closure]), $server->setting['package_length_func'] === $closure);
try {
    $server->set(['package_length_func' => 'nothing at all']);
} catch (Rotor\SettingException) {
}
var_dump($server->setting['package_length_func'] === $closure);
$server->set(['package_length_func' => 'strlen', 'worker_num' => 2]);
echo json_encode($server->setting), "\n";
$server->set(['package_length_func' => false]);
echo json_encode($server->setting), "\n";
$server->set(['package_length_func' => null]);
echo json_encode($server->setting), "\n";

$port = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
$port->set(['package_length_func' => [new ArrayObject, 'count']]);
echo json_encode($port->setting), "\n";
try {
    $port->set(['package_length_func' => 'nothing at all']);
} catch (Rotor\SettingException $exception) {
    echo $exception->getMessage(), "\n";
}
// Nobody keeps a function that was replaced, and the collector finds those that hold the server.
$gone = new class {
    public function __destruct() { echo "gone\n"; }
    public function __invoke(string $buffer): int { return 1; }
};
$server->set(['package_length_func' => $gone]);
unset($gone);
$server->set(['package_length_func' => fn () => $server]);
$weak = WeakReference::create($server);
unset($server, $port);
gc_collect_cycles();
var_dump($weak->get());
?>
--EXPECT--
Rotor\Server::set(): package_length_func must be callable, "no_such_function" given
Rotor\Server::set(): package_length_func must be callable, 12 given
Rotor\Server::set(): package_length_func must be callable, true given
Rotor\Server::set(): package_length_func must be callable, empty array given
Rotor\Server::set(): package_length_func must be callable, array given
Rotor\Server::set(): package_length_func must be callable, array given
Rotor\Server::set(): package_length_func must be callable, object given
Rotor\Server::set(): package_length_func must be callable, 1.5 given
NULL
bool(true)
bool(true)
bool(true)
{"package_length_func":"strlen","worker_num":2}
{"package_length_func":false,"worker_num":2}
{"worker_num":2}
{"package_length_func":[{},"count"]}
Rotor\Server\Port::set(): package_length_func must be callable, "nothing at all" given
gone
NULL
