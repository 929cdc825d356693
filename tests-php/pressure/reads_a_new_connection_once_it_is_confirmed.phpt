--TEST--
With enable_delay_receive a new connection is read once somebody confirms it; its output goes out, and a reset is seen before
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'enable_delay_receive' => true, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('connect', function ($server, $fd) {
        note("$fd connect");
        // The first one confirms itself.
        $server->send($fd, $fd === 1 ? json_encode($server->confirm($fd)) : 'wait');
    });
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        note("$fd receive");
        $server->send($fd, preg_match('/^confirm (\d+)/', $data, $found) ? json_encode($server->confirm((int) $found[1])) : $data);
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("$fd close"));
    $server->start();
    PHP);
$first = $server->connect();
echo $first->read(4), ' ', $first->exchange('hello'), "\n";
$second = $server->connect();
$second->write('hello');
echo $second->read(4), "\n";
var_dump($second->isSilent(0.2));
echo $first->exchange('confirm 2', 4), ' ', $second->read(5), ' ', $second->exchange('again'), "\n";
$third = $server->connect();
$third->write('hello');
$third->reset();
$server->waitForNote('3 close');
$second->close();
$first->close();
$server->waitForNote('1 close');
$server->stop();
echo implode(', ', preg_grep('/^3/', $server->notes())), "\n";
?>
--EXPECT--
true hello
wait
bool(true)
true hello again
3 connect, 3 close
