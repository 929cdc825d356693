<?php

declare(strict_types=1);

require_once __DIR__ . '/server.inc.php';

/**
 * Certificates, made by `openssl` in a folder that goes with the test.
 *
 *     $certificates = new TestCertificates();
 *     $certificates->authority('ca');
 *     $certificates->issue('server', 'ca', 'DNS:localhost');
 *     $server = TestServer::start($script, env: ['CERTS' => $certificates->directory]);
 */
final class TestCertificates
{
    public readonly string $directory;

    public function __construct()
    {
        $this->directory = sys_get_temp_dir() . '/rotor-certificates-' . bin2hex(random_bytes(5));
        mkdir($this->directory);
        $directory = $this->directory;
        $owner = getmypid();
        register_shutdown_function(function () use ($directory, $owner): void {
            if (getmypid() === $owner) {
                array_map('unlink', glob("$directory/*"));
                rmdir($directory);
            }
        });
    }

    /** Makes NAME.crt and NAME.key of an authority; of one between, if another is named. */
    public function authority(string $name, ?string $by = null): void
    {
        $this->make($name, $by, 'basicConstraints=critical,CA:TRUE');
    }

    /** Makes NAME.crt and NAME.key. */
    public function issue(string $name, string $by, string $hosts = 'DNS:localhost', string $for = 'serverAuth,clientAuth'): void
    {
        $this->make($name, $by, 'basicConstraints=CA:FALSE', "subjectAltName=$hosts", "extendedKeyUsage=$for");
    }

    /** Makes NAME.crt and NAME.key of whom nobody vouches for, as `openssl req -x509` does unless told otherwise. */
    public function selfSigned(string $name): void
    {
        $this->make($name, null, 'basicConstraints=critical,CA:TRUE');
    }

    public function path(string $file): string
    {
        return "$this->directory/$file";
    }

    private function make(string $name, ?string $by, string ...$extensions): void
    {
        $command = [
            'openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30',
            '-config', $this->path('empty.cnf'), '-subj', "/CN=$name", '-keyout', $this->path("$name.key"),
            '-out', $this->path("$name.crt"),
        ];
        file_put_contents($this->path('empty.cnf'), "[req]\ndistinguished_name = dn\n[dn]\n");
        if ($by !== null) {
            array_push($command, '-CA', $this->path("$by.crt"), '-CAkey', $this->path("$by.key"));
        }
        foreach ($extensions as $extension) {
            array_push($command, '-addext', $extension);
        }
        exec(implode(' ', array_map('escapeshellarg', $command)) . ' 2>&1', $output, $code);
        if ($code !== 0) {
            throw new RuntimeException("openssl cannot make $name: " . implode("\n", $output));
        }
    }
}

/** A blocking client with TLS. Whatever takes longer than its patience throws. */
final class TlsClient
{
    /** @var resource */
    public readonly mixed $stream;

    /**
     * @param array<string, mixed> $options as of the context option `ssl`; the server's certificate is not looked at unless asked
     * @param string $before what is sent before the handshake
     * @throws RuntimeException when there is no connection
     */
    public function __construct(int $port, array $options = [], string $before = '', string $host = '127.0.0.1')
    {
        $options += ['verify_peer' => false, 'verify_peer_name' => false, 'peer_name' => 'localhost'];
        $context = stream_context_create(['ssl' => $options, 'socket' => ['tcp_nodelay' => true]]);
        $stream = @stream_socket_client("tcp://$host:$port", $code, $message, 60, STREAM_CLIENT_CONNECT, $context);
        if ($stream === false) {
            throw new RuntimeException("cannot connect: $message");
        }
        stream_set_timeout($stream, 60);
        stream_set_read_buffer($stream, 0);
        if ($before !== '') {
            fwrite($stream, $before);
        }
        $method = $options['crypto_method'] ?? STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT | STREAM_CRYPTO_METHOD_TLSv1_3_CLIENT;
        if (@stream_socket_enable_crypto($stream, true, $method) !== true) {
            fclose($stream);
            throw new RuntimeException('no handshake: ' . (error_get_last()['message'] ?? ''));
        }
        $this->stream = $stream;
    }

    public function write(string $bytes): void
    {
        for ($written = 0; $written < strlen($bytes); $written += $count) {
            $count = @fwrite($this->stream, substr($bytes, $written, 1 << 18));
            if (!$count) {
                throw new RuntimeException("the connection ended in a write, $written bytes of " . strlen($bytes));
            }
        }
    }

    public function read(int $length): string
    {
        $bytes = '';
        while (strlen($bytes) < $length) {
            $chunk = @fread($this->stream, min(1 << 18, $length - strlen($bytes)));
            if ($chunk === false || $chunk === '') {
                $why = stream_get_meta_data($this->stream)['timed_out'] ? 'in time' : 'before the end';
                throw new RuntimeException("not $length bytes came $why, only " . strlen($bytes));
            }
            $bytes .= $chunk;
        }
        return $bytes;
    }

    public function exchange(string $bytes): string
    {
        $this->write($bytes);
        return $this->read(strlen($bytes));
    }

    public function readToEnd(): string
    {
        $bytes = '';
        while (!feof($this->stream)) {
            $bytes .= (string) @fread($this->stream, 1 << 18);
            if (stream_get_meta_data($this->stream)['timed_out']) {
                throw new RuntimeException('the end did not come in time, only ' . strlen($bytes) . ' bytes');
            }
        }
        return $bytes;
    }

    /** @return array{protocol: string, cipher_name: string, cipher_bits: int, cipher_version: string, alpn_protocol?: string} */
    public function crypto(): array
    {
        return stream_get_meta_data($this->stream)['crypto'];
    }

    /** The CN of the server's certificate; needs the option capture_peer_cert. */
    public function peer(): string
    {
        $certificate = stream_context_get_options($this->stream)['ssl']['peer_certificate'];
        return openssl_x509_parse($certificate)['subject']['CN'];
    }

    /** Says the end, in TLS too. */
    public function close(): void
    {
        fclose($this->stream);
    }
}

/** Runs `openssl s_client` or curl; what it prints, on both streams. */
function run_client(string ...$command): string
{
    exec(implode(' ', array_map('escapeshellarg', $command)) . ' 2>&1 </dev/null', $output);
    return implode("\n", $output);
}

/** Whether a connection is refused. */
function is_refused(callable $connect): bool
{
    try {
        // In version 1.3 the client has finished before it is refused.
        $connect()->exchange('x');
        return false;
    } catch (RuntimeException) {
        return true;
    }
}

/** Echoes; SETTINGS may have more, as JSON. */
const TLS_SERVER = <<<'PHP'
    $certs = getenv('CERTS');
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'), Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_TCP | Rotor\Server::SSL);
    $server->set(json_decode(str_replace('CERTS', $certs, getenv('SETTINGS') ?: '{}'), true) + [
        'worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'log_level' => 2,
        'ssl_cert_file' => "$certs/server.crt", 'ssl_key_file' => "$certs/server.key",
    ]);
    $server->on('connect', fn ($server, $fd) => note("connect $fd"));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === 'stats') {
            $data = json_encode(array_filter($server->stats(), fn ($name) => str_starts_with($name, 'ssl_'), ARRAY_FILTER_USE_KEY)) . "\n";
        } elseif ($data === 'info') {
            $data = json_encode(array_filter($server->getClientInfo($fd), fn ($name) => str_starts_with($name, 'ssl_'), ARRAY_FILTER_USE_KEY)) . "\n";
        }
        $server->send($fd, $data);
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("close $fd " . ($reactor < 0 ? 'by the server' : 'by the client')));
    $server->start();
    PHP;

/** Reads a line in JSON. */
function ask(TlsClient $client, string $question): array
{
    $client->write($question);
    return json_decode(fgets($client->stream), true);
}
