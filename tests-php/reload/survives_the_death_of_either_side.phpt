--TEST--
P7: when the old worker or its ready successor is killed before the handover, no message but the one in hand is lost
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

foreach (['old', 'successor'] as $who) {
    $server = TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'open_eof_split' => true, 'package_eof' => "\n"]);
        $server->on('workerStart', fn () => note('start ' . getmypid()));
        $server->on('afterReload', fn ($server, $success) => note('after ' . json_encode($success)));
        $server->on('receive', function ($server, $fd, $reactor, $data) {
            for ($data === "hold\n" && note('in hand'); $data === "hold\n" && !file_exists(getenv('ROTOR_TMP') . '/go');) {
                usleep(2_000);
            }
            $server->send($fd, $data);
        });
        $server->start();
        PHP);
    $server->expectFile('go');
    $server->allowLog('/killed by SIGKILL|the old process serves on|the reload has failed/');
    [$holding, $other] = [$server->connect(), $server->connect()];
    $holding->write("hold\n");
    $server->waitForNote('in hand');
    $other->write("one\ntwo\n");
    $server->signal(SIGUSR1);
    $server->waitForLog('/ready; generation=3/');
    $pids = array_map(fn ($note) => (int) substr($note, 6), array_values(preg_grep('/^start/', $server->notes())));
    $server->signal(SIGKILL, $pids[$who === 'old' ? 0 : 1]);
    $server->waitForLog('/killed by SIGKILL/');
    touch("$server->tmp/go");
    echo "$who: ", $other->readLine(), ' ', $other->readLine(), ', ';
    echo $who === 'old' ? json_encode($holding->readToEnd()) : $holding->readLine(), ', ';
    $note = $server->waitFor(fn () => current(preg_grep('/^after/', $server->notes())), 'the end of the reload');
    echo $note, ', ', $server->request("again\n");
    $server->stop();
}
?>
--EXPECT--
old: one two, "", after true, again
successor: one two, hold, after false, again
