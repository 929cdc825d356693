--TEST--
exit() and a fatal error in package_length_func end the server as in any callback of the master, and nothing is left
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
    register_shutdown_function(fn () => note('shutdown function in ' . ($server->worker_id === -1 ? 'the master' : 'a worker')));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->start();
    note('never');
    PHP, $body));
$cases = [['exit(3);', 3, ''], ['str_repeat("x", 1 << 40);', 255, '/Allowed memory size/'], ['eval("class A implements Stringable {}");', 255, '/contains 1 abstract method/']];
foreach ($cases as [$body, $code, $fatal]) {
    $server = $start($body);
    $server->expectLog('/user code has ended the master \(exit\(\) or a fatal error\): the server stops/');
    $server->expectLog('/the server ends at once/');
    $server->allowLog('/the manager has died/');
    $fatal === '' || $server->expectLog($fatal);
    $client = $server->connect();
    echo $client->exchange('ab');
    $client->write('cx');
    $client->readToEnd();
    $server->wait($code);
    echo ' ', implode(', ', $server->notes()), "\n";
}
?>
--EXPECT--
ab shutdown function in the master
ab shutdown function in the master
ab shutdown function in the master
