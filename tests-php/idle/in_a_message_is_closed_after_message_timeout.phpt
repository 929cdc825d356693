--TEST--
A client that does not finish a message within message_timeout is closed, however it trickles; what came before is answered
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/framing.inc.php';

$message = fn (string $bytes): string => pack('N', strlen($bytes)) . $bytes;
$trickle = function (TestClient $client, float $limit): void {
    $began = microtime(true);
    while ($client->isSilent(0.05)) {
        try {
            // A byte each time: progress does not give it more time.
            $client->write('x');
        } catch (RuntimeException) {
            break;
        }
        if (microtime(true) > $began + TestServer::PATIENCE) {
            break;
        }
    }
    var_dump(microtime(true) - $began >= $limit);
};

foreach ([
    'eof' => [['open_eof_split' => true, 'package_eof' => "\n"], "whole\n", 'begun'],
    'glued' => [['open_eof_check' => true, 'package_eof' => "\n"], "whole\n", 'begun'],
    'length' => [['open_length_check' => true], $message('whole'), pack('N', 1000) . 'begun'],
    'header' => [['open_length_check' => true, 'package_max_length' => '16M'], $message('whole'), "\0"],
    // Larger than a lane takes: it goes straight into a block.
    'large' => [['open_length_check' => true, 'package_max_length' => '8M'], $message('whole'), pack('N', 1 << 20) . 'begun'],
    'larger' => [['open_length_check' => true, 'package_max_length' => '8M'], $message('whole'), pack('N', 6 << 20) . 'begun'],
] as $name => [$settings, $whole, $begun]) {
    echo "$name\n";
    $server = framing_server(['message_timeout' => 0.5] + $settings);
    $patient = $server->connect();
    $patient->write($whole);
    $client = $server->connect();
    $client->write($whole);
    var_dump(read_messages($client, 1) === [$whole]);
    $client->write($begun);
    $trickle($client, 0.5);
    // The answer to what was whole has come; nothing else does.
    var_dump(read_messages_to_end($client));
    $server->waitForNote('2 closed -1');
    // Between two messages there is no limit.
    var_dump(read_messages($patient, 1) === [$whole]);
    $patient->write($whole);
    var_dump(read_messages($patient, 1) === [$whole]);
    $patient->close();
    $server->stop();
    var_dump(json_decode(current(preg_grep('/^\{/', $server->notes())), true)['message_timeout_count']);
}
?>
--EXPECT--
eof
bool(true)
bool(true)
array(0) {
}
bool(true)
bool(true)
int(1)
glued
bool(true)
bool(true)
array(0) {
}
bool(true)
bool(true)
int(1)
length
bool(true)
bool(true)
array(0) {
}
bool(true)
bool(true)
int(1)
header
bool(true)
bool(true)
array(0) {
}
bool(true)
bool(true)
int(1)
large
bool(true)
bool(true)
array(0) {
}
bool(true)
bool(true)
int(1)
larger
bool(true)
bool(true)
array(0) {
}
bool(true)
bool(true)
int(1)
