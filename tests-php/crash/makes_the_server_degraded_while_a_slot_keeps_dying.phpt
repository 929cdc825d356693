--TEST--
A slot that keeps dying makes the server degraded, in the log and in stats(), and never ends it; the first process that finishes a message ends that
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'respawn_max_delay' => 60]);
    $server->on('workerStart', function ($server, $id) {
        if ($id === 0 && file_exists(getenv('ROTOR_TMP') . '/bad')) {
            exit(3);
        }
    });
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send(
        $fd, "$server->worker_id {$server->stats()['degraded']}\n",
    ));
    $server->start();
    PHP);
// Session 1 belongs to worker 1, session 2 to worker 0.
$clients = [1 => $server->connect(), 0 => $server->connect()];
$ask = function (int $worker) use ($clients): string {
    $clients[$worker]->write('?');
    return $clients[$worker]->readLine();
};
echo $ask(1), ', ', $ask(0), "\n";
touch("$server->tmp/bad");
$server->allowLog('/worker=0/');
foreach ($server->processes() as $pid => $title) {
    $title === 'rotor: worker #0' && posix_kill($pid, SIGKILL);
}
$server->expectLog('/error manager pid=\d+: the server is degraded: worker=0 keeps dying/');
$server->waitForLog('/the server is degraded/');
echo $ask(1), "\n";
unlink("$server->tmp/bad");
$server->signal(SIGUSR1);
$ask(0);
$server->waitForLog('/the server is no longer degraded/');
echo $ask(1), ', ', $ask(0), "\n";
$server->stop();
?>
--EXPECT--
1 0, 0 0
1 1
1 0, 0 0
