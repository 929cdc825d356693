--TEST--
broadcast() with what is no list of sessions, with lists of a million, iterators that throw or exit, and nothing to send
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'output_buffer_size' => 100_000, 'log_file' => getenv('ROTOR_LOG')]);
    $throws = function ($fd) {
        yield $fd;
        throw new LogicException('the iterator throws');
    };
    $yields = function (...$values) {
        yield from $values;
    };
    $sends = function ($server, $fd) {
        yield $fd;
        // A method of the server inside one of its methods.
        $server->send($fd, 'inner ');
        yield $server->broadcast('nested ', [$fd]) * $fd;
    };
    $exits = function ($fd) {
        yield $fd;
        exit(3);
    };
    $badRewind = new class implements Iterator {
        public function current(): mixed { return 1; }
        public function key(): mixed { return 1; }
        public function next(): void {}
        public function rewind(): void { throw new LogicException('rewind throws'); }
        public function valid(): bool { return true; }
    };
    $cases = [
        'null' => fn ($s, $fd) => $s->broadcast('x', null),
        'an int' => fn ($s, $fd) => $s->broadcast('x', 5),
        'a string' => fn ($s, $fd) => $s->broadcast('x', 'all'),
        'an object' => fn ($s, $fd) => $s->broadcast('x', new stdClass()),
        'a list of a list' => fn ($s, $fd) => $s->broadcast('x', [$fd, [$fd]]),
        'a float in it' => fn ($s, $fd) => $s->broadcast('x', [$fd, 1.5]),
        'null in it' => fn ($s, $fd) => $s->broadcast('x', [null]),
        'words in it' => fn ($s, $fd) => $s->broadcast('x', ['one']),
        'a string of a generator' => fn ($s, $fd) => $s->broadcast('x', $yields($fd, true)),
        'numbers as strings' => fn ($s, $fd) => $s->broadcast('x', [" $fd ", "$fd"]),
        'references' => function ($s, $fd) { $list = [&$fd]; return $s->broadcast('x', $list); },
        'numbers that are no sessions' => fn ($s, $fd) => $s->broadcast('x', [0, -1, PHP_INT_MIN, PHP_INT_MAX, 999]),
        'an iterator that throws' => fn ($s, $fd) => $s->broadcast('x', $throws($fd)),
        'an iterator that cannot begin' => fn ($s, $fd) => $s->broadcast('x', $badRewind),
        'a generator that was walked' => function ($s, $fd) use ($yields) { $g = $yields($fd, $fd); foreach ($g as $_); return $s->broadcast('x', $g); },
        'an aggregate' => fn ($s, $fd) => $s->broadcast('x', new ArrayObject([$fd])),
        'an iterator that sends' => fn ($s, $fd) => $s->broadcast('x', $sends($s, $fd)),
        'words to be excepted' => fn ($s, $fd) => $s->broadcast('x', null, 'one'),
        'a numeric string to be excepted' => fn ($s, $fd) => $s->broadcast('x', null, "$fd"),
        'a name that is no parameter' => fn ($s, $fd) => $s->broadcast('x', null, nobody: 5),
        'no argument' => fn ($s, $fd) => $s->broadcast(),
        'an array as data' => fn ($s, $fd) => $s->broadcast([]),
        'no data' => fn ($s, $fd) => $s->broadcast(''),
        'too much data' => fn ($s, $fd) => $s->broadcast(str_repeat('x', 100_001)),
        'a million' => fn ($s, $fd) => $s->broadcast('x', range(1, 1_000_000)),
        'a million times the same' => fn ($s, $fd) => $s->broadcast('x', array_fill(0, 1_000_000, $fd)),
        'a million to be excepted' => fn ($s, $fd) => $s->broadcast('x', null, ...range(2, 1_000_000)),
        'a million of a generator' => fn ($s, $fd) => $s->broadcast('x', (function () { for ($i = 0; $i < 1_000_000; $i++) yield $i; })()),
        'all that there is' => fn ($s, $fd) => $s->broadcast(...['data' => 'x', 'fds' => $s->connections]),
    ];
    $server->on('receive', function ($server, $fd, $reactor, $data) use ($cases, $exits) {
        if ($data === 'names') {
            $server->send($fd, implode("\n", array_keys($cases)) . "\n\n");
            return;
        }
        if ($data === 'exit') {
            $server->broadcast('x', $exits($fd));
            return;
        }
        $warning = '';
        set_error_handler(function ($level, $message) use (&$warning) { $warning = " ($message)"; return true; });
        try {
            $result = var_export($cases[$data]($server, $fd), true);
        } catch (Throwable $e) {
            $result = get_class($e) . ": {$e->getMessage()}";
        }
        restore_error_handler();
        $server->send($fd, "| $result$warning\n");
    });
    $server->start();
    PHP);
$client = $server->connect();
$client->write('names');
$names = explode("\n", $client->readLine("\n\n"));
foreach ($names as $name) {
    $client->write($name);
    echo "$name: {$client->readLine()}\n";
}
$server->expectLog('/exit/');
$client->write('exit');
echo $client->readToEnd(), "the connection in hand is closed\n";
$client = $server->connect();
$client->write('null');
echo $client->readLine(), "\n";
$client->close();
$server->stop();
?>
--EXPECT--
null: x| 1
an int: | TypeError: Rotor\Server::broadcast(): Argument #2 ($fds) must be of type Traversable|array|null, int given
a string: | TypeError: Rotor\Server::broadcast(): Argument #2 ($fds) must be of type Traversable|array|null, string given
an object: | TypeError: Rotor\Server::broadcast(): Argument #2 ($fds) must be of type Traversable|array|null, stdClass given
a list of a list: | TypeError: Rotor\Server::broadcast(): Argument #2 ($fds) must contain session ids alone, array given
a float in it: | TypeError: Rotor\Server::broadcast(): Argument #2 ($fds) must contain session ids alone, float given
null in it: | TypeError: Rotor\Server::broadcast(): Argument #2 ($fds) must contain session ids alone, null given
words in it: | TypeError: Rotor\Server::broadcast(): Argument #2 ($fds) must contain session ids alone, string given
a string of a generator: | TypeError: Rotor\Server::broadcast(): Argument #2 ($fds) must contain session ids alone, bool given
numbers as strings: x| 1
references: x| 1
numbers that are no sessions: | 0
an iterator that throws: | LogicException: the iterator throws
an iterator that cannot begin: | LogicException: rewind throws
a generator that was walked: | Exception: Cannot traverse an already closed generator
an aggregate: x| 1
an iterator that sends: inner nested x| 1
words to be excepted: | TypeError: Rotor\Server::broadcast(): Argument #3 must be of type int, string given
a numeric string to be excepted: | 0
a name that is no parameter: | ArgumentCountError: Rotor\Server::broadcast() does not accept unknown named parameters
no argument: | ArgumentCountError: Rotor\Server::broadcast() expects at least 1 argument, 0 given
an array as data: | TypeError: Rotor\Server::broadcast(): Argument #1 ($data) must be of type string, array given
no data: | 0 (Rotor\Server::broadcast(): the data is empty; there is nothing to send)
too much data: | 0 (Rotor\Server::broadcast(): 100001 bytes are more than output_buffer_size allows (100000))
a million: x| 1
a million times the same: x| 1
a million to be excepted: x| 1
a million of a generator: x| 1
all that there is: x| 1
the connection in hand is closed
x| 1
