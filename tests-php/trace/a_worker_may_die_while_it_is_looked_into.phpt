--TEST--
A worker that dies while a user process looks into it is replaced as any: its death is not the user process's to keep
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
    $server->addProcess(new Rotor\Process(function () use ($server) {
        for (;;) {
            @$server->trace(0);
        }
    }));
    $server->on('workerError', fn ($server, $id, $pid, $code, $signal) => note("error $id $code $signal"));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        $server->send($fd, getmypid() . "\n");
        if ($data === 'loop') {
            // One that waits is read as it is; one that runs is held.
            for (;;);
        }
    });
    $server->start();
    PHP);
$server->allowLog('/killed by SIGKILL|respawning worker=0/');
for ($i = 1; $i <= 25; $i++) {
    $client = $server->connect();
    $client->write('loop');
    $worker = (int) $client->readLine();
    // At any moment of a look.
    usleep(mt_rand(0, 3000));
    $server->signal(SIGKILL, $worker);
    $client->readToEnd();
    $server->waitForNote('error 0 0 9', $i);
    $server->request('?', strlen("$worker\n"));
}
echo "replaced each time\n";
$server->stop();
?>
--EXPECT--
replaced each time
