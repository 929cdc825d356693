--TEST--
package_max_length holds at any size: a message of just so many bytes passes, one byte more closes the connection and is counted
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/framing.inc.php';

foreach ([8, 100, 5000, 70_000, 3_000_000] as $limit) {
    foreach (['eof split' => 'open_eof_split', 'eof check' => 'open_eof_check', 'length' => 'open_length_check'] as $name => $setting) {
        $server = framing_server([$setting => true, 'package_eof' => "\n", 'package_max_length' => $limit]);
        $make = fn (int $length): string => $name === 'length'
            ? pack('N', $length - 4) . str_repeat('x', $length - 4)
            : str_repeat('x', $length - 1) . "\n";
        $client = $server->connect();
        $client->write($make($limit));
        $passes = read_messages($client, 1) === [$make($limit)];
        // What came before the bad one is answered.
        $client->write($make(6));
        $passes = $passes && read_messages($client, 1) === [$make(6)];
        try {
            $client->write($make($limit + 1));
        } catch (RuntimeException) {
            // The server need not have read it all.
        }
        $closes = read_messages_to_end($client) === [];
        $server->waitForNote('1 closed -1');
        // The others do not mind.
        $client = $server->connect();
        $client->write($make(5));
        $passes = $passes && read_messages($client, 1) === [$make(5)];
        $client->close();
        $stats = stop_and_count($server);
        if (!$passes || !$closes || $stats['protocol_errors'] !== 1 || $stats['blocks_in_use'] !== 0) {
            echo "$name, $limit: ", json_encode([$passes, $closes, $stats['protocol_errors'], $stats['blocks_in_use']]), "\n";
        }
    }
}
echo "done\n";
?>
--EXPECT--
done
