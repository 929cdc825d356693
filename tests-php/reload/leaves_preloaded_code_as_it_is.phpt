--TEST--
With opcache.preload, what was preloaded stays as it was in a reload, and all other code is new
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

$folder = sys_get_temp_dir() . '/preload-' . getmypid();
mkdir($folder);
$deploy = function (string $version) use ($folder): void {
    file_put_contents("$folder/preload.php", '<?php require_once __DIR__ . "/base.php"; opcache_compile_file(__DIR__ . "/listed.php");');
    file_put_contents("$folder/base.php", "<?php class Base { const VERSION = '$version'; }");
    file_put_contents("$folder/listed.php", "<?php function listed() { return '$version'; }");
    file_put_contents("$folder/app.php", "<?php class App extends Base { const OWN = '$version'; }");
};
foreach (['1', '0'] as $timestamps) {
    $deploy('one');
    $server = TestServer::start(OPCACHE_STATUS . <<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
        $server->on('workerStart', function () use ($argv) {
            // As an autoloader does: it asks first.
            class_exists('Base', false) || require_once "$argv[1]/base.php";
            require_once "$argv[1]/app.php";
        });
        $server->on('afterReload', fn ($server, $success) => note('reloaded ' . json_encode($success)));
        $server->on('receive', fn ($server, $fd) => $server->send($fd, Base::VERSION . ' ' . listed() . ' ' . App::VERSION . ' ' . App::OWN . ' '
            . json_encode(opcacheStatus()['restart']) . "\n"));
        $server->start();
        PHP, withOpcache([
            'opcache.validate_timestamps' => $timestamps, 'opcache.preload' => "$folder/preload.php", 'opcache.preload_user' => 'root',
        ]), [$folder]);
    $ask = function () use ($server): string {
        $answers = [];
        for ($i = 0; $i < 2; $i++) {
            $client = $server->connect();
            $client->write('what?');
            $answers[] = $client->readLine();
            $client->close();
        }
        return implode(' | ', $answers);
    };
    echo $ask(), "\n";
    foreach (['two', 'new'] as $count => $version) {
        $deploy($version);
        $server->signal(SIGUSR1);
        $server->waitForNote('reloaded true', $count + 1);
        echo $ask(), "\n";
    }
    $server->stop();
}
shell_exec('rm -rf ' . escapeshellarg($folder));
?>
--EXPECT--
one one one one false | one one one one false
one one one two false | one one one two false
one one one new false | one one one new false
one one one one false | one one one one false
one one one two false | one one one two false
one one one new false | one one one new false
