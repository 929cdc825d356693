--TEST--
Half messages of many connections do not mix
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/framing.inc.php';

$server = framing_server(['open_length_check' => true]);
$clients = $messages = [];
for ($n = 0; $n < 60; $n++) {
    $clients[$n] = $server->connect();
    $body = str_repeat("$n;", 3000 * ($n % 7) + $n);
    $messages[$n] = pack('N', strlen($body)) . $body;
}
for ($piece = 0; $piece < 10; $piece++) {
    foreach ($clients as $n => $client) {
        $size = (int) ceil(strlen($messages[$n]) / 10);
        $client->write(substr($messages[$n], $piece * $size, $size));
    }
}
$good = 0;
foreach ($clients as $n => $client) {
    $good += (int) (read_messages($client, 1) === [$messages[$n]]);
    $client->close();
}
var_dump($good, stop_and_count($server)['protocol_errors']);
?>
--EXPECT--
int(60)
int(0)
