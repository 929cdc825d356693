--TEST--
exit() and a fatal error in package_length_func stop the server in order: what was cut before is answered, and nothing is left
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$start = fn (string $body) => TestServer::start(sprintf(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'package_length_func' => function (string $buffer): int {
        if ($buffer[0] === 'x') {
            %s
        }
        return 1;
    }]);
    $master = getmypid();
    register_shutdown_function(fn () => getmypid() === $master && note('end'));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        note("in hand: $data");
        while ($data === 'b' && !file_exists(getenv('ROTOR_TMP') . '/go')) {
            usleep(2_000);
        }
        $server->send($fd, $data);
    });
    $server->start();
    note('never');
    PHP, $body));
$cases = [['exit(3);', 3, ''], ['str_repeat("x", 1 << 40);', 255, '/Allowed memory size/'], ['eval("class A implements Stringable {}");', 255, '/contains 1 abstract method/']];
foreach ($cases as [$body, $code, $fatal]) {
    $server = $start($body);
    $server->expectLog('/user code has ended the master \(exit\(\) or a fatal error\): the server stops/');
    $server->expectLog('/package_length_func has ended the master/');
    $server->allowLog('/package_length_func cannot be called any more: user code has ended the master/');
    $fatal === '' || $server->expectLog($fatal);
    $server->expectFile('go');
    $client = $server->connect();
    $client->write('ab');
    $server->waitForNote('in hand: b');
    $other = $server->connect();
    $other->write('x');
    $server->waitForLog('/ manager pid=\d+: stopping$/m');
    touch("$server->tmp/go");
    echo $client->readToEnd(), $other->readToEnd();
    $server->waitForNote('end');
    $server->wait($code);
    echo ' ', implode(', ', $server->notes()), "\n";
}
?>
--EXPECT--
ab in hand: a, in hand: b, end
ab in hand: a, in hand: b, end
ab in hand: a, in hand: b, end
