--TEST--
A thousand messages that arrive in one read are a thousand callbacks, in order
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/framing.inc.php';

$server = framing_server(['open_length_check' => true, 'package_length_type' => 'n', 'package_body_offset' => 2]);
$messages = array_map(fn (int $n): string => pack('n', strlen((string) $n)) . $n, range(1, 10_000));
$client = $server->connect();
// The first ones leave together, as one packet of the loopback interface.
$client->write(implode($messages));
var_dump(read_messages($client, 10_000) === $messages);
$client->close();
$stats = stop_and_count($server);
var_dump($stats['request_count'], $stats['dispatch_count'], $stats['response_count']);
?>
--EXPECT--
bool(true)
int(10000)
int(10000)
int(10000)
