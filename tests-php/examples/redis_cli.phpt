--TEST--
examples/redis.php answers the real redis-cli: every command, expiry, and an error for the rest
--EXTENSIONS--
rotor
posix
pcntl
--SKIPIF--
<?php
if (!trim((string) shell_exec('command -v redis-cli'))) {
    die('skip no redis-cli here (make test-tools)');
}
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(realpath(__DIR__ . '/../../examples/redis.php'), args: ['ROTOR_PORT']);
$cli = function (string ...$words) use ($server): string {
    $command = ['redis-cli', '--no-raw', '-p', (string) $server->port, ...$words];
    return rtrim((string) shell_exec(implode(' ', array_map(escapeshellarg(...), $command)) . ' 2>&1'));
};
$show = function (string ...$words) use ($cli): void {
    echo implode(' ', $words), ' => ', str_replace("\n", ' ', $cli(...$words)), "\n";
};

$show('PING');
$show('PING', 'hello');
$show('ECHO', 'two words');
$show('GET', 'a');
$show('SET', 'a', '1');
$show('GET', 'a');
$show('INCR', 'a');
$show('INCR', 'counter');
$show('SET', 'a', 'x', 'NX');
$show('SET', 'b', 'x', 'XX');
$show('SET', 'b', 'x', 'NX');
$show('SET', 'b', 'y', 'XX');
$show('INCR', 'b');
$show('MGET', 'a', 'b', 'c');
$show('TTL', 'a');
$show('TTL', 'c');
$show('SET', 'a', '2', 'EX', '1000');
$show('TTL', 'a');
$show('INCR', 'a');
$show('TTL', 'a');
$show('SET', 'a', '3');
$show('TTL', 'a');
$show('EXPIRE', 'a', '500');
$show('TTL', 'a');
$show('EXPIRE', 'a', '0');
$show('EXPIRE', 'a', '500');
$show('GET', 'a');
$show('SET', 'short', 'x', 'PX', '1');
$server->waitFor(fn (): bool => $cli('GET', 'short') === '(nil)', 'the key to expire');
$show('TTL', 'short');
$show('DEL', 'b', 'counter', 'c', 'short');
$show('EXISTS', 'b');
$show('SET', 'm', (string) PHP_INT_MAX);
$show('INCR', 'm');
$show('SET', 'a', 'b', 'EX');
$show('SET', 'a', 'b', 'EX', '0');
$show('SET', 'a', 'b', 'EX', 'x');
$show('SET', 'a', 'b', 'EX', (string) PHP_INT_MAX);
$show('GET');
$show('GET', 'a', 'b');
$show('LPUSH', 'list', 'x');
$show('CONFIG', 'GET', 'save');
$show('CONFIG', 'SET', 'save', 'x');
$show('COMMAND', 'DOCS');
$show('HELLO', '3');
$show('SELECT', '1');

// By its standard input, as a person works with it; with bytes that are no text.
$value = random_bytes(300_000);
file_put_contents("$server->tmp/value", $value);
shell_exec("redis-cli -p $server->port -x SET bytes < $server->tmp/value");
unlink("$server->tmp/value");
var_dump(shell_exec("redis-cli -p $server->port GET bytes") === "$value\n");
echo shell_exec("printf 'SET k v\\nGET k\\n' | redis-cli -p $server->port");
$server->stop(SIGINT);
?>
--EXPECTF--
PING => PONG
PING hello => "hello"
ECHO two words => "two words"
GET a => (nil)
SET a 1 => OK
GET a => "1"
INCR a => (integer) 2
INCR counter => (integer) 1
SET a x NX => (nil)
SET b x XX => (nil)
SET b x NX => OK
SET b y XX => OK
INCR b => (error) ERR value is not an integer or out of range
MGET a b c => 1) "2" 2) "y" 3) (nil)
TTL a => (integer) -1
TTL c => (integer) -2
SET a 2 EX 1000 => OK
TTL a => (integer) %d
INCR a => (integer) 3
TTL a => (integer) %d
SET a 3 => OK
TTL a => (integer) -1
EXPIRE a 500 => (integer) 1
TTL a => (integer) %d
EXPIRE a 0 => (integer) 1
EXPIRE a 500 => (integer) 0
GET a => (nil)
SET short x PX 1 => OK
TTL short => (integer) -2
DEL b counter c short => (integer) 2
EXISTS b => (integer) 0
SET m 9223372036854775807 => OK
INCR m => (error) ERR increment or decrement would overflow
SET a b EX => (error) ERR syntax error
SET a b EX 0 => (error) ERR invalid expire time in 'set' command
SET a b EX x => (error) ERR value is not an integer or out of range
SET a b EX 9223372036854775807 => (error) ERR invalid expire time in 'set' command
GET => (error) ERR wrong number of arguments for 'get' command
GET a b => (error) ERR wrong number of arguments for 'get' command
LPUSH list x => (error) ERR unknown command 'LPUSH'
CONFIG GET save => 1) "save" 2) ""
CONFIG SET save x => (error) ERR unknown subcommand 'SET'
COMMAND DOCS => (empty array)
HELLO 3 => (error) NOPROTO unsupported protocol version
SELECT 1 => (error) ERR DB index is out of range
bool(true)
OK
v
