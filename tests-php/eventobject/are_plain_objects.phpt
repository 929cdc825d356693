--TEST--
The classes of event objects are plain: they can be made, extended, copied, and their properties have types
--EXTENSIONS--
rotor
--INI--
rotor.swoole_aliases=1
--FILE--
<?php
foreach ([Swoole\Server\Event::class, Swoole\Server\Packet::class, Swoole\Server\StatusInfo::class] as $name) {
    $object = new $name();
    echo get_class($object), ' ', json_encode($object, JSON_PRESERVE_ZERO_FRACTION), "\n";
    foreach ((new ReflectionClass($name))->getProperties() as $property) {
        echo '  ', $property->getType(), ' $', $property->name, "\n";
    }
    var_dump(unserialize(serialize($object)) == $object, clone $object == $object);
}
class Own extends Rotor\Server\Event
{
    public string $more = 'more';
}
$own = new Own();
$own->data = ['decoded' => true];
$own->fd = 7;
echo json_encode($own, JSON_PRESERVE_ZERO_FRACTION), "\n";
try {
    $own->fd = 'seven';
} catch (TypeError $error) {
    echo $error->getMessage(), "\n";
}
$own->dispatch_time = 3;
var_dump($own->dispatch_time, $own instanceof Swoole\Server\Event);
unset($own->data);
var_dump(isset($own->data));
?>
--EXPECT--
Rotor\Server\Event {"reactor_id":0,"fd":0,"dispatch_time":0.0,"data":null}
  int $reactor_id
  int $fd
  float $dispatch_time
  mixed $data
bool(true)
bool(true)
Rotor\Server\Packet {"server_socket":0,"server_port":0,"dispatch_time":0.0,"address":"","port":0,"data":null}
  int $server_socket
  int $server_port
  float $dispatch_time
  string $address
  int $port
  mixed $data
bool(true)
bool(true)
Rotor\Server\StatusInfo {"worker_id":0,"worker_pid":0,"status":0,"exit_code":0,"signal":0,"fd":0}
  int $worker_id
  int $worker_pid
  int $status
  int $exit_code
  int $signal
  int $fd
bool(true)
bool(true)
{"reactor_id":0,"fd":7,"dispatch_time":0.0,"data":{"decoded":true},"more":"more"}
Cannot assign string to property Rotor\Server\Event::$fd of type int
float(3)
bool(true)
bool(false)
