--TEST--
An uncaught exception is reported as PHP does it, or by the script's handler, and the worker goes on
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'close_on_worker_error' => false]);
    $server->on('workerstart', fn () => note('worker ' . getmypid()));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === 'handler') {
            set_exception_handler(fn ($exception) => note("handled: {$exception->getMessage()}"));
        } elseif ($data === 'failing handler') {
            set_exception_handler(fn ($exception) => throw new LogicException('from the handler'));
        } elseif ($data === 'throw') {
            $server->send($fd, 'thrown');
            throw new DomainException('from the callback');
        } elseif ($data === 'call') {
            $server->send($fd, 'called');
            no_such_function();
        }
        $server->send($fd, 'done');
    });
    $server->start();
    PHP);
$server->expectLog('/Uncaught DomainException: from the callback/');
$server->expectLog('/Uncaught Error: Call to undefined function no_such_function/');
$server->expectLog('/Uncaught LogicException: from the handler/');
$server->allowLog('/Uncaught|exception|thrown in/i');
$client = $server->connect();
foreach (['throw' => 'thrown', 'call' => 'called', 'handler' => 'done', 'throw ' => '', 'failing handler' => 'done', 'throw  ' => '', 'x' => 'done'] as $data => $answer) {
    $data = trim($data);
    $answer = $answer ?: 'thrown';
    echo $client->exchange($data, strlen($answer)), "\n";
}
foreach ($server->notes() as $note) {
    echo preg_replace('/\d+/', 'PID', $note), "\n";
}
$client->close();
$server->stop();
?>
--EXPECT--
thrown
called
done
thrown
done
thrown
done
worker PID
handled: from the callback
