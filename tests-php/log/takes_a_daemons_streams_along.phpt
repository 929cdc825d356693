--TEST--
What user code of a daemon prints follows log_file when that is opened anew
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 1, 'daemonize' => true, 'log_file' => getenv('ROTOR_TMP') . '/log', 'pid_file' => getenv('ROTOR_TMP') . '/pid',
    ]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        echo "printed $data\n";
        fwrite(STDERR, "said $data\n");
        $server->send($fd, $data);
    });
    $server->start();
    note('stopped');
    PHP);
$server->expectFile('log');
$server->expectFile('old');
$server->waitFor(fn () => !$server->isRunning(), 'the first process to end');
$pid = (int) file_get_contents("$server->tmp/pid");
echo $server->request('before'), "\n";
rename("$server->tmp/log", "$server->tmp/old");
$server->signal(SIGRTMIN, $pid);
// The worker follows when it has nothing else to do; what is asked of it before is in the old file.
$server->waitFor(function () use ($server): bool {
    $server->request('again');
    return str_contains((string) @file_get_contents("$server->tmp/log"), "printed again\nsaid again\n");
}, 'the streams to follow');
echo $server->request('after'), "\n";
$old = file_get_contents("$server->tmp/old");
$new = file_get_contents("$server->tmp/log");
var_dump(substr_count($old, "printed before\nsaid before\n"), str_contains($old, 'after'), substr_count($new, "printed after\nsaid after\n"));
$server->signal(SIGTERM, $pid);
$server->waitForNote('stopped');
$server->wait();
?>
--EXPECT--
before
after
int(1)
bool(false)
int(1)
