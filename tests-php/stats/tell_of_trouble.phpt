--TEST--
stats() counts refused clients, broken framing, exceptions and dropped records
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'max_connection' => 2, 'open_length_check' => true, 'package_max_length' => 1000, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        match (substr($data, 4)) {
            'throw' => throw new Exception('thrown on purpose'),
            'crash' => posix_kill(getmypid(), SIGKILL),
            'stats' => $server->send($fd, json_encode($server->stats()) . "\n"),
        };
    });
    $server->start();
    PHP);
$server->expectLog('/warning master pid=\d+: refused 127\.0\.0\.1:\d+ on 127\.0\.0\.1:\d+: max_connection \(2\) is reached/');
$server->allowLog('/thrown on purpose|killed by SIGKILL|its callback threw|Uncaught Exception/');
$ask = fn (string $what): string => pack('N', strlen($what)) . $what;
$client = $server->connect();
$stats = function (string $key) use (&$client, $ask): int {
    $client->write($ask('stats'));
    return json_decode($client->readLine(), true)[$key];
};
$wait = function (string $key, int $value) use ($server, $stats): void {
    $server->waitFor(fn () => $stats($key) === $value, "$key to be $value");
    echo "$key $value\n";
};
$trouble = function (string $bytes) use ($server): void {
    $client = $server->connect();
    $client->write($bytes);
    $client->readToEnd();
    $client->close();
};
$trouble($ask('throw'));
$wait('exceptions', 1);
$wait('connection_num', 1);
$trouble(pack('N', 1001));
$wait('protocol_errors', 1);
$wait('connection_num', 1);
$trouble($ask('crash'));
$wait('crash_count', 1);
$wait('respawn_count', 1);
$wait('lost_messages', 1);
$wait('connection_num', 1);
$second = $server->connect();
$second->write($ask('stats'));
$second->readLine();
try {
    $server->connect()->readToEnd();
} catch (RuntimeException) {
}
$wait('abort_count', 1);
$wait('refused_max_connection', 1);
$wait('blocks_in_use', 0);
$server->stop();
?>
--EXPECT--
exceptions 1
connection_num 1
protocol_errors 1
connection_num 1
crash_count 1
respawn_count 1
lost_messages 1
connection_num 1
abort_count 1
refused_max_connection 1
blocks_in_use 0
