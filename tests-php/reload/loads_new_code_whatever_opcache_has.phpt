--TEST--
A reload, and a respawn, load what has changed in place, whatever opcache has; opcache goes on keeping what is loaded, and no restart of it is left pending
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

$folder = sys_get_temp_dir() . '/code-' . getmypid();
mkdir($folder);
/** Texts of the same length, written in place: nothing but the times differs. */
function deploy(string $folder, string $version, string ...$files): void
{
    foreach ($files ?: ['start', 'late', 'same'] as $file) {
        file_put_contents("$folder/$file.php", "<?php return '$version';");
    }
}

foreach (OPCACHES + ['files' => ['opcache.validate_timestamps' => '0', 'opcache.file_cache' => "$folder/cache"]] as $name => $ini) {
    @mkdir("$folder/cache");
    deploy($folder, 'one');
    $server = TestServer::start(OPCACHE_STATUS . <<<'PHP'
        $folder = $argv[1];
        // Also in the cache from before the fork on.
        $inMaster = require "$folder/same.php";
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set(['worker_num' => 4, 'log_file' => getenv('ROTOR_LOG')]);
        $server->on('workerStart', function ($server) use ($folder) {
            $server->start = require "$folder/start.php";
            // As the sources of a framework: they are never changed.
            $server->base = require __DIR__ . '/base.php';
        });
        $server->on('afterReload', fn ($server, $success) => note('reloaded ' . json_encode($success)));
        $server->on('receive', function ($server, $fd, $reactor, $data) use ($folder, $inMaster) {
            if ($data === 'die') {
                posix_kill(getmypid(), SIGKILL);
            }
            $late = require "$folder/late.php";
            $server->send($fd, json_encode([
                'code' => "$server->start $late " . require "$folder/same.php",
                'pid' => getmypid(), 'master' => $inMaster, 'opcache' => opcacheStatus(),
            ]) . "\n");
        });
        file_put_contents(__DIR__ . '/base.php', '<?php return 1;');
        $server->start();
        PHP, $ini === [] ? [] : withOpcache($ini), [$folder]);
    $ask = function (string $what) use ($server): array {
        // Eight connections in a row meet each of four workers.
        $answers = [];
        for ($i = 0; $i < 8; $i++) {
            $client = $server->connect();
            $client->write($what);
            $answer = json_decode($client->readLine(), true);
            $answers[$answer['pid']] = $answer;
            $client->close();
        }
        return $answers;
    };
    $said = fn (array $answers) => count($answers) . ' workers: ' . implode(' | ', array_unique(array_column($answers, 'code')));
    $reloads = 0;
    $reload = function () use ($server, &$reloads): void {
        $server->signal(SIGUSR1);
        $server->waitForNote('reloaded true', ++$reloads);
    };
    echo "$name\n  ", $said($ask('what?')), "\n";
    deploy($folder, 'two');
    $reload();
    $second = $ask('what?');
    echo '  ', $said($second), "\n";

    // Once more with nothing changed, which costs no memory; then with one file.
    $reload();
    $third = $ask('what?');
    echo '  ', $said($third), "\n";
    deploy($folder, 'six', 'late');
    $reload();
    echo '  ', $said($ask('what?')), "\n";

    // A worker that dies without a reload gets what is there by then.
    deploy($folder, 'new');
    $server->allowLog('/killed by SIGKILL/');
    $dead = array_keys($ask('what?'));
    for ($i = 0; $i < 4; $i++) {
        $client = $server->connect();
        $client->write('die');
        $client->readToEnd();
    }
    $server->waitFor(fn () => array_intersect(array_keys($last = $ask('what?')), $dead) === [], 'four respawned workers');
    $last = $ask('what?');
    echo '  ', $said($last), ', the master has ', implode(array_unique(array_column($last, 'master'))), "\n";
    if ($ini !== []) {
        $status = fn (string $key, array $answers) => array_unique(array_map(fn ($answer) => $answer['opcache'][$key], $answers), SORT_REGULAR);
        foreach ([$second, $last] as $answers) {
            $is = fn ($key, $value) => array_values($status($key, $answers)) === [$value] ? '' : ' not';
            echo '  opcache is', $is('enabled', true), ' enabled, is', $is('full', false), ' not full, has', $is('restart', false), ' no restart pending';
            $hits = $status('hits', $answers);
            $newest = $answers[array_key_last($answers)]['opcache']['scripts'];
            echo ', ', max($hits) > min($hits) ? 'hits grow' : 'no hits', ', ',
                isset($newest["$folder/late.php"], $newest["$folder/start.php"]) && $newest["$folder/late.php"] > 0 ? 'scripts are kept' : json_encode($newest), "\n";
        }
    }
    if ($ini !== []) {
        $wasted = fn (array $answers) => max(array_map(fn ($answer) => $answer['opcache']['wasted'], $answers));
        echo '  what has changed was ', $wasted($second) > 0 ? '' : 'not ', 'forgotten, what has not was ', $wasted($third) === $wasted($second) ? 'kept' : 'not', "\n";
    }
    $server->stop();
    shell_exec('rm -rf ' . escapeshellarg("$folder/cache"));
}
shell_exec('rm -rf ' . escapeshellarg($folder));
?>
--EXPECT--
none
  4 workers: one one one
  4 workers: two two two
  4 workers: two two two
  4 workers: two six two
  4 workers: new new new, the master has one
timestamps
  4 workers: one one one
  4 workers: two two two
  4 workers: two two two
  4 workers: two six two
  4 workers: new new new, the master has one
  opcache is enabled, is not full, has no restart pending, hits grow, scripts are kept
  opcache is enabled, is not full, has no restart pending, hits grow, scripts are kept
  what has changed was forgotten, what has not was kept
no timestamps
  4 workers: one one one
  4 workers: two two two
  4 workers: two two two
  4 workers: two six two
  4 workers: new new new, the master has one
  opcache is enabled, is not full, has no restart pending, hits grow, scripts are kept
  opcache is enabled, is not full, has no restart pending, hits grow, scripts are kept
  what has changed was forgotten, what has not was kept
jit
  4 workers: one one one
  4 workers: two two two
  4 workers: two two two
  4 workers: two six two
  4 workers: new new new, the master has one
  opcache is enabled, is not full, has no restart pending, hits grow, scripts are kept
  opcache is enabled, is not full, has no restart pending, hits grow, scripts are kept
  what has changed was forgotten, what has not was kept
files
  4 workers: one one one
  4 workers: two two two
  4 workers: two two two
  4 workers: two six two
  4 workers: new new new, the master has one
  opcache is enabled, is not full, has no restart pending, hits grow, scripts are kept
  opcache is enabled, is not full, has no restart pending, hits grow, scripts are kept
  what has changed was forgotten, what has not was kept
