--TEST--
With log_rotation every process writes to the file of the period: nothing is renamed, and no line is lost where one period ends
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/ledger.inc.php';
require __DIR__ . '/../inc/server.inc.php';

$rotations = [
    Rotor\Server::LOG_ROTATION_MONTHLY => '%Y%m',
    Rotor\Server::LOG_ROTATION_DAILY => '%Y%m%d',
    Rotor\Server::LOG_ROTATION_HOURLY => '%Y%m%d%H',
    Rotor\Server::LOG_ROTATION_EVERY_MINUTE => '%Y%m%d%H%M',
];
// In the time of the machine, which is not always that of PHP.
$date = fn (string $format): string => trim((string) shell_exec("date +$format"));
foreach ($rotations as $rotation => $format) {
    $before = $date($format);
    $server = TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set([
            'worker_num' => 2, 'log_file' => getenv('ROTOR_TMP') . '/server.log', 'log_rotation' => (int) getenv('ROTATION'),
        ]);
        $server->on('workerStart', fn () => note('worker'));
        $server->on('afterReload', fn () => note('reloaded'));
        $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
        $server->start();
        note('stopped');
        PHP, env: ['ROTATION' => (string) $rotation]);
    $files = fn (): array => glob("$server->tmp/server.log*");
    $server->waitForNote('worker', 2);
    // The long form goes on until a minute is over, with all processes writing.
    $isLong = Ledger::isStress() && $rotation === Rotor\Server::LOG_ROTATION_EVERY_MINUTE;
    $reloads = 0;
    do {
        $server->signal(SIGUSR1);
        $server->waitForNote('reloaded', ++$reloads);
    } while ($isLong && (count($files()) < 3 || $reloads < 20));
    $server->signal(SIGTERM);
    $server->waitForNote('stopped');
    $text = implode('', array_map('file_get_contents', $files()));
    $names = array_map(fn ($path) => substr($path, strlen("$server->tmp/server.log.")), $files());
    $after = $date($format);
    $started = count(array_keys($server->notes(), 'worker', true));
    var_dump(min($names) >= $before && max($names) <= $after && ($isLong || $before !== $after || $names === [$before]));
    var_dump(preg_match_all('/: spawned;/', $text) === $started, preg_match_all('/: ready;/', $text) === $started);
    var_dump(preg_match_all('/: reloaded$/m', $text) === $reloads, preg_match_all('/: stopped$/m', $text));
    array_map($server->expectFile(...), array_map('basename', $files()));
    $server->wait();
}
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
bool(true)
int(1)
bool(true)
bool(true)
bool(true)
bool(true)
int(1)
bool(true)
bool(true)
bool(true)
bool(true)
int(1)
bool(true)
bool(true)
bool(true)
bool(true)
int(1)
