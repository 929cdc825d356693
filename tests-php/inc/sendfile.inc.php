<?php

declare(strict_types=1);

require_once __DIR__ . '/tls.inc.php';

/** Files of a test, in a folder that goes with it. */
final class TestFiles
{
    public readonly string $directory;

    public function __construct()
    {
        $this->directory = sys_get_temp_dir() . '/rotor-files-' . bin2hex(random_bytes(5));
        mkdir($this->directory);
        $directory = $this->directory;
        $owner = getmypid();
        register_shutdown_function(function () use ($directory, $owner): void {
            if (getmypid() === $owner) {
                exec('rm -r ' . escapeshellarg($directory));
            }
        });
    }

    public function path(string $name): string
    {
        return "$this->directory/$name";
    }

    /** Makes a file of as many bytes that are no others', and returns them. */
    public function make(string $name, int $size): string
    {
        $bytes = $size === 0 ? '' : random_bytes($size);
        file_put_contents($this->path($name), $bytes);
        return $bytes;
    }

    /** Has the kernel forget what it has of a file in memory. */
    public static function cool(string $path): void
    {
        exec('dd if=' . escapeshellarg($path) . ' iflag=nocache count=0 2>&1', $output, $code);
        $code === 0 || throw new RuntimeException(implode("\n", $output));
    }
}

/** How many descriptors a process has open. */
function descriptors(int $pid): int
{
    return count(scandir("/proc/$pid/fd")) - 2;
}

/**
 * Does as its clients say, a line of JSON each: a list of [method, arguments...] of the server, where "FD" is the client's
 * own session. What a method refuses is noted, with its code and its warning. Further steps: "pid" answers with the
 * worker's process number, "die" kills it, "sleep" takes as many seconds.
 */
const FILE_SERVER = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(json_decode(getenv('SETTINGS') ?: '{}', true) + [
        'worker_num' => 2, 'reactor_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'open_eof_split' => true, 'package_eof' => "\n",
    ]);
    if (getenv('CERTS')) {
        $server->listen(getenv('ROTOR_TMP') . '/socket', 0, Rotor\Server::SOCK_UNIX_STREAM);
        $tls = $server->listen('127.0.0.1', (int) getenv('TLS_PORT'), Rotor\Server::SOCK_TCP | Rotor\Server::SSL);
        $tls->set([
            'ssl_cert_file' => getenv('CERTS') . '/server.crt', 'ssl_key_file' => getenv('CERTS') . '/server.key',
            'open_eof_split' => true, 'package_eof' => "\n",
        ]);
    }
    function perform(Rotor\Server $server, int $fd, array $steps): void
    {
        foreach ($steps as [$method, $arguments]) {
            if ($method === 'die') {
                posix_kill(getmypid(), SIGKILL);
            } elseif ($method === 'sleep') {
                sleep($arguments[0]);
            } elseif ($method === 'pid') {
                $server->send($fd, getmypid() . "\n");
            } elseif ($method === 'info') {
                $server->send($fd, json_encode($server->getClientInfo($arguments[0])) . "\n");
            } else {
                $arguments = array_map(fn ($argument) => $argument === 'FD' ? $fd : $argument, $arguments);
                $warning = '';
                set_error_handler(function (int $level, string $message) use (&$warning): bool {
                    $warning = " $message";
                    return true;
                });
                $result = $server->$method(...$arguments);
                restore_error_handler();
                $result || note("$method {$server->getLastError()}$warning");
            }
        }
    }
    $server->on('receive', fn ($server, $fd, $reactor, $line) => perform($server, $fd, json_decode($line, true)));
    $server->on('bufferFull', fn ($server, $fd) => note("full $fd"));
    $server->on('bufferEmpty', fn ($server, $fd) => note("empty $fd"));
    $server->on('close', fn ($server, $fd, $reactor) => note("close $fd " . ($reactor < 0 ? 'by the server' : 'by the client')));
    $server->on('afterReload', fn ($server, $success) => note('reloaded ' . json_encode($success)));
    $server->start();
    PHP;

/** Steps for the server; each is a list of the method and its arguments. */
function steps(array ...$steps): string
{
    return json_encode(array_map(fn (array $step) => [$step[0], array_slice($step, 1)], $steps)) . "\n";
}
