--TEST--
Reload after reload, changed code fills opcache; from then on new workers do without it, say so once, and still run the new code
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

$code = sys_get_temp_dir() . '/full-' . getmypid() . '.inc';
$deploy = function (int $version) use ($code): void {
    // About 1.5 MiB in opcache, of the 8 MiB that are the least that it takes.
    $functions = '';
    for ($i = 0; $i < 1500; $i++) {
        $functions .= "function f$i(\$a, \$b) { return \$a . 'text $i' . \$b . strrev(\$a . \$b) . substr(\$a, $i); }\n";
    }
    file_put_contents($code, "<?php $functions return $version;");
};
$deploy(1);
$server = TestServer::start(OPCACHE_STATUS . <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('workerStart', fn ($server) => $server->code = require $argv[1]);
    $server->on('afterReload', fn ($server, $success) => note('reloaded ' . json_encode($success)));
    $server->on('receive', fn ($server, $fd) => $server->send($fd, json_encode([$server->code, opcacheStatus()]) . "\n"));
    $server->start();
    PHP, withOpcache(['opcache.validate_timestamps' => '0', 'opcache.memory_consumption' => '8', 'opcache.interned_strings_buffer' => '1']), [$code]);
$server->expectLog('/ warning manager pid=\d+: new processes do without opcache: opcache has \d+ KiB left, and the scripts that have changed need \d+ KiB/');
$ask = function () use ($server): array {
    $client = $server->connect();
    $client->write('what?');
    $answer = json_decode($client->readLine(), true);
    $client->close();
    return $answer;
};
$server->waitFor(fn () => substr_count($server->log(), ' ready') === 2, 'both workers');
$with = $without = 0;
$old = [];
for ($version = 2; $version <= 13; $version++) {
    $deploy($version);
    $server->signal(SIGUSR1);
    $server->waitForNote('reloaded true', $version - 1);
    foreach ([$ask(), $ask()] as [$runs, $status]) {
        $runs === $version || $old[] = "$runs instead of $version";
        $status['restart'] && $old[] = "a restart is pending at $version";
        $status['enabled'] ? $with++ : $without++;
        $status['enabled'] && $without && $old[] = 'opcache is back';
    }
}
echo $old === [] ? 'always the new code' : json_encode($old), ', ', $with > 0 ? 'first with' : 'never with', ' and ', $without > 0 ? 'then without' : 'never without', " opcache\n";
echo preg_match_all('/new processes do without opcache/', $server->log()), " line\n";
$server->stop();
unlink($code);
?>
--EXPECT--
always the new code, first with and then without opcache
1 line
