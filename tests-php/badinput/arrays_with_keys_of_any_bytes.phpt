--TEST--
Keys that are not UTF-8 in what set() and broadcast() are given are refused or ignored like any other
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = new Rotor\Server('127.0.0.1');
$port = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
foreach ([
    fn () => $server->set(["\xff" => 1]),
    fn () => $server->set(['worker_num' => ["\xff\0" => 1]]),
    fn () => $server->set(["worker_num\0" => 1]),
    fn () => $port->set(["\xff" => 1]),
] as $call) {
    try {
        echo json_encode($call()), "\n";
    } catch (Throwable $error) {
        echo get_class($error), ': ', addcslashes($error->getMessage(), "\0..\37"), "\n";
    }
}
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd) {
        $server->send($fd, $server->broadcast('x', ["\xff" => $fd, "\0" => $fd, "name" => $fd, -1 => $fd]) . "\n");
    });
    $server->start();
    PHP);
$client = $server->connect();
$client->write('ask');
echo $client->readLine(), "\n";
$client->close();
$server->stop();
?>
--EXPECTF--
Rotor\SettingException: Rotor\Server::set(): unknown setting "%s"%S
Rotor\SettingException: Rotor\Server::set(): worker_num must be %S
Rotor\SettingException: Rotor\Server::set(): unknown setting "worker_num%s"%S
Rotor\SettingException: Rotor\Server\Port::set(): unknown setting "%s"%S
x1
