--TEST--
dispatch_func may send and close; with package_length_func both are called in turn; exit() in it stops the server in order
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 2, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG'),
        'package_length_func' => function (string $buffer): int {
            note("length of $buffer[0]");
            return 1;
        },
        'dispatch_func' => function ($server, int $fd, int $type, string $data = '') {
            if ($type === 0) {
                note("worker for $data");
                match ($data) {
                    's' => $server->send($fd, 'sent;'),
                    'c' => $server->close($fd),
                    'x' => exit(5),
                    default => null,
                };
            }
            return $fd % 2;
        },
    ]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, "$data;"));
    $server->on('close', fn ($server, $fd) => note("$fd closed"));
    $server->start();
    PHP);
$server->expectLog('/user code has ended the master \(exit\(\) or a fatal error\): the server stops/');
$server->expectLog('/session 2: dispatch_func has ended the master \(exit\(\) or a fatal error\); dispatch_mode decides/');
$client = $server->connect();
$client->write('ab');
echo $client->readLine(';'), $client->readLine(';'), "\n";
$client->write('s');
$answers = [$client->readLine(';'), $client->readLine(';')];
sort($answers);
echo implode(' ', $answers), "\n";
$client->write('c');
$client->readToEnd();
$server->waitForNote('1 closed');
$client = $server->connect();
$client->write('ax');
echo $client->readToEnd(), "\n";
$server->wait(5);
echo implode(', ', $server->notes()), "\n";
?>
--EXPECT--
ab
s sent
a;x;
length of a, worker for a, length of b, worker for b, length of s, worker for s, length of c, worker for c, 1 closed, length of a, worker for a, length of x, worker for x, 2 closed
