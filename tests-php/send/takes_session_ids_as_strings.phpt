--TEST--
A session id may be given as a string, and a third argument means nothing
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send((string) $fd, $data, 5));
    $server->start();
    PHP);
echo $server->request('as a string'), "\n";
$server->stop();
?>
--EXPECT--
as a string
