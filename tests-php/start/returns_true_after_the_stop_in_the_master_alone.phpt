--TEST--
start() returns true once the server has stopped, in the master alone; what stands behind it runs once
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 3, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $master = getmypid();
    register_shutdown_function(fn () => note('shutdown function in ' . (getmypid() === $master ? 'the master' : 'another')));
    $result = $server->start();
    note(json_encode($result) . ' ' . json_encode(getmypid() === $master));
    exit(7);
    PHP);
echo $server->request('hello'), "\n";
$server->signal(SIGTERM);
$server->waitFor(fn () => in_array('shutdown function in the master', $server->notes(), true), 'the end');
$notes = $server->notes();
$server->wait(7);
sort($notes);
echo implode("\n", $notes), "\n";
?>
--EXPECT--
hello
shutdown function in another
shutdown function in another
shutdown function in another
shutdown function in another
shutdown function in the master
true true
