--TEST--
Functions, methods, static methods, invokable objects, __call and __callStatic are called, again and again
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    function receive($server, $fd, $reactor, $data) { $server->send($fd, $data); }
    class Handler
    {
        public static function st($server, $fd, $reactor, $data) { receive($server, $fd, $reactor, $data); }
        public function m($server, $fd, $reactor, $data) { receive($server, $fd, $reactor, $data); }
        public function __invoke($server, $fd, $reactor, $data) { receive($server, $fd, $reactor, $data); }
        public function __call($name, $arguments) { $name === 'magic' && receive(...$arguments); }
        public static function __callStatic($name, $arguments) { $name === 'magic' && receive(...$arguments); }
    }
    $callables = [
        'receive', 'Handler::st', ['Handler', 'st'], [new Handler, 'm'], new Handler, [new Handler, 'magic'],
        ['Handler', 'magic'], receive(...), (new Handler)->magic(...), fn (...$arguments) => receive(...$arguments),
    ];
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', $callables[(int) $argv[1]]);
    $server->start();
    PHP;
for ($kind = 0; $kind < 10; $kind++) {
    $server = TestServer::start($script, args: [(string) $kind]);
    $client = $server->connect();
    for ($i = 0; $i < 200; $i++) {
        $client->exchange("message $i") === "message $i" || print("$kind: $i\n");
    }
    $client->close();
    $server->stop();
}
echo "done\n";
?>
--EXPECT--
done
