--TEST--
A worker that a real-time signal has ended is reported with that signal, as is a process that the script has started itself
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
    $server->on('workerError', fn ($server, $id, $pid, $code, $signal, $fd) => note("error code=$code signal=$signal fd=$fd"));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === 'child') {
            $process = new Rotor\Process(fn () => sleep(600), false, 0);
            posix_kill($process->start(), SIGRTMIN + 6);
            ['code' => $code, 'signal' => $signal] = Rotor\Process::wait();
            $server->send($fd, "code=$code signal=$signal\n");
        } else {
            posix_kill(getmypid(), (int) $data);
        }
    });
    $server->start();
    PHP);
$client = $server->connect();
$client->write('child');
echo str_replace((string) (SIGRTMIN + 6), 'SIGRTMIN+6', $client->readLine()), "\n";
foreach (['SIGRTMIN+6' => SIGRTMIN + 6, 'SIGRTMAX' => SIGRTMAX] as $name => $signal) {
    $client = $server->connect();
    $client->write((string) $signal);
    echo "$name: ", json_encode($client->readToEnd($end)), " $end\n";
    $server->expectLog("/ error worker=0 pid=\d+: killed by signal $signal; session=\d+: its message is lost/");
    $server->waitFor(fn () => preg_grep("/^error code=0 signal=$signal fd=[23]$/", $server->notes()), 'onWorkerError');
}
$server->allowLog('/respawning worker=0/');
$server->stop();
?>
--EXPECT--
code=0 signal=SIGRTMIN+6
SIGRTMIN+6: "" closed
SIGRTMAX: "" closed
