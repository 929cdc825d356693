--TEST--
The first close() of a session counts, from whichever worker; then close(), send() and exists() say that it is closing
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $state = function ($server, $fd) {
        return [
            $server->close($fd), $server->getLastError(), $server->close($fd, true), $server->getLastError(),
            $server->send($fd, 'late'), $server->getLastError(), $server->exists($fd),
            in_array($fd, iterator_to_array($server->connections), true),
        ];
    };
    $server->on('receive', function ($server, $fd, $reactor, $data) use ($state) {
        $other = (int) $data ?: $fd;
        note('first ' . json_encode($server->close($other)));
        note('then ' . json_encode($state($server, $other)));
        // Not touch(): that does something more to the file, which may be gone by then.
        file_put_contents(getenv('ROTOR_TMP') . "/looked$other", '');
        $other === $fd || $server->send($fd, 'done');
    });
    $server->on('close', function ($server, $fd) use ($state) {
        // In the other worker, it waits for the closer: when it has returned, the session is gone.
        while ($fd < 3 && !@unlink(getenv('ROTOR_TMP') . "/looked$fd")) {
            usleep(1000);
        }
        note('inside ' . json_encode($state($server, $fd)));
        note("closed $fd in worker $server->worker_id");
    });
    $server->start();
    PHP);
$first = $server->connect();
$first->write('self');
echo $first->readToEnd($how), $how, "\n";
$server->waitForNote('closed 1 in worker 1');
$second = $server->connect();
$third = $server->connect();
// The kernel says connected before the server has accepted.
$third->write('2');
echo $third->read(4), ', ', $second->readToEnd($how), $how, "\n";
$server->waitForNote('closed 2 in worker 0');
echo implode("\n", $server->notes()), "\n";
$third->close();
$server->stop();
?>
--EXPECT--
closed
done, closed
first true
then [false,1003,false,1003,false,1003,false,false]
inside [false,1003,false,1003,false,1003,false,false]
closed 1 in worker 1
first true
then [false,1003,false,1003,false,1003,false,false]
inside [false,1003,false,1003,false,1003,false,false]
closed 2 in worker 0
