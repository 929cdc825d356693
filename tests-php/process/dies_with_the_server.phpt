--TEST--
P8: a user process that does not listen to anything dies with the master or the manager
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

foreach (['master', 'manager', 'all but it'] as $who) {
    $server = TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
        $server->addProcess(new Rotor\Process(function () use ($server) {
            foreach ([SIGTERM, SIGHUP, SIGINT] as $signal) {
                Rotor\Process::signal($signal, fn () => note('ignored'));
            }
            note("manager $server->manager_pid");
            for (;;) {
                sleep(1000);
            }
        }));
        $server->on('receive', fn () => null);
        $server->start();
        PHP);
    $server->waitFor(fn () => $server->notes(), 'the process');
    sscanf($server->notes()[0], 'manager %d', $manager);
    $server->allowLog('/./');
    if ($who !== 'manager') {
        $server->signal(SIGKILL);
    }
    if ($who !== 'master') {
        $server->signal(SIGKILL, $manager);
    }
    $server->waitFor(fn () => $server->processes() === [], 'the end of all');
    $server->wait($who === 'manager' ? 1 : -SIGKILL);
    echo "$who: nothing is left\n";
}
?>
--EXPECT--
master: nothing is left
manager: nothing is left
all but it: nothing is left
