--TEST--
package_length_func cuts messages that come in fragments, together, byte by byte or large; it runs in the master, on any kind of callable
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

// A message: its number of bytes as a decimal, a colon, the bytes.
$server = TestServer::start(<<<'PHP'
    final class Lengths
    {
        public static function of(string $buffer): int
        {
            $colon = strpos($buffer, ':');
            return $colon === false ? 0 : $colon + 1 + (int) $buffer;
        }

        public function ask(string $buffer): int
        {
            return self::of($buffer);
        }

        public function __invoke(string $buffer): int
        {
            return self::of($buffer);
        }

        public function __call(string $name, array $args): int
        {
            return self::of(...$args);
        }
    }
    function length_of(string $buffer): int
    {
        return Lengths::of($buffer);
    }
    $calls = 0;
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'package_max_length' => '8M', 'open_length_check' => true]);
    $server->set(['package_length_func' => function (string $buffer) use ($server, &$calls): int {
        $calls++ || note(getmypid() === $server->getMasterPid() ? 'in the master' : 'elsewhere');
        return Lengths::of($buffer);
    }]);
    $functions = ['length_of', 'Lengths::of', ['Lengths', 'of'], [new Lengths, 'ask'], new Lengths, [new Lengths, 'magic'], Lengths::of(...)];
    foreach ($functions as $function) {
        $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP)->set(['package_length_func' => $function]);
    }
    // As the primary port.
    $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    note(implode(' ', array_map(fn ($port) => $port->port, $server->ports)));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, "got $data;"));
    $server->on('shutdown', function () use (&$calls) { note("$calls calls"); });
    $server->start();
    PHP);
$ports = explode(' ', $server->notes()[0]);
foreach ($ports as $number) {
    $client = new TestClient("tcp://127.0.0.1:$number");
    $client->write('5:hello');
    $client->write('3:on');
    echo $client->readLine(';'), ' ';
    $client->write('e3:two0:1:');
    echo $client->readLine(';'), ' ', $client->readLine(';'), ' ', $client->readLine(';'), ' ';
    $client->write('x');
    echo $client->readLine(';'), "\n";
    $client->close();
}
$client = $server->connect();
foreach (str_split('11:slow slowly') as $byte) {
    $client->write($byte);
    usleep(1_000);
}
echo $client->readLine(';'), "\n";
foreach ([4093, 4094, 20_000, 200_000, 3_000_000, 8_000_000] as $size) {
    $message = "$size:" . str_repeat('y', $size);
    var_dump($client->exchange($message, strlen($message) + 5) === "got $message;");
}
// A thousand at once.
$messages = array_map(fn (int $number) => strlen((string) $number) . ":$number", range(1, 1000));
$expected = 'got ' . implode(';got ', $messages) . ';';
var_dump($client->exchange(implode($messages), strlen($expected)) === $expected);
$client->close();
$server->stop();
[, $in, $calls] = $server->notes();
echo $in, "\n";
// Byte by byte it is asked at each byte, else hardly more than once for each message.
var_dump((int) $calls >= 1000 && (int) $calls < 1100);
?>
--EXPECT--
got 5:hello got 3:one got 3:two got 0: got 1:x
got 5:hello got 3:one got 3:two got 0: got 1:x
got 5:hello got 3:one got 3:two got 0: got 1:x
got 5:hello got 3:one got 3:two got 0: got 1:x
got 5:hello got 3:one got 3:two got 0: got 1:x
got 5:hello got 3:one got 3:two got 0: got 1:x
got 5:hello got 3:one got 3:two got 0: got 1:x
got 5:hello got 3:one got 3:two got 0: got 1:x
got 5:hello got 3:one got 3:two got 0: got 1:x
got 11:slow slowly
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
in the master
bool(true)
