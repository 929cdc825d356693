--TEST--
A manager that is stopped or does not come back from a callback holds a stop up until max_wait_time and three seconds, not for ever; a second signal shortens that
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$start = fn (string $wait): TestServer => TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'pid_file' => getenv('ROTOR_TMP') . '/pid',
        'max_wait_time' => (int) getenv('WAIT'),
    ]);
    $server->on('managerStart', fn ($server) => note("manager $server->manager_pid"));
    $server->on('managerStop', function () {
        note('managerStop');
        sleep(600);
    });
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->start();
    PHP, env: ['WAIT' => $wait]);
$ends = function (TestServer $server): void {
    $server->allowLog('/a second signal|killed by SIGKILL|its message is lost/');
    $server->expectLog('/ error master pid=\d+: the manager does not end: it is killed, and what is left of the server with it$/m');
    $server->expectLog('/ error master pid=\d+: the server ends at once$/m');
    $server->wait(1);
    $socket = @stream_socket_server("tcp://127.0.0.1:$server->port", $code, $message);
    echo $socket ? "port free\n" : "$message\n";
};

$stopped = $start('1');
// For ever, but somebody insists.
$busy = $start('0');
$stopped->waitFor(fn () => $stopped->notes() !== [], 'the manager');
sscanf($stopped->notes()[0], 'manager %d', $manager);
echo $stopped->request('answered'), ' ', $busy->request('answered'), "\n";
posix_kill($manager, SIGSTOP);
$stopped->signal(SIGTERM);
$busy->signal(SIGTERM);
$first = microtime(true);
$busy->waitForNote('managerStop');
// One that comes a second or more after the first.
$busy->waitFor(fn () => microtime(true) > $first + 1.1);
$busy->signal(SIGTERM);
$ends($busy);
$ends($stopped);
?>
--EXPECT--
answered answered
port free
port free
