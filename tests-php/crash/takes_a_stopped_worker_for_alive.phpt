--TEST--
A worker that is stopped by SIGSTOP is not dead: nobody takes its place, the others serve, and after SIGCONT it answers what has come meanwhile, in order
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
        'worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'open_eof_split' => true, 'package_eof' => "\n",
    ]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, getmypid() . " $data"));
    $server->start();
    PHP);
$clients = [$server->connect(), $server->connect()];
foreach ($clients as $i => $client) {
    $client->write("?\n");
    $pids[$i] = (int) $client->readLine();
}
posix_kill($pids[0], SIGSTOP);
$state = fn (): string => explode(' ', substr(strrchr(file_get_contents("/proc/$pids[0]/stat"), ')'), 2))[0];
$server->waitFor(fn (): bool => $state() === 'T');
for ($i = 0; $i < 5; $i++) {
    $clients[0]->write("$i\n");
}
for ($i = 0; $i < 100; $i++) {
    (int) $clients[1]->exchange("?\n", strlen("$pids[1] ?\n")) === $pids[1] || print("answered by another\n");
}
// The manager has been told of the stop, and of others' lives and deaths since.
posix_kill($pids[1], SIGTERM);
$server->waitForLog('/replaced worker=\d/');
$clients[1]->write("?\n");
echo (int) $clients[1]->readLine() === $pids[1] ? "not replaced\n" : "the other one is replaced\n";
echo $state(), "\n";
posix_kill($pids[0], SIGCONT);
for ($i = 0; $i < 5; $i++) {
    echo $clients[0]->readLine() === "$pids[0] $i" ? $i : 'no', ' ';
}
echo "\n";
$server->stop();
?>
--EXPECT--
the other one is replaced
T
0 1 2 3 4 
