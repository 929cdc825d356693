--TEST--
open_length_check reads the length in each of pack()'s integers, wherever it stands and whatever it counts
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/framing.inc.php';

foreach (str_split('cCsSnvlLNVqQJP') as $letter) {
    $size = strlen(pack($letter, 0));
    foreach ([[0, $size], [3, 3 + $size], [0, 0], [5, 2]] as [$offset, $bodyOffset]) {
        $server = framing_server([
            'open_length_check' => true, 'package_length_type' => $letter,
            'package_length_offset' => $offset, 'package_body_offset' => $bodyOffset,
        ]);
        $messages = [];
        // The largest that a signed byte can say, and for wider ones what takes more than a read.
        foreach ([$offset + $size, 40, 100, 120, $size > 1 ? 30_000 : 50, $size > 2 ? 200_000 : 60, $offset + $size] as $total) {
            $messages[] = substr('head.', 0, $offset) . pack($letter, $total - $bodyOffset) . str_repeat('b', $total - $offset - $size);
        }
        $client = $server->connect();
        $client->write(implode($messages));
        $good = read_messages($client, count($messages)) === $messages;
        $small = array_slice($messages, 0, 3);
        foreach (str_split(implode($small)) as $byte) {
            $client->write($byte);
        }
        $good = $good && read_messages($client, 3) === $small;
        $client->close();
        $good = $good && stop_and_count($server)['protocol_errors'] === 0;
        if (!$good) {
            echo "$letter, length at $offset, body at $bodyOffset\n";
        }
    }
}
echo "done\n";
?>
--EXPECT--
done
