--TEST--
A callback that means the object whose method has registered it, or a variable's, keeps that object
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    class Base
    {
        public array $greeting = ['he', 'l', 'lo'];

        public function handle($server, $fd, $reactor, $data)
        {
            $server->send($fd, implode($this->greeting) . " $data");
        }
    }
    final class App extends Base
    {
        public function register(Rotor\Server $server, string $way): void
        {
            $server->on('receive', match ($way) {
                'class' => [self::class, 'handle'],
                'name' => 'App::handle',
                'parent' => [parent::class, 'handle'],
            });
        }
    }
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    if ($argv[1] === 'reference') {
        $app = new App;
        $server->on('receive', [&$app, 'handle']);
        $app = null;
    } else {
        (new App)->register($server, $argv[1]);
    }
    // Whatever gets the place of an object that was released.
    $others = [];
    for ($i = 0; $i < 100; $i++) {
        $others[] = new ArrayObject([$i]);
        $others[] = (object) ['greeting' => $i];
    }
    $server->start();
    PHP;
foreach (['class', 'name', 'parent', 'reference'] as $way) {
    $server = TestServer::start($script, args: [$way]);
    $client = $server->connect();
    echo "$way: {$client->exchange('you', 9)}, {$client->exchange('all', 9)}\n";
    $client->close();
    $server->stop();
}
$server = new Rotor\Server('127.0.0.1');
$server->on('start', [new class ($server) {
    public function __construct(public Rotor\Server $server) {}
    public function handle() {}
    public function __destruct() { echo "collected\n"; }
}, 'handle']);
$server = null;
gc_collect_cycles();
?>
--EXPECT--
class: hello you, hello all
name: hello you, hello all
parent: hello you, hello all
reference: hello you, hello all
collected
