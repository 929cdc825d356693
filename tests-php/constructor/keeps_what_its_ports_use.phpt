--TEST--
A port that outlives the script's variable for the server keeps callbacks and functions that hold the server, until both go
--EXTENSIONS--
rotor
--FILE--
<?php
class Noisy
{
    public function __construct(public string $name) {}
    public function __destruct() { echo "$this->name freed\n"; }
}
foreach (['callback', 'function', 'primary'] as $kind) {
    $port = (function () use ($kind) {
        $server = new Rotor\Server('127.0.0.1');
        $noisy = new Noisy($kind);
        $closure = function () use ($server, $noisy) { return $noisy->name; };
        $port = $kind === 'primary' ? $server->ports[0] : $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
        // A port of which the property knows nothing is one all the same.
        $server->ports = [];
        if ($kind === 'function') {
            $port->set(['package_length_func' => $closure, 'open_length_check' => true]);
        } else {
            $port->on('receive', $closure);
        }
        return $port;
    })();
    gc_collect_cycles();
    // Whatever gets the place of what was released.
    $others = array_map(fn ($i) => fn () => $i, range(1, 50));
    echo $kind, ': ', ($kind === 'function' ? $port->setting['package_length_func'] : $port->getCallback('receive'))(), "\n";
    $port = null;
    gc_collect_cycles();
}
echo get_class(new Rotor\Server('127.0.0.1')), "\n";
?>
--EXPECT--
callback: callback
callback freed
function: function
function freed
primary: primary
primary freed
Rotor\Server
