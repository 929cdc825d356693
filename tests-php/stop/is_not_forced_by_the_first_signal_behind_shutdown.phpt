--TEST--
The first SIGTERM behind shutdown(), however much later, asks for the same stop: what is in hand is answered; the second one forces
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

foreach (['answered', 'forced'] as $how) {
    $server = TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
        $server->on('receive', function ($server, $fd, $reactor, $data) {
            note(json_encode($server->shutdown()));
            while (!file_exists(getenv('ROTOR_TMP') . '/go')) {
                usleep(1000);
            }
            $server->send($fd, $data);
        });
        note(json_encode($server->start()));
        PHP);
    $server->expectFile('go');
    $client = $server->connect();
    $client->write('answer');
    $server->waitForLog('/ manager pid=\d+: stopping$/m');
    // A second signal as late as that would force.
    $pass = function () use ($server): void {
        $since = microtime(true);
        $server->waitFor(fn () => microtime(true) - $since > 1.1);
    };
    $pass();
    $server->signal(SIGTERM);
    $pass();
    if ($how === 'answered') {
        touch("$server->tmp/go");
    } else {
        $server->signal(SIGTERM);
        $server->expectLog('/kills worker=0 pid=\d+: a second signal; session=1 after=\d+ms$/m');
        $server->allowLog('/killed by SIGKILL/');
    }
    echo "$how: ", json_encode($client->readToEnd()), "\n";
    $server->waitForNote('true', 2);
    $server->wait();
}
?>
--EXPECT--
answered: "answer"
forced: ""
