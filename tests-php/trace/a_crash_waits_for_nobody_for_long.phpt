--TEST--
A crashed worker dies by itself when the manager does not come to look
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'open_eof_split' => true, 'package_eof' => "\n", 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        $server->send($fd, getmypid() . ' ' . $server->manager_pid . "\n");
        $data === "die\n" && posix_kill(getmypid(), SIGSEGV);
    });
    $server->start();
    PHP);
$client = $server->connect();
$client->write("who\n");
[$worker, $manager] = explode(' ', $client->readLine());
$server->signal(SIGSTOP, (int) $manager);
$client->write("die\n");
$client->readLine();
$state = fn (): string => preg_match('/^State:\s+(\w)/m', (string) file_get_contents("/proc/$worker/status"), $match) ? $match[1] : 'gone';
$server->waitFor(fn () => $state() === 'Z', 'the end of the worker');
echo "dead\n";
// Its client learns of it from the manager.
$server->signal(SIGCONT, (int) $manager);
echo json_encode($client->readToEnd($end)), " $end\n";
echo strlen($server->request("who\n", 5)) , "\n";
$server->expectLog("/ error worker=1 pid=$worker: killed by SIGSEGV; session=1: its message is lost/");
$server->stop();
?>
--EXPECT--
dead
"" closed
5
