--TEST--
bind() gives a connection a user id, once, by which mode 5 chooses the worker
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 3, 'reactor_num' => 2, 'dispatch_mode' => Rotor\Server::DISPATCH_UIDMOD, 'open_eof_split' => true,
        'package_eof' => "\n", 'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP'),
    ]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        [$what, $a, $b] = explode(' ', trim($data)) + ['', $fd, 0];
        $answer = match ($what) {
            'bind' => [$server->bind((int) $a ?: $fd, (int) $b), $server->getLastError()],
            'uid' => $server->getClientInfo((int) $a)['uid'] ?? null,
            'worker' => $server->worker_id,
            'fd' => $fd,
        };
        $server->send($fd, json_encode($answer) . "\n");
    });
    $server->start();
    PHP);
$ask = function (TestClient $client, string $question): mixed {
    $client->write("$question\n");
    return json_decode($client->readLine());
};
[$first, $second] = [$server->connect(), $server->connect()];
var_dump($ask($first, 'uid'));
$worker = $ask($first, 'worker');
var_dump($worker === $ask($first, 'worker'));
var_dump($ask($first, 'bind 0 7')[0], $ask($first, 'uid'), $ask($first, 'worker') === 7 % 3);
echo 'again: ', json_encode($ask($first, 'bind 0 8')), ', ', $ask($first, 'uid'), "\n";
// From another connection, by its number; two connections of one user have one worker.
$fd = $ask($second, 'fd');
var_dump($ask($first, "bind $fd 7")[0], $ask($second, 'uid'), $ask($second, 'worker') === 7 % 3);
$third = $server->connect();
$largest = 2 ** 32 - 1;
var_dump($ask($third, "bind 0 $largest")[0], $ask($third, 'uid') === $largest, $ask($third, 'worker') === $largest % 3);

// The next client has nothing of it.
$gone = $ask($third, 'fd');
$third->close();
$server->waitFor(fn () => $ask($first, "uid $gone") === null);
echo 'gone: ', json_encode($ask($first, "bind $gone 9")), "\n";
$server->stop();

// What is no user id is said, and changes nothing.
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        set_error_handler(function (int $level, string $message) use (&$warning): bool {
            $warning = $message;
            return true;
        });
        $lines = [];
        foreach ([[$fd, 0], [$fd, -1], [$fd, 2 ** 32], [$fd, PHP_INT_MIN], [-1, 5], [$fd + 1, 5]] as [$session, $uid]) {
            $warning = null;
            $lines[] = json_encode($server->bind($session, $uid)) . " {$server->getLastError()} " . ($warning ?? 'no warning');
        }
        $lines[] = json_encode([$server->bind($fd, 5), $server->getClientInfo($fd)['uid']]);
        $server->send($fd, implode("\n", $lines) . "\n.");
    });
    $server->start();
    PHP);
$client = $server->connect();
$client->write('?');
echo $client->readLine("\n.");
$server->stop();
?>
--EXPECT--
NULL
bool(true)
bool(true)
int(7)
bool(true)
again: [false,509], 7
bool(true)
int(7)
bool(true)
bool(true)
bool(true)
bool(true)
gone: [false,1004]
false 505 Rotor\Server::bind(): a user id is 1 to 4294967295, 0 given
false 505 Rotor\Server::bind(): a user id is 1 to 4294967295, -1 given
false 505 Rotor\Server::bind(): a user id is 1 to 4294967295, 4294967296 given
false 505 Rotor\Server::bind(): a user id is 1 to 4294967295, -9223372036854775808 given
false 1006 Rotor\Server::bind(): session ids are positive numbers, -1 given
false 1005 no warning
[true,5]
