--TEST--
What package_length_func finds no length for, or throws at, closes its connection behind the messages before it, and no other
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'package_max_length' => 100_000,
        'package_length_func' => fn (string $buffer) => match ($buffer[0]) {
            'm' => 2,
            '-' => -1,
            '>' => 100_001,
            '=' => 100_000,
            'E' => PHP_INT_MAX,
            'e' => PHP_INT_MIN,
            '0' => 0,
            't' => throw new Exception('no idea'),
            's' => '12',
            'n' => null,
            'f' => 2.0,
            'b' => true,
            'a' => [2],
            'o' => new stdClass,
            'w' => $undefined ?? intdiv(1, 0),
        },
    ]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, strlen($data) . ' '));
    $server->on('protocolError', fn ($server, $fd, $reactor, $code, $reason) => $server->send($fd, "$code $reason"));
    $server->on('shutdown', fn ($server) => note(json_encode($server->stats())));
    $server->start();
    PHP);
$server->expectLog('/package_length_func threw; closing/');
$server->expectLog('/package_length_func returned (null|an? \w+) instead of an int; closing/');
$server->expectLog('/Uncaught Exception: no idea/');
$server->expectLog('/Uncaught DivisionByZeroError/');
$bystander = $server->connect();
echo $bystander->exchange('mm'), "\n";
foreach (str_split('->Eetsnfbaow') as $bad) {
    $client = $server->connect();
    $client->write("m.m.$bad...");
    echo "$bad: ", $client->readToEnd(), "\n";
    $client->close();
}
$client = $server->connect();
$client->write('0' . str_repeat('x', 99_998));
var_dump($client->isSilent(0.1));
$client->write('x');
echo '0: ', $client->readToEnd(), "\n";
$client = $server->connect();
$client->write('=' . str_repeat('x', 99_999));
echo '=: ', $client->readLine(' '), "\n";
$client->close();
echo $bystander->exchange('mm'), "\n";
$bystander->close();
$server->stop();
$stats = json_decode($server->notes()[0], true);
echo "$stats[protocol_errors] $stats[blocks_in_use] $stats[crash_count]\n";
?>
--EXPECT--
2 
-: 2 2 1204 package_length_func returned -1
>: 2 2 1201 message of 100001 bytes announced, package_max_length is 100000
E: 2 2 1201 message of 9223372036854775807 bytes announced, package_max_length is 100000
e: 2 2 1204 package_length_func returned -9223372036854775808
t: 2 2 1204 package_length_func threw
s: 2 2 1204 package_length_func returned a string instead of an int
n: 2 2 1204 package_length_func returned null instead of an int
f: 2 2 1204 package_length_func returned a float instead of an int
b: 2 2 1204 package_length_func returned a bool instead of an int
a: 2 2 1204 package_length_func returned an array instead of an int
o: 2 2 1204 package_length_func returned an object instead of an int
w: 2 2 1204 package_length_func threw
bool(true)
0: 1202 package_length_func has found no length in the 100000 bytes of package_max_length
=: 100000
2 
13 0 0
