--TEST--
In a process that a callback has forked every method of the server throws, and its end leaves the server alone
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd) {
        $child = pcntl_fork();
        if ($child === 0) {
            foreach ([fn () => $server->send($fd, 'twice'), fn () => $server->stats(), fn () => $server->shutdown()] as $call) {
                try {
                    $call();
                    note('no exception');
                } catch (Rotor\Exception $exception) {
                    note($exception->getMessage());
                }
            }
            note(count($server->connections) . ' connections');
            posix_kill(getmypid(), SIGKILL);
        }
        pcntl_waitpid($child, $status);
        $server->send($fd, 'done');
    });
    $server->start();
    PHP);
$client = $server->connect();
echo $client->exchange('ask', 4), "\n";
echo implode("\n", $server->notes()), "\n";
echo $client->exchange('ask', 4), "\n";
$client->close();
$server->stop();
?>
--EXPECT--
done
this process was forked by a callback and is no part of the server; call its methods in the process that runs the callback
this process was forked by a callback and is no part of the server; call its methods in the process that runs the callback
this process was forked by a callback and is no part of the server; call its methods in the process that runs the callback
0 connections
done
