--TEST--
examples/chat.php lets everybody hear everybody, on whichever workers they are
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(realpath(__DIR__ . '/../../examples/chat.php'), args: ['ROTOR_PORT']);
$server->waitForLog('/ worker=1 pid=\d+: ready/');
// A client hears of all who come after it, and perhaps of those just before.
$clients = [];
for ($fd = 1; $fd <= 6; $fd++) {
    $clients[$fd] = $server->connect();
    foreach ($clients as $client) {
        while (($line = $client->readLine()) !== "* $fd is here") {
            if (!preg_match('/^\* [1-5] is here$/', $line)) {
                echo "heard instead: $line\n";
            }
        }
    }
}
$hear = function (TestClient $client): string {
    while (str_starts_with($line = $client->readLine(), '* ')) {
    }
    return $line;
};
foreach ($clients as $speaker => $client) {
    // In pieces, and with the line end of another system.
    $client->write('hel');
    $client->write("lo\r\n");
    foreach ($clients as $listener => $other) {
        $line = $hear($other);
        if ($line !== "$speaker: hello") {
            echo "$listener heard: $line\n";
        }
    }
}
// All at once: everybody hears all, and each speaker's lines in order.
foreach ($clients as $client) {
    $client->write(implode(array_map(fn (int $n): string => "line $n\n", range(1, 100))));
}
foreach ($clients as $listener => $client) {
    $heard = [];
    for ($n = 0; $n < 600; $n++) {
        [$speaker, $line] = explode(': ', $hear($client));
        $heard[$speaker][] = $line;
    }
    ksort($heard);
    if ($heard !== array_fill(1, 6, array_map(fn (int $n): string => "line $n", range(1, 100)))) {
        echo "$listener heard something else\n";
    }
}
array_pop($clients)->close();
echo $clients[1]->readLine(), "\n";
foreach ($clients as $client) {
    $client->close();
}
$server->stop(SIGINT);
?>
--EXPECT--
* 6 has left
