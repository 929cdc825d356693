--TEST--
open_eof_check gives all that has come as soon as it ends with the terminator
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/framing.inc.php';

$server = framing_server(['open_eof_check' => true, 'package_eof' => "\r\n"]);
$client = $server->connect();
// Byte by byte, each terminator ends what has come by then, unless more had come.
$text = "one\r\ntwo\r\n\r\nthree\rfour\n\r\n";
foreach (str_split($text) as $byte) {
    $client->write($byte);
}
$given = '';
while ($given !== $text) {
    [$message] = read_messages($client, 1);
    if (!str_ends_with($message, "\r\n")) {
        echo "no terminator at the end of ", json_encode($message), "\n";
    }
    $given .= $message;
}
// One that does not end so waits, and comes with what follows it.
$client->write("five\r\nsix");
var_dump($client->isSilent(0.2));
$client->write("\r\n");
var_dump(read_messages($client, 1) === ["five\r\nsix\r\n"]);
// Over many reads.
$large = str_repeat("line\r\n", 100_000) . str_repeat('z', 1000);
$client->write($large);
$client->write("\r\n");
$given = '';
while (strlen($given) < strlen($large) + 2) {
    $given .= read_messages($client, 1)[0];
}
var_dump($given === "$large\r\n");
$client->close();
var_dump(stop_and_count($server)['protocol_errors']);
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
int(0)
