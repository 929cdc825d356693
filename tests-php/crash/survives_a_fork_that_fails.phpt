--TEST--
A fork that fails is tried again later; the other workers serve meanwhile
--EXTENSIONS--
rotor
posix
pcntl
ffi
--SKIPIF--
<?php
if (posix_getuid() !== 0) die('skip needs root, to become somebody whom a limit of processes holds');
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

// The limit counts all processes of a user: hence one whom nobody else is.
$user = 4_000_000 + getmypid();
$server = TestServer::start(<<<'PHP'
    posix_setgid((int) getenv('WHO'));
    posix_setuid((int) getenv('WHO'));
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    // The one that is killed may have sent its answer and still have the message in hand.
    $server->set(['worker_num' => 2, 'close_on_worker_error' => false]);
    $server->on('managerStart', function () {
        $libc = FFI::cdef('struct limit { unsigned long soft, hard; }; int setrlimit(int resource, const struct limit *limit);');
        $allow = function (int $processes) use ($libc) {
            $limit = $libc->new('struct limit');
            [$limit->soft, $limit->hard] = [$processes, 1000];
            $RLIMIT_NPROC = 6;
            $libc->setrlimit($RLIMIT_NPROC, FFI::addr($limit));
            echo "$processes allowed\n"; // the folder of notes is root's
        };
        pcntl_async_signals(true);
        pcntl_signal(SIGRTMIN + 10, fn () => $allow(1));
        pcntl_signal(SIGRTMIN + 11, fn () => $allow(1000));
        echo "the manager is ready\n";
    });
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send(
        $fd, json_encode([$server->worker_id, getmypid(), $server->getManagerPid()]) . "\n",
    ));
    $server->start();
    PHP, env: ['WHO' => (string) $user]);
$server->waitForLog('/the manager is ready/');
$clients = $pids = [];
foreach ([0, 1] as $i) {
    $client = $server->connect();
    $client->write('?');
    [$id, $pids[$id], $manager] = json_decode($client->readLine());
    $clients[$id] = $client;
}
posix_kill($manager, SIGRTMIN + 10);
$server->waitForLog('/^1 allowed/m');
posix_kill($pids[0], SIGKILL);
$server->allowLog('/killed by SIGKILL|respawning worker=0|the server is degraded/');
$server->expectLog('/error manager pid=\d+: cannot fork worker=0: Resource temporarily unavailable/');
$server->waitForLog('/cannot fork.*cannot fork/s');
$clients[1]->write('?');
echo json_decode($clients[1]->readLine())[0], " serves\n";
posix_kill($manager, SIGRTMIN + 11);
$clients[0]->write('?');
echo json_decode($clients[0]->readLine())[0], " serves\n";
$server->stop();
?>
--EXPECT--
1 serves
0 serves
