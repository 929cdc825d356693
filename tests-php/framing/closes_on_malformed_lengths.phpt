--TEST--
A length that is negative, or ends a message inside its own header, closes the connection, behind the messages before it
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/framing.inc.php';

$server = framing_server([
    'open_length_check' => true, 'package_length_type' => 'l', 'package_length_offset' => 2, 'package_body_offset' => 0,
    'log_level' => Rotor\Server::LOG_INFO,
]);
$good = 'ab' . pack('l', 8) . 'cd';
foreach ([-1, -2147483648, 0, 5] as $number => $bad) {
    $client = $server->connect();
    $client->write($good . $good . 'ab' . pack('l', $bad) . 'and more' . $good);
    var_dump(read_messages_to_end($client) === [$good, $good]);
    $server->waitForNote($number + 1 . ' closed -1');
    $client->close();
}
// Byte by byte it is seen as soon as the field is there.
$client = $server->connect();
foreach (str_split($good . 'ab' . pack('l', -7)) as $byte) {
    $client->write($byte);
}
var_dump(read_messages_to_end($client) === [$good]);
$server->waitForLog('/session 5: length field says -7, which is negative; closing/');
var_dump(stop_and_count($server)['protocol_errors']);
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
int(5)
