--TEST--
send() and close() say what is wrong: to no session, of nothing, of too much, in false, code and warning
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'output_buffer_size' => 1000, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        [$method, $arguments] = unserialize($data);
        $arguments = array_map(fn ($argument) => $argument === 'MINE' ? $fd : $argument, $arguments);
        $warning = null;
        set_error_handler(function ($level, $message) use (&$warning) { $warning = $message; return true; });
        $result = $server->$method(...$arguments);
        restore_error_handler();
        $code = $result ? 'ok' : $server->getLastError();
        note(var_export($result, true) . " $code " . ($warning ?? 'no warning'));
        $server->send($fd, 'done');
    });
    $server->start();
    PHP);
$gone = $server->connect();
$gone->write(serialize(['exists', ['MINE']]));
$gone->read(4);
$gone->close();
$server->waitForNote('true ok no warning');

$client = $server->connect();
$ask = function (string $method, mixed ...$arguments) use ($client, $server): void {
    static $count = 1;
    $client->exchange(serialize([$method, $arguments]), 4);
    $notes = $server->waitFor(fn () => count($server->notes()) > $count ? $server->notes() : null);
    echo "$method(", implode(', ', array_map(fn ($a) => is_string($a) && strlen($a) > 20 ? 'long' : var_export($a, true), $arguments)),
        "): ", $notes[$count++], "\n";
};
$ask('send', 0, 'x');
$ask('send', -5, 'x');
$ask('send', PHP_INT_MIN, 'x');
$ask('send', 'no number', 'x');
$ask('send', 'MINE', '');
$ask('send', 'MINE', str_repeat('x', 1001));
$ask('send', 1_000_000, 'x');
$ask('send', PHP_INT_MAX, 'x');
$ask('send', 1, 'x');
$ask('close', 0);
$ask('close', 1);
$ask('close', 1_000_000);
$ask('exists', 1);
$ask('exists', -1);
$ask('getClientInfo', 1);
$ask('getClientInfo', -1);
$client->close();
$server->stop();
?>
--EXPECT--
send(0, 'x'): false 1006 Rotor\Server::send(): session ids are positive numbers, 0 given
send(-5, 'x'): false 1006 Rotor\Server::send(): session ids are positive numbers, -5 given
send(-9223372036854775807-1, 'x'): false 1006 Rotor\Server::send(): session ids are positive numbers, -9223372036854775808 given
send('no number', 'x'): false 1006 Rotor\Server::send(): session ids are positive numbers, "no number" given
send('MINE', ''): false 505 Rotor\Server::send(): the data is empty; there is nothing to send
send('MINE', long): false 1203 Rotor\Server::send(): 1001 bytes are more than output_buffer_size allows (1000)
send(1000000, 'x'): false 1005 no warning
send(9223372036854775807, 'x'): false 1005 no warning
send(1, 'x'): false 1004 no warning
close(0): false 1006 Rotor\Server::close(): session ids are positive numbers, 0 given
close(1): false 1004 no warning
close(1000000): false 1005 no warning
exists(1): false 1005 no warning
exists(-1): false 1005 no warning
getClientInfo(1): false 1004 no warning
getClientInfo(-1): false 1006 no warning
