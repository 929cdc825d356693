--TEST--
mt_rand(), rand() and shuffle() go differently in each worker and in its successor, whatever was drawn before start()
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    mt_srand(42);
    mt_rand();
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 4, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', fn () => 0);
    $server->on('managerStart', fn () => note('drawn ' . mt_rand()));
    $server->on('workerStart', fn () => note('drawn ' . mt_rand()));
    $server->on('afterReload', fn () => note('reloaded'));
    $server->start();
    PHP);
$drawn = fn () => preg_grep('/^drawn/', $server->notes());
$server->waitFor(fn () => count($drawn()) === 5, 'five numbers');
$server->signal(SIGUSR1);
$server->waitForNote('reloaded');
echo count(array_unique($drawn())), " different numbers\n";
$server->stop();
?>
--EXPECT--
9 different numbers
