--TEST--
A user process has an id behind the workers', a title, its pid, and all methods of the server; what it sends arrives at once
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $report = function (Rotor\Process $process) use ($server) {
        note(json_encode([
            $process->id, $server->getWorkerId(), $server->worker_id,
            $process->pid === getmypid() && $server->worker_pid === getmypid() && $server->getWorkerPid() === getmypid(),
            posix_getppid() === $server->manager_pid, $server->master_pid === $server->getMasterPid(),
            cli_get_process_title(), $server->getWorkerStatus(), $server->stats()['user_worker_num'],
        ]));
        sleep(1000);
    };
    // Greets whoever is there, then sleeps for ever: what it has sent does not wait for that.
    $greeter = new Rotor\Process(function (Rotor\Process $process) use ($server) {
        $process->name('greeter');
        note('greets ' . cli_get_process_title());
        while (count($server->connections) < 2) {
            usleep(1000);
        }
        $fds = iterator_to_array($server->connections);
        sort($fds);
        $info = $server->getClientInfo($fds[0]);
        $server->send($fds[0], json_encode([$server->exists($fds[0]), $info['remote_ip'], $info['worker_id']]) . "\n");
        $server->send($fds[0], str_repeat('x', 5_000_000) . "\n");
        $server->send($fds[1], "bye\n");
        $server->close($fds[1]);
        sleep(1000);
    }, false, 0);
    var_dump($server->addProcess(new Rotor\Process($report)), $server->addProcess($greeter), $greeter->id, $greeter->pipe);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, json_encode([
        $server->getWorkerPid(3), $server->getWorkerStatus(3), $server->getWorkerPid(4),
    ]) . "\n"));
    $server->start();
    PHP);
$server->waitForNote('greets greeter');
$server->waitFor(fn () => count($server->notes()) === 2, 'two notes');
echo current(preg_grep('/greets/', $server->notes(), PREG_GREP_INVERT)), "\n";
$pid = (int) array_search('greeter', $server->processes(), true);
[$first, $second] = [$server->connect(), $server->connect()];
echo $first->readLine(), "\n", strlen($first->readLine()), "\n", $second->readToEnd();
$first->write('?');
echo str_replace($pid, 'its pid', $first->readLine()), "\n";
$server->stop();
echo strtok($server->log(), "\n") === 'int(0)' ? "numbered from 0\n" : $server->log();
?>
--EXPECT--
[0,2,2,true,true,true,"rotor: process #2",1,2]
[true,"127.0.0.1",1]
5000000
bye
[its pid,1,false]
numbered from 0
