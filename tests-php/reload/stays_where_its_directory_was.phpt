--TEST--
A worker whose working directory is gone says so and stays where it was; once there is one again, the next worker enters that
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$folder = sys_get_temp_dir() . '/gone-' . getmypid();
mkdir($folder);
file_put_contents("$folder/name", 'the first');
$server = TestServer::start(<<<'PHP'
    chdir($argv[1]);
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('workerStart', fn () => note('in ' . (getcwd() ?: 'none') . ': ' . (@file_get_contents('name') ?: 'no file')));
    $server->on('afterReload', fn ($server, $success) => note('reloaded ' . json_encode($success)));
    $server->on('receive', fn () => 0);
    $server->start();
    PHP, args: [$folder]);
$server->waitFor(fn () => count($server->notes()) === 1, 'the worker');
rename($folder, "$folder-old");
$server->expectLog('/ warning worker=0 pid=\d+: cannot enter the working directory \S+: No such file or directory \(os error 2\); stays where it was/');
$server->signal(SIGUSR1);
$server->waitForNote('reloaded true');
mkdir($folder);
file_put_contents("$folder/name", 'the second');
$server->signal(SIGUSR1);
$server->waitForNote('reloaded true', 2);
echo str_replace($folder, 'FOLDER', implode("\n", $server->notes())), "\n";
$server->stop();
foreach ([$folder, "$folder-old"] as $path) {
    unlink("$path/name");
    rmdir($path);
}
?>
--EXPECT--
in FOLDER: the first
in FOLDER-old: the first
reloaded true
in FOLDER: the second
reloaded true
