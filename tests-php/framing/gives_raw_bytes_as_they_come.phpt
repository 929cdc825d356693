--TEST--
Without framing all bytes come, in order, in whatever pieces
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/framing.inc.php';

$server = framing_server([]);
$client = $server->connect();
mt_srand(5);
$bytes = random_bytes(2_000_000);
$sent = 0;
$given = '';
while (strlen($given) < strlen($bytes)) {
    $size = [1, 2, 500, 5000, 66_000, 200_000][mt_rand(0, 5)];
    $client->write(substr($bytes, $sent, $size));
    $sent = min($sent + $size, strlen($bytes));
    while (strlen($given) < $sent) {
        $given .= read_messages($client, 1)[0];
    }
}
var_dump($given === $bytes);
$client->close();
var_dump(stop_and_count($server)['blocks_in_use']);
?>
--EXPECT--
bool(true)
int(0)
