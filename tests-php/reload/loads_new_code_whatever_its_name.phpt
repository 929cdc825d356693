--TEST--
A reload has opcache forget scripts that have changed, also where paths are not UTF-8
--EXTENSIONS--
rotor
posix
--SKIPIF--
<?php
file_exists(ini_get('extension_dir') . '/opcache.so') || print('skip needs opcache');
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/opcache.inc.php';

$folder = sys_get_temp_dir() . "/code-\xff-" . getmypid();
mkdir($folder);
$deploy = fn (string $version) => file_put_contents("$folder/code.php", "<?php return '$version';");
$deploy('one');
$server = TestServer::start(<<<'PHP'
    $folder = hex2bin($argv[1]);
    require "$folder/code.php";
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('afterReload', fn ($server, $success) => note('reloaded ' . json_encode($success)));
    $server->on('receive', fn ($server, $fd) => $server->send($fd, require "$folder/code.php"));
    $server->start();
    PHP, withOpcache(['opcache.validate_timestamps' => '0']), [bin2hex($folder)]);
echo $server->request('x', 3), "\n";
foreach (['two', 'six'] as $count => $version) {
    $deploy($version);
    $server->signal(SIGUSR1);
    $server->waitForNote('reloaded true', $count + 1);
    echo $server->request('x', 3), "\n";
}
$server->stop();
unlink("$folder/code.php");
rmdir($folder);
?>
--EXPECT--
one
two
six
