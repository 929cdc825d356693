--TEST--
Every process of the server can write to a user process and read from it; datagrams keep their bounds, streams take any size, and the next process goes on with the same pipe
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'open_eof_split' => true, 'package_eof' => "\n"]);
    $datagrams = new Rotor\Process(function (Rotor\Process $process) {
        note("starts $process->pid");
        while (true) {
            $message = $process->read(100_000);
            $process->write(strlen($message) > 100 ? md5($message) : strrev($message));
        }
    });
    $streams = new Rotor\Process(function (Rotor\Process $process) {
        while (true) {
            $length = unpack('N', $process->read(4))[1];
            for ($bytes = ''; strlen($bytes) < $length; $bytes .= $process->read(1 << 20));
            $process->write(strrev($bytes));
        }
    }, false, 1);
    $server->addProcess($datagrams);
    $server->addProcess($streams);
    $server->on('managerStart', function () use ($datagrams) {
        $datagrams->write('from the manager');
        note('manager: ' . $datagrams->read());
    });
    $server->on('start', function () use ($datagrams) {
        while (!preg_grep('/^manager/', @file(getenv('ROTOR_NOTES')) ?: [])) {
            usleep(1000);
        }
        $datagrams->write('from the master');
        note('master: ' . $datagrams->read());
    });
    $server->on('receive', function ($server, $fd, $reactor, $data) use ($datagrams, $streams) {
        $data = rtrim($data);
        if ($data === 'two') {
            $datagrams->write('first');
            $datagrams->write('second');
            $server->send($fd, "{$datagrams->read()} {$datagrams->read()}\n");
        } elseif ($data === 'large') {
            $bytes = random_bytes(8 << 20);
            $streams->write(pack('N', strlen($bytes)));
            $child = pcntl_fork();
            if ($child === 0) {
                // Both directions fill up: somebody has to read meanwhile.
                $streams->write($bytes);
                posix_kill(getmypid(), SIGKILL);
            }
            for ($back = ''; strlen($back) < strlen($bytes); $back .= $streams->read(1 << 20));
            pcntl_waitpid($child, $status);
            $server->send($fd, ($back === strrev($bytes) ? 'same' : 'another') . "\n");
        } else {
            $datagrams->write($data);
            $server->send($fd, "worker $server->worker_id: {$datagrams->read()}\n");
        }
    });
    $server->start();
    PHP);
$server->expectLog('/error user=2 pid=\d+: killed by SIGKILL/');
$server->waitFor(fn () => preg_grep('/^master/', $server->notes()), 'the note of the master');
echo implode("\n", preg_grep('/^m/', $server->notes())), "\n";
$clients = [$server->connect(), $server->connect()];
$answers = [];
foreach ($clients as $client) {
    foreach (['hello', str_repeat('x', 90_000)] as $message) {
        $client->write("$message\n");
        $answers[] = str_replace(md5(str_repeat('x', 90_000)), 'the same', $client->readLine());
    }
}
sort($answers);
echo implode("\n", $answers), "\n";
foreach (['two', 'large'] as $what) {
    $clients[0]->write("$what\n");
    echo "$what: {$clients[0]->readLine()}\n";
}
sscanf(current(preg_grep('/^starts/', $server->notes())), 'starts %d', $pid);
$server->signal(SIGSTOP, $pid);
$server->waitFor(fn () => str_contains(file_get_contents("/proc/$pid/stat"), ') T '), 'it to stand still');
$clients[0]->write("is read by the next one\n");
$clients[0]->isSilent(0.1) || print("an answer of a stopped process\n");
$server->signal(SIGKILL, $pid);
echo $clients[0]->readLine(), "\n";
$server->stop();
?>
--EXPECT--
manager: reganam eht morf
master: retsam eht morf
worker 0: olleh
worker 0: the same
worker 1: olleh
worker 1: the same
two: tsrif dnoces
large: same
worker 1: eno txen eht yb daer si
