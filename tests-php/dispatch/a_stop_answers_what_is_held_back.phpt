--TEST--
A stop answers every message that idle dispatch holds back, also where a worker dies meanwhile
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

foreach ([3, 7] as $mode) {
    $server = TestServer::start(str_replace('MODE', (string) $mode, <<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set([
            'worker_num' => 2, 'reactor_num' => 2, 'dispatch_mode' => MODE, 'open_eof_split' => true, 'package_eof' => "\n",
            'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP'),
        ]);
        $server->on('receive', function ($server, $fd, $reactor, $data) {
            if ($data === "hold\n") {
                note('held ' . getmypid());
                while (!file_exists(getenv('ROTOR_TMP') . '/go')) {
                    usleep(1000);
                }
            }
            $server->send($fd, $data);
        });
        $server->start();
        PHP));
    $busy = [$server->connect(), $server->connect()];
    foreach ($busy as $client) {
        $client->write("hold\n");
    }
    $server->waitFor(fn (): bool => count($server->notes()) === 2, 'both workers to be busy');
    $waiting = [];
    for ($i = 0; $i < 10; $i++) {
        $waiting[] = $client = $server->connect();
        $client->write("one $i\ntwo $i\n");
    }
    $waiting[0]->shutdownWrite();
    $server->signal(SIGTERM);
    $server->waitForLog('/ stopping/');
    $server->expectLog('/killed by SIGKILL/');
    posix_kill((int) substr($server->notes()[0], 5), SIGKILL);
    touch("$server->tmp/go");
    $answered = 0;
    foreach ($waiting as $i => $client) {
        $lines = explode("\n", trim($client->readToEnd()));
        sort($lines);
        $answered += $lines === ["one $i", "two $i"] ? 1 : 0;
    }
    $held = array_map(fn (TestClient $client): string => trim($client->readToEnd()), $busy);
    sort($held);
    unlink("$server->tmp/go");
    $server->wait();
    echo "mode $mode: $answered of 10 answered, in hand: ", json_encode($held), "\n";
}
?>
--EXPECT--
mode 3: 10 of 10 answered, in hand: ["","hold"]
mode 7: 10 of 10 answered, in hand: ["","hold"]
