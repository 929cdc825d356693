--TEST--
A destructor that reaches the server, a port or a process by a weak reference while it is released finds one that was never made
--EXTENSIONS--
rotor
--FILE--
<?php
class Late
{
    public ?WeakReference $whole = null;
    public function __construct(private Closure $use) {}
    public function handle() {}
    public function __destruct()
    {
        try {
            echo json_encode(($this->use)($this->whole?->get())), "\n";
        } catch (Throwable $error) {
            echo $error->getMessage(), "\n";
        }
    }
}
function late(Closure $use, Closure $make): void
{
    $late = new Late($use);
    $whole = $make($late);
    $late->whole = WeakReference::create($whole);
}
$server = function (Late $late) {
    $server = new Rotor\Server('127.0.0.1');
    $server->on('start', [$late, 'handle']);
    return $server;
};
late(fn ($server) => is_array($server?->getCallback('start')), $server);
late(fn ($server) => $server?->set(['worker_num' => 1]), $server);
late(fn ($server) => $server?->__construct('127.0.0.1'), $server);
late(fn ($process) => $process?->write('x'), fn (Late $late) => new Rotor\Process([$late, 'handle']));
$port = function (Late $late) {
    $server = new Rotor\Server('127.0.0.1');
    $port = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    $port->on('receive', [$late, 'handle']);
    return $port;
};
late(fn ($port) => is_array($port?->getCallback('receive')), $port);
// The one whose constructor was called again is gone as well.
echo get_class(new Rotor\Server('127.0.0.1')), "\n";
?>
--EXPECT--
Rotor\Server::getCallback(): parent::__construct() was not called
Rotor\Server::set(): parent::__construct() was not called
null
Rotor\Process::write(): parent::__construct() was not called
Rotor\Server\Port::getCallback(): only listen() makes one
Rotor\Server
