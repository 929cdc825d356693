--TEST--
A subclass works: own constructor, overridden methods, own and dynamic properties
--EXTENSIONS--
rotor
--INI--
error_reporting=-1
--FILE--
<?php
class Mine extends Rotor\Server
{
    public $setting = ['mine' => 1];
    private int $calls = 0;

    public function __construct(private string $name)
    {
        parent::__construct('127.0.0.1', 0);
    }

    public function set(array $settings): bool
    {
        $this->calls++;
        return parent::set($settings + ['worker_num' => 3]);
    }

    public function calls(): string
    {
        return "$this->name $this->calls";
    }
}
$server = new Mine('name');
$server->table = 'dynamic';
var_dump($server->set([]), $server->setting, $server->calls(), $server->table, get_class($server));
unset($server->table);
var_dump(isset($server->table));
?>
--EXPECT--
bool(true)
array(2) {
  ["mine"]=>
  int(1)
  ["worker_num"]=>
  int(3)
}
string(6) "name 1"
string(7) "dynamic"
string(4) "Mine"
bool(false)
