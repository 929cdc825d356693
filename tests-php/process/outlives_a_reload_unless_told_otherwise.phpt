--TEST--
A reload leaves user processes alone, and replaces them with reload_user_processes: the old one is gone before the next one starts
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

foreach ([false, true] as $setting) {
    $server = TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'reload_user_processes' => getenv('SETTING') === '1']);
        $server->on('afterReload', fn ($server, $success) => note('reloaded ' . json_encode($success)));
        $alone = fopen(getenv('ROTOR_TMP') . '/lock', 'c');
        unlink(getenv('ROTOR_TMP') . '/lock');
        foreach (['with a handler', 'without one'] as $name) {
            $server->addProcess(new Rotor\Process(function (Rotor\Process $process) use ($name) {
                $end = false;
                $name === 'without one' || Rotor\Process::signal(SIGTERM, function () use (&$end) {
                    $end = true;
                });
                note("$name starts");
                while (!$end) {
                    usleep(1_000_000);
                }
                usleep(50_000);
                note("$name ends");
            }));
        }
        $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, json_encode([
            $server->getWorkerPid(2), $server->getWorkerPid(3), match ($data) {
                'stop 3' => $server->stop(3),
                'reload' => $server->reload(),
                default => null,
            },
        ]) . "\n"));
        $server->start();
        PHP, env: ['SETTING' => (string) (int) $setting]);
    $server->waitForNote('with a handler starts');
    $server->waitForNote('without one starts');
    $client = $server->connect();
    $client->write('reload');
    [$first, $second] = json_decode($client->readLine());
    $server->waitForNote('reloaded true');
    $client->write('?');
    [$third, $fourth] = json_decode($client->readLine());
    echo $third === $first ? 'kept' : 'replaced', ', ', $fourth === $second ? 'kept' : 'replaced', "\n";
    $times = $setting ? 2 : 1;
    $server->waitForNote('without one starts', $times);
    $server->waitForNote('with a handler starts', $times);
    echo '  ', implode("\n  ", preg_grep('/^with a/', $server->notes())), "\n";
    $client->write('stop 3');
    echo '  stop(3) ', json_encode(json_decode($client->readLine())[2]), "\n";
    $server->waitForNote('without one starts', $times + 1);
    $server->stop();
}
?>
--EXPECT--
kept, kept
  with a handler starts
  stop(3) true
replaced, replaced
  with a handler starts
  with a handler ends
  with a handler starts
  stop(3) true
