--TEST--
For shutdown_delay seconds after the request to stop new clients are accepted and served, also by workers that are replaced meanwhile; a second signal cuts it short
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'shutdown_delay' => (float) getenv('DELAY')]);
    $server->on('beforeShutdown', fn () => note('before'));
    $server->on('shutdown', fn () => note('shutdown'));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, getmypid() . "\n"));
    note(json_encode($server->start()));
    PHP;
$server = TestServer::start($script, env: ['DELAY' => '3']);
$begin = microtime(true);
$server->signal(SIGTERM);
$server->waitForNote('before');
$ask = function (TestServer $server): string {
    $client = $server->connect();
    $client->write('?');
    return $client->readLine();
};
$first = $ask($server);
$server->allowLog('/killed by SIGKILL/');
posix_kill((int) $first, SIGKILL);
echo $ask($server) !== $first ? "served, and by a new worker\n" : "served\n";
$server->wait();
echo microtime(true) - $begin >= 3 ? "it took its time\n" : "too soon\n";
echo implode(' ', $server->notes()), "\n";

$server = TestServer::start($script, env: ['DELAY' => '3600']);
$server->signal(SIGTERM);
$server->waitForNote('before');
$ask($server);
// One that comes a second or more after the first; a third might find a process that is no server any more.
$first = microtime(true);
$server->waitFor(fn () => microtime(true) - $first > 1.1);
$server->signal(SIGTERM);
$server->allowLog('/a second signal|SIGKILL/');
$server->wait();
echo implode(' ', $server->notes()), "\n";
?>
--EXPECT--
served, and by a new worker
it took its time
before shutdown true
before shutdown true
