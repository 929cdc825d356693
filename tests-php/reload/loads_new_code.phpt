--TEST--
What onWorkerStart includes is new after a reload, what was loaded before start() stays
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$code = sys_get_temp_dir() . '/code-' . getmypid() . '.inc';
file_put_contents($code, '<?php function answer() { return "one"; }');
$server = TestServer::start(<<<'PHP'
    $loaded = file_get_contents($argv[1]);
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('workerStart', fn () => require $argv[1]);
    $server->on('afterReload', fn ($server, $success) => note(json_encode($success)));
    $server->on('receive', fn ($server, $fd) => $server->send($fd, answer() . (str_contains($loaded, 'one') ? ' old' : ' new')));
    $server->start();
    PHP, args: [$code]);
echo $server->request('?', 7), ' ', $server->request('?', 7), "\n";
file_put_contents($code, '<?php function answer() { return "two"; }');
$server->signal(SIGUSR1);
$server->waitForNote('true');
echo $server->request('?', 7), ' ', $server->request('?', 7), "\n";

// A deploy that is broken is not served; the next one heals it.
$server->expectLog('/the successor of worker=0 has failed; the old process serves on/');
$server->expectLog('/the reload has failed/');
$server->allowLog('/./');
file_put_contents($code, '<?php function answer() { return "bad"');
$server->signal(SIGUSR1);
$server->waitForNote('false');
echo $server->request('?', 7), ' ', $server->request('?', 7), "\n";
file_put_contents($code, '<?php function answer() { return "new"; }');
$server->signal(SIGUSR1);
$server->waitForNote('true', 2);
echo $server->request('?', 7), ' ', $server->request('?', 7), "\n";
unlink($code);
$server->stop();
?>
--EXPECT--
one old one old
two old two old
two old two old
new old new old
