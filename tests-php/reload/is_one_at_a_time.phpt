--TEST--
While a reload runs reload() is false and a SIGUSR1 is remembered: one more reload follows, however many signals came
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    pcntl_async_signals(true);
    $server->on('workerStart', function ($server) {
        note('start');
        while (file_exists(getenv('ROTOR_TMP') . '/hold')) {
            usleep(2_000);
        }
    });
    $server->on('beforeReload', fn () => note('before'));
    $server->on('afterReload', fn () => note('after'));
    $server->on('receive', fn ($server, $fd) => $server->send($fd, json_encode([@$server->reload(), $server->getLastError()])));
    $server->start();
    PHP);
$server->waitForNote('start');
touch("$server->tmp/hold");
$server->signal(SIGUSR1);
$server->waitForNote('start', 2);
echo $server->request('?', 11), "\n";
for ($i = 0; $i < 5; $i++) {
    $server->signal(SIGUSR1);
    usleep(2_000);
}
echo $server->request('?', 11), "\n";
unlink("$server->tmp/hold");
$server->waitForNote('after', 2);
// Nothing is left of it: the next one is a third.
$answer = $server->request('?', 8);
echo $answer, "\n";
$server->waitForNote('after', 3);
$notes = array_values(preg_grep('/^start/', $server->notes(), PREG_GREP_INVERT));
echo implode(' ', $notes), "\n";
$server->stop();
?>
--EXPECT--
[false,509]
[false,509]
[true,0]
before after before after before after
