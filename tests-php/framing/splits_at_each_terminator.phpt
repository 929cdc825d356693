--TEST--
open_eof_split gives each message by itself, terminator included, however the bytes were split
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/framing.inc.php';

foreach (["\r\n\r\n", "\n", "\0\xff", 'abacabad'] as $terminator) {
    $server = framing_server(['open_eof_split' => true, 'package_eof' => $terminator]);
    // With beginnings of the terminator inside, empty ones, large ones.
    $bodies = ['one', '', substr($terminator, 0, -1) . 'x', str_repeat('y', 100_000), '', 'repeated' . str_repeat(substr($terminator, 0, -1), 3) . '!', 'last'];
    $messages = array_map(fn (string $body): string => $body . $terminator, $bodies);
    $client = $server->connect();
    $client->write(implode($messages));
    $whole = read_messages($client, count($messages)) === $messages;
    unset($messages[3]);
    $messages = array_values($messages);
    foreach (str_split(implode($messages)) as $byte) {
        $client->write($byte);
    }
    var_dump($whole && read_messages($client, count($messages)) === $messages);
    // Hundreds at once.
    $messages = array_map(fn (int $n): string => "message $n$terminator", range(1, 700));
    $client->write(implode($messages) . 'the rest is no message');
    var_dump(read_messages($client, 700) === $messages);
    $client->shutdownWrite();
    var_dump(read_messages_to_end($client));
    $stats = stop_and_count($server);
    var_dump($stats['request_count'] === 713, $stats['protocol_errors']);
}
?>
--EXPECT--
bool(true)
bool(true)
array(0) {
}
bool(true)
int(0)
bool(true)
bool(true)
array(0) {
}
bool(true)
int(0)
bool(true)
bool(true)
array(0) {
}
bool(true)
int(0)
bool(true)
bool(true)
array(0) {
}
bool(true)
int(0)
