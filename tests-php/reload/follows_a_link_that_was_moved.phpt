--TEST--
A deploy that moves a symlink is followed by a reload and by a respawn: working directory, relative includes, includes by way of the link, __DIR__ of what they load
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

$folder = sys_get_temp_dir() . '/deploy-' . getmypid();
$moveTo = function (string $release) use ($folder): void {
    symlink("releases/$release", "$folder/next");
    rename("$folder/next", "$folder/current");
};
foreach (OPCACHES as $name => $ini) {
    foreach (['1', '2', '3'] as $release) {
        mkdir("$folder/releases/$release", recursive: true);
        foreach (['relative', 'linked', 'part', 'late', 'once'] as $file) {
            file_put_contents("$folder/releases/$release/$file.php", "<?php return '$release';");
        }
        // What it loads in turn lies beside it.
        file_put_contents("$folder/releases/$release/app.php", '<?php return basename(__DIR__) . "/" . require __DIR__ . "/part.php";');
        file_put_contents("$folder/releases/$release/server.php", '<?php ' . OPCACHE_STATUS . <<<'PHP'
            $current = $argv[1];
            $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
            $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
            $server->on('workerStart', function ($server) use ($current) {
                $server->code = ['cwd' => basename(getcwd()), 'relative' => require 'relative.php', 'dot' => require './linked.php',
                    'app' => require "$current/app.php", 'linked' => require_once "$current/once.php"];
            });
            $server->on('afterReload', fn ($server, $success) => note('reloaded ' . json_encode($success)));
            $server->on('receive', function ($server, $fd, $reactor, $data) use ($current) {
                if ($data === 'die') {
                    posix_kill(getmypid(), SIGKILL);
                }
                // Loaded for the first time when the link may be elsewhere already.
                $late = $data === 'late' ? require "$current/late.php" : '';
                $server->send($fd, json_encode($server->code + ['late' => $late, 'pid' => getmypid(), 'restart' => opcacheStatus()['restart'] ?? false]) . "\n");
            });
            $server->start();
            PHP);
    }
    $moveTo('1');
    // As from a shell: it knows the directory by the way that it was entered.
    $server = TestServer::start(
        "$folder/current/server.php",
        $ini === [] ? [] : withOpcache($ini),
        ["$folder/current"],
        prefix: ['sh', '-c', 'cd "$0" && export PWD && exec "$@"', "$folder/current"],
    );
    $ask = function (string $what, int $times = 4) use ($server): array {
        $answers = [];
        for ($i = 0; $i < $times; $i++) {
            $client = $server->connect();
            $client->write($what);
            $answer = json_decode($client->readLine(), true);
            $answers[$answer['pid']] = $answer;
            $client->close();
        }
        return $answers;
    };
    $said = function (array $answers): string {
        $pending = max(array_column($answers, 'restart')) ? ', restart pending' : '';
        $codes = array_map(fn ($answer) => implode(' ', array_diff_key($answer, ['pid' => 1, 'restart' => 1])), $answers);
        return count($answers) . ' workers: ' . implode(' | ', array_unique($codes)) . $pending;
    };
    echo "$name\n  ", $said($ask('what?')), "\n";
    $moveTo('2');
    // An old worker that meets a file now may take it from where the link led when it started, and opcache notes that.
    echo '  ', count($ask('late')), " workers have loaded more\n";
    $server->signal(SIGUSR1);
    $server->waitForNote('reloaded true');
    echo '  ', $said($ask('late')), "\n";

    // Once more without a deploy: what is in opcache is known to be unchanged from here on. Then by a death.
    $server->signal(SIGUSR1);
    $server->waitForNote('reloaded true', 2);
    $ask('late');
    $server->signal(SIGUSR1);
    $server->waitForNote('reloaded true', 3);
    $ask('late');
    $moveTo('3');
    $old = array_keys($ask('what?'));
    $server->allowLog('/killed by SIGKILL/');
    for ($i = 0; $i < 2; $i++) {
        $client = $server->connect();
        $client->write('die');
        $client->readToEnd();
    }
    $server->waitFor(fn () => array_intersect(array_keys($ask('what?')), $old) === [], 'respawned workers');
    echo '  ', $said($ask('late')), "\n";
    $server->stop();
    shell_exec('rm -rf ' . escapeshellarg($folder));
}
?>
--EXPECT--
none
  2 workers: 1 1 1 1/1 1 
  2 workers have loaded more
  2 workers: 2 2 2 2/2 2 2
  2 workers: 3 3 3 3/3 3 3
timestamps
  2 workers: 1 1 1 1/1 1 
  2 workers have loaded more
  2 workers: 2 2 2 2/2 2 2
  2 workers: 3 3 3 3/3 3 3
no timestamps
  2 workers: 1 1 1 1/1 1 
  2 workers have loaded more
  2 workers: 2 2 2 2/2 2 2
  2 workers: 3 3 3 3/3 3 3
jit
  2 workers: 1 1 1 1/1 1 
  2 workers have loaded more
  2 workers: 2 2 2 2/2 2 2
  2 workers: 3 3 3 3/3 3 3
