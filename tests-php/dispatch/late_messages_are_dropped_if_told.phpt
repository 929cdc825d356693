--TEST--
discard_timeout_request drops messages of connections that ended before a worker took them; else a callback gets them
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

foreach ([[1, false], [1, true], [2, false], [2, true]] as [$mode, $discards]) {
    $settings = var_export(['dispatch_mode' => $mode, 'discard_timeout_request' => $discards], true);
    $server = TestServer::start(str_replace('SETTINGS', $settings, <<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set([
            'worker_num' => 1, 'reactor_num' => 1, 'open_eof_split' => true, 'package_eof' => "\n",
            'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP'),
        ] + SETTINGS);
        $server->on('receive', function ($server, $fd, $reactor, $data) {
            if ($data === "hold\n") {
                note('held');
                // With this one and the one before.
                while ($server->stats()['dispatch_count'] < 4) {
                    usleep(1000);
                }
                note('all are posted');
                while ($server->stats()['close_count'] === 0) {
                    usleep(1000);
                }
            } elseif ($data === "late\n") {
                note('late, exists: ' . json_encode($server->exists($fd)) . ', sent: ' . json_encode($server->send($fd, 'x')));
                return;
            }
            $server->send($fd, "{$server->stats()['dropped_records']}\n");
        });
        $server->start();
        PHP));
    [$blocker, $client] = [$server->connect(), $server->connect()];
    $blocker->exchange("?\n", 2);
    $blocker->write("hold\n");
    $server->waitForNote('held');
    $client->write("late\nlate\n");
    $server->waitForNote('all are posted');
    $client->reset();
    $blocker->readLine();
    $blocker->write("?\n");
    $dropped = $blocker->readLine();
    echo "mode $mode: ", json_encode(array_values(array_diff($server->notes(), ['held', 'all are posted']))), ", dropped $dropped\n";
    $server->stop();
}
?>
--EXPECT--
mode 1: ["late, exists: false, sent: false","late, exists: false, sent: false"], dropped 0
mode 1: [], dropped 2
mode 2: [], dropped 2
mode 2: [], dropped 2
