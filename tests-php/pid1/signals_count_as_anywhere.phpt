--TEST--
As the first process of a container, for which the kernel ignores signals without a handler, the master reloads on SIGUSR1, drains on SIGTERM and SIGINT, and ends with its manager
--EXTENSIONS--
rotor
posix
pcntl
--SKIPIF--
<?php
require __DIR__ . '/../inc/container.inc.php';
if (container_command($why) === null) {
    die("skip $why");
}
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/container.inc.php';

$script = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'pid_file' => getenv('ROTOR_TMP') . '/pid']);
    $server->on('start', fn () => note('started'));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        note("has $data");
        while ($data === 'wait' && !file_exists(getenv('ROTOR_TMP') . '/go')) {
            usleep(1000);
        }
        $server->send($fd, "$data\n");
    });
    note('start() returned ' . json_encode($server->start()));
    PHP;
foreach (['SIGTERM' => SIGTERM, 'SIGINT' => SIGINT] as $name => $signal) {
    [$server, $master] = start_in_container($script);
    $server->waitForNote('started');
    echo "$name: pid ", file_get_contents("$server->tmp/pid");
    $client = $server->connect();
    $client->write('before');
    $client->readLine();
    $server->signal(SIGUSR1, $master);
    $server->waitForLog('/ reloaded$/m');
    // One in hand and one behind it.
    $client->write('wait');
    $server->waitForNote('has wait');
    $other = $server->connect();
    $other->write('queued');
    $server->signal($signal, $master);
    $server->waitForLog('/ manager pid=\d+: stopping$/m');
    touch("$server->tmp/go");
    echo $client->readLine(), ' ', $other->readLine(), "\n";
    unlink("$server->tmp/go");
    $client->readToEnd();
    $server->wait();
    echo preg_grep('/returned/', $server->notes())[4], "\n";
}

// What the manager leaves behind has the master for its parent now.
[$server, $master] = start_in_container($script);
$server->waitForNote('started');
$server->allowLog('/the manager has (died|ended)|the server ends at once/');
$server->signal(SIGKILL, (int) file_get_contents("/proc/$master/task/$master/children"));
$server->wait(1);
$socket = @stream_socket_server("tcp://127.0.0.1:$server->port", $code, $message);
echo 'without a manager: ', $socket ? "port free\n" : "$message\n";
?>
--EXPECT--
SIGTERM: pid 1
wait queued
start() returned true
SIGINT: pid 1
wait queued
start() returned true
without a manager: port free
