--TEST--
A server whose callbacks hold it is collected, and another can be made
--EXTENSIONS--
rotor
--FILE--
<?php
class Noisy
{
    public function __destruct()
    {
        echo "freed\n";
    }
}
(function () {
    $server = new Rotor\Server('127.0.0.1');
    $noisy = new Noisy;
    $server->on('receive', function () use ($server, $noisy) {});
    $server->on('start', [new class ($server) { function __construct(public $server) {} function start() {} }, 'start']);
})();
echo "held\n";
gc_collect_cycles();
echo get_class(new Rotor\Server('127.0.0.1')), "\n";
?>
--EXPECT--
held
freed
Rotor\Server
