<?php

declare(strict_types=1);

require_once __DIR__ . '/server.inc.php';

/** A script that tells each client who it is taken for, and its test of each connection. */
const WHO_SERVER = <<<'PHP'
    function who($server, int $fd): string
    {
        $info = $server->getClientInfo($fd);
        $proxy = isset($info['proxy_ip']) ? " by $info[proxy_ip]" . ($info['proxy_port'] > 0 ? ':PORT' : '') : '';
        return "$info[remote_ip]:$info[remote_port]$proxy";
    }
    $server = new Rotor\Server(getenv('ROTOR_HOST') ?: '127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'open_eof_split' => true, 'package_eof' => "\n",
        'open_proxy_protocol' => true, 'proxy_trusted' => explode(' ', getenv('ROTOR_TRUSTED') ?: '127.0.0.0/8'),
    ]);
    $server->on('connect', fn ($server, $fd) => note('connect ' . who($server, $fd)));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, match ($data) {
        "stats\n" => json_encode($server->stats()) . "\n",
        "connections\n" => json_encode(iterator_to_array($server->connections)) . "\n",
        "exists\n" => json_encode(array_map(fn ($id) => [
            $server->exists($id), $server->getClientInfo($id), @$server->send($id, 'early'), @$server->close($id),
        ], range(1, $fd - 1))) . "\n",
        default => who($server, $fd) . ": $data",
    }));
    $server->on('close', fn ($server, $fd) => note('close ' . who($server, $fd)));
    $server->start();
    PHP;

/** A header of version 2. */
function proxy_header(int $command, int $family, string $rest): string
{
    return "\r\n\r\n\0\r\nQUIT\n" . chr(0x20 | $command) . chr($family) . pack('n', strlen($rest)) . $rest;
}

/** The addresses of a header of version 2, the client's first. */
function proxy_addresses(string $client, int $port): string
{
    $ip = inet_pton($client);
    return $ip . str_repeat("\1", strlen($ip)) . pack('nn', $port, 80);
}

/** A program that stands in front of a server, with a configuration, until it is stopped or the test ends. */
final class Proxy
{
    /** @var resource */
    private $process;

    public readonly string $directory;

    /**
     * @param list<string> $command CONFIG in it stands for the file with the configuration
     * @param string $config DIR in it stands for a directory of its own
     * @param int $port what it listens on once it is ready
     */
    public function __construct(array $command, string $config, private readonly int $port)
    {
        $this->directory = sys_get_temp_dir() . '/rotor-proxy-' . getmypid() . "-$port";
        mkdir($this->directory);
        file_put_contents("$this->directory/config", str_replace('DIR', $this->directory, $config));
        $log = ['file', "$this->directory/output", 'a'];
        $command = str_replace('CONFIG', "$this->directory/config", $command);
        $this->process = proc_open($command, [['file', '/dev/null', 'r'], $log, $log], $pipes);
        register_shutdown_function($this->stop(...));
        $end = microtime(true) + TestServer::PATIENCE;
        while (!$this->listens()) {
            if (!proc_get_status($this->process)['running'] || microtime(true) > $end) {
                throw new RuntimeException("$command[0] is not ready: " . file_get_contents("$this->directory/output"));
            }
            usleep(5_000);
        }
    }

    public function stop(): void
    {
        if (!is_dir($this->directory)) {
            return;
        }
        proc_terminate($this->process);
        proc_close($this->process);
        foreach (glob("$this->directory/{,*/}*", GLOB_BRACE) as $path) {
            is_dir($path) ? null : unlink($path);
        }
        array_map(rmdir(...), [...glob("$this->directory/*", GLOB_ONLYDIR), $this->directory]);
    }

    private function listens(): bool
    {
        return TestServer::listensOn($this->port);
    }
}
