--TEST--
One SIGTERM to all processes is one signal, however late the manager finds the time for it; a callback that ends the manager in a stop forces nothing either
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    function wait_for_file(string $name): void
    {
        while (!file_exists(getenv('ROTOR_TMP') . "/$name")) {
            usleep(1000);
        }
    }
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('managerStart', fn () => note('manager ' . getmypid()));
    $server->on('afterReload', function () {
        note('the manager is busy');
        wait_for_file('go');
    });
    $server->on('workerError', fn () => exit(3));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        note("has $data");
        wait_for_file($data);
        $data === 'die' && Rotor\Process::kill(getmypid(), SIGKILL);
        $server->send($fd, "$data\n");
    });
    $server->start();
    PHP;
$pass = function (TestServer $server): void {
    // What comes a second after the first signal would force.
    $since = microtime(true);
    $server->waitFor(fn () => microtime(true) - $since > 1.1);
};

$server = TestServer::start($script);
$manager = (int) substr($server->waitFor(fn () => current(preg_grep('/^manager/', $server->notes())), 'the manager'), 8);
$server->signal(SIGUSR1);
$server->waitForNote('the manager is busy');
$client = $server->connect();
$client->write('answer');
$server->waitForNote('has answer');
$server->signal(SIGTERM);
$server->signal(SIGTERM, $manager);
$server->waitForLog('/ master pid=\d+: stopping$/m');
$pass($server);
touch("$server->tmp/go");
$server->waitForLog('/ manager pid=\d+: stopping$/m');
touch("$server->tmp/answer");
echo $client->readToEnd();
array_map(unlink(...), ["$server->tmp/go", "$server->tmp/answer"]);
$server->wait();

$server = TestServer::start($script);
$server->expectLog('/ error manager pid=\d+: a callback in the manager has ended it/');
$server->expectLog('/killed by SIGKILL; session=2/');
[$client, $other] = [$server->connect(), $server->connect()];
$client->write('answer');
$server->waitForNote('has answer');
$other->write('die');
$server->waitForNote('has die');
$server->signal(SIGTERM);
$server->waitForLog('/ manager pid=\d+: stopping$/m');
$pass($server);
touch("$server->tmp/die");
$server->waitForLog('/ has ended it /');
touch("$server->tmp/answer");
echo $client->readToEnd();
array_map(unlink(...), ["$server->tmp/die", "$server->tmp/answer"]);
$server->wait(3);
?>
--EXPECT--
answer
answer
