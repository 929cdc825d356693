--TEST--
What an old worker has put into opcache while its successor was starting is not what the successor loads, once the file has changed
--EXTENSIONS--
rotor
posix
pcntl
--SKIPIF--
<?php
file_exists(ini_get('extension_dir') . '/opcache.so') || print('skip needs opcache');
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/opcache.inc.php';

$code = sys_get_temp_dir() . '/code-' . getmypid() . '.inc';
foreach (['1', '0'] as $timestamps) {
    file_put_contents($code, '<?php return "old";');
    touch($code, time() - 100);
    $server = TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
        $generation = fn () => count(preg_grep('/^starts/', file(getenv('ROTOR_NOTES'))));
        $server->on('workerStart', function ($server) use ($argv, $generation) {
            note('starts');
            if ($generation() === 2) {
                while (!in_array("go\n", file(getenv('ROTOR_NOTES')), true)) {
                    usleep(2_000);
                }
            }
            $server->code = $generation() > 1 ? require $argv[1] : 'none';
        });
        $server->on('afterReload', fn ($server, $success) => note('reloaded ' . json_encode($success)));
        $server->on('receive', fn ($server, $fd) => $server->send($fd, "$server->code " . require $argv[1]));
        $server->start();
        PHP, withOpcache(['opcache.validate_timestamps' => $timestamps]), [$code]);
    $server->waitForNote('starts');
    $server->signal(SIGUSR1);
    $server->waitForNote('starts', 2);
    echo $server->request('?', 8), ', ';
    // The old one has loaded it, and opcache has it.
    file_put_contents($code, '<?php return "new";');
    file_put_contents(dirname($server->tmp) . '/notes', "go\n", FILE_APPEND);
    $server->waitForNote('reloaded true');
    echo $server->request('?', 7), ', ';
    $server->signal(SIGUSR1);
    $server->waitForNote('reloaded true', 2);
    echo $server->request('?', 7), "\n";
    $server->stop();
}
unlink($code);
?>
--EXPECT--
none old, new new, new new
none old, new new, new new
