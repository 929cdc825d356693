<?php

/**
 * The server of `make chaos`: echoes messages with a length in front after 0 to 20 ms (at once while `warming` is there), and keeps books of what it does,
 * which the audit compares with the client's.
 */

declare(strict_types=1);

$settings = json_decode((string) getenv('ROTOR_CHAOS'), true);
$directory = dirname((string) getenv('ROTOR_TMP'));
$book = null;

$server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
if ($certificates = getenv('CERTS')) {
    $server->listen('127.0.0.1', (int) getenv('ROTOR_TLS_PORT'), Rotor\Server::SOCK_TCP | Rotor\Server::SSL);
    $server->listen(getenv('ROTOR_TMP') . '/chaos.sock', 0, Rotor\Server::SOCK_UNIX_STREAM);
    $settings['server'] += ['ssl_cert_file' => "$certificates/server.crt", 'ssl_key_file' => "$certificates/server.key"];
}
$server->set($settings['server'] + [
    'worker_num' => 4,
    'reactor_num' => 2,
    'log_file' => getenv('ROTOR_LOG'),
    'request_slowlog_file' => "$directory/slow",
    'close_on_worker_error' => true,
    'open_length_check' => true,
    'package_length_type' => 'N',
    'package_body_offset' => 4,
    'package_max_length' => '2M',
]);

// What the weather wants of a process stands in a file when it signals. By default SIGURG does nothing, also at a process
// that has left PHP's handlers behind on its way out.
pcntl_async_signals(true);
pcntl_signal(SIGURG, function () use ($server, $directory): void {
    [$what, $id] = explode(' ', (string) file_get_contents("$directory/command")) + [1 => '-1'];
    $result = match ($what) {
        'reload' => @$server->reload(),
        'stop' => @$server->stop((int) $id),
        'stats' => $server->stats(),
    };
    note("did $what " . json_encode($result));
});

$server->on('managerStart', fn ($server) => note("manager $server->manager_pid"));
$server->on('workerStart', function ($server, int $id) use ($directory, &$book): void {
    $book = fopen("$directory/book." . getmypid(), 'ab');
    stream_set_write_buffer($book, 0);
    note("start $id");
    if (file_exists("$directory/failing")) {
        $count = fopen("$directory/starts", 'cb+');
        flock($count, LOCK_EX);
        fseek($count, 0, SEEK_END);
        $starts = ftell($count);
        fwrite($count, '.');
        fclose($count);
        if ($starts % 2 === 0) {
            note("fails $id");
            throw new RuntimeException('chaos: this start fails');
        }
    }
});
$server->on('workerError', fn ($server, $id, $pid, $code, $signal, $fd) => note("error $id $pid $code $signal $fd"));
$server->on('beforeReload', fn () => note('before ' . hrtime(true)));
$server->on('afterReload', fn ($server, bool $success) => note('after ' . hrtime(true) . ' ' . (int) $success));
$server->on('shutdown', fn ($server) => note('did stats ' . json_encode($server->stats())));
$server->on('receive', function ($server, int $fd, int $reactor, string $data) use (&$book, $settings, $directory): void {
    // Behind the length and a checksum.
    ['connection' => $connection, 'number' => $number] = unpack('Nconnection/Jnumber', $data, 8);
    fwrite($book, pack('aJJJ', 'T', $fd, $connection, $number));
    $share = crc32("$settings[seed] $connection $number") / 0xffffffff;
    clearstatcache();
    file_exists("$directory/warming") || usleep((int) (20_000 * $share ** 3));
    $sent = $server->send($fd, $data);
    fwrite($book, pack('aJJJ', $sent ? 'S' : 'F', $fd, $connection, $number));
});
$server->start();
