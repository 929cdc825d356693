--TEST--
The destructor of a replaced callback may register another
--EXTENSIONS--
rotor
--FILE--
<?php
class Registers
{
    public function __construct(private Rotor\Server $server) {}
    public function receive() {}
    public function __destruct()
    {
        $this->server->on('receive', 'strrev');
    }
}
$server = new Rotor\Server('127.0.0.1');
$server->on('receive', [new Registers($server), 'receive']);
$server->on('receive', 'strlen');
var_dump($server->getCallback('receive'));
?>
--EXPECT--
string(6) "strrev"
