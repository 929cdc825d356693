--TEST--
P8: SIGKILL of the manager or of the master leaves no process and no port; the master's exit code is not 0
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$start = fn () => TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 3, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('workerStart', fn ($server) => note("manager is $server->manager_pid"));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        $server->send($fd, $data);
        // One is in a callback that does not end by itself.
        for ($data === 'work' && note('works'); $data === 'work';) {
            usleep(1_000_000);
        }
    });
    $server->start();
    note('never');
    PHP);
$pids = function (TestServer $server): array {
    $server->waitFor(fn () => count($server->notes()) >= 3, 'three workers');
    sscanf($server->notes()[0], 'manager is %d', $manager);
    $client = $server->connect();
    $client->exchange('work');
    $server->waitForNote('works');
    $workers = array_keys($server->processes());
    return ['client' => $client, 'manager' => $manager, 'workers' => array_diff($workers, [$manager, $server->pid])];
};
$port = function (TestServer $server): void {
    $socket = @stream_socket_server("tcp://127.0.0.1:$server->port", $code, $message);
    echo $socket ? "port free\n" : "$message\n";
};

$server = $start();
['client' => $client, 'manager' => $manager] = $pids($server);
$server->allowLog('/the manager has (died|ended)|the server ends at once/');
$server->signal(SIGKILL, $manager);
$client->readToEnd();
echo "manager: client sees the end\n";
// The workers are not the master's children: each ends by itself.
$server->waitFor(fn () => !$server->isRunning() && $server->processes() === [], 'the end of all');
$server->wait(1);
$port($server);

$server = $start();
['client' => $client] = $pids($server);
$server->allowLog('/the (master|manager) has died/');
$server->signal(SIGKILL);
$client->readToEnd();
echo "master: client sees the end\n";
$server->wait(-SIGKILL);
$port($server);

$server = $start();
['manager' => $manager, 'workers' => $workers] = $pids($server);
$server->allowLog('/./');
foreach ([$server->pid, $manager, ...$workers] as $pid) {
    $server->signal(SIGKILL, $pid);
}
$server->wait(-SIGKILL);
echo "all: ";
$port($server);

// A stopped manager cannot look after its workers; the kernel and their pipe do.
$server = $start();
['manager' => $manager] = $pids($server);
$server->allowLog('/./');
$server->signal(SIGSTOP, $manager);
$server->signal(SIGKILL);
$server->wait(-SIGKILL);
echo "master with a stopped manager: ";
$port($server);
?>
--EXPECT--
manager: client sees the end
port free
master: client sees the end
port free
all: port free
master with a stopped manager: port free
