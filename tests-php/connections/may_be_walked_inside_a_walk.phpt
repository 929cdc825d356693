--TEST--
Each foreach over $server->connections has a position of its own, also beside the methods of the object and in generators
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$early = new Rotor\Server('127.0.0.1');
foreach ($early->connections as $key => $fd) {
    var_dump($key, $fd);
}
try {
    foreach ($early->connections as &$fd) {
        var_dump($fd);
    }
} catch (Error $error) {
    echo $error->getMessage(), "\n";
}
try {
    foreach ((new ReflectionClass(Rotor\Connection\Iterator::class))->newInstanceWithoutConstructor() as $fd) {
        var_dump($fd);
    }
} catch (Rotor\Exception $exception) {
    echo $exception->getMessage(), "\n";
}
unset($early);

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === 'hello') {
            $server->send($fd, $data);
            return;
        }
        $all = $server->connections;
        $pairs = [];
        foreach ($all as $step => $a) {
            foreach ($all as $b) {
                $pairs[] = "$step:$a$b";
                if ($b === 2) {
                    break;
                }
            }
        }
        note('nested ' . json_encode($pairs));
        $own = [];
        for ($all->rewind(); $all->valid(); $all->next()) {
            $own[] = [$all->key(), $all->current(), count(iterator_to_array($all))];
        }
        note('own ' . json_encode([$own, $all->current()]));
        $generator = function () use ($all) {
            yield from $all;
        };
        foreach ([$generator(), new IteratorIterator($all), new LimitIterator(new IteratorIterator($all), 1, 1)] as $iterator) {
            note(get_class($iterator) . ' ' . json_encode(iterator_to_array($iterator)));
        }
        note('unpacked ' . json_encode([...$all]));
        // The others go while they are walked over.
        $met = [];
        foreach ($all as $other) {
            $met[] = $other;
            $other === 1 && $server->close(2);
        }
        note('rest ' . json_encode($met));
        $server->send($fd, 'ok');
    });
    $server->start();
    PHP);
$clients = [$server->connect(), $server->connect(), $server->connect()];
foreach ($clients as $client) {
    $client->exchange('hello', 5);
}
$clients[0]->exchange('walk', 2);
$server->stop();
echo implode("\n", $server->notes()), "\n";
?>
--EXPECT--
An iterator cannot be used with foreach by reference
only $connections of a server or a port is one
nested ["0:11","0:12","1:21","1:22","2:31","2:32"]
own [[[0,1,3],[1,2,3],[2,3,3]],false]
Generator [1,2,3]
IteratorIterator [1,2,3]
LimitIterator {"1":2}
unpacked [1,2,3]
rest [1,3]
