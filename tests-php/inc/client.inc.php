<?php

declare(strict_types=1);

/**
 * A blocking client on one stream socket. Whatever takes longer than its patience throws, saying what had come by then.
 */
final class TestClient
{
    /** @var resource */
    public readonly mixed $stream;

    /** The same socket; null without the sockets extension. A stream does not tell a reset from an orderly end. */
    private ?Socket $socket = null;

    /** Read from the socket; asked for up to $taken. */
    private string $received = '';

    private int $taken = 0;

    /**
     * @param string $address as of stream_socket_client(), "tcp://127.0.0.1:9501"
     * @param string $from the address that the client has, "127.0.0.2"
     */
    public function __construct(string $address, private readonly float $patience = 60.0, ?string $from = null)
    {
        $options = ['tcp_nodelay' => true] + ($from === null ? [] : ['bindto' => "$from:0"]);
        $context = stream_context_create(['socket' => $options]);
        $stream = @stream_socket_client($address, $code, $message, $patience, STREAM_CLIENT_CONNECT, $context);
        if ($stream === false) {
            throw new RuntimeException("cannot connect to $address: $message");
        }
        stream_set_blocking($stream, false);
        stream_set_chunk_size($stream, 1 << 18);
        stream_set_read_buffer($stream, 0);
        $this->stream = $stream;
        if (extension_loaded('sockets')) {
            $this->socket = socket_import_stream($stream) ?: null;
        }
    }

    /** Writes all, then reads as many bytes ($expected: another number); reads while it writes, so that both fit any size. */
    public function exchange(string $bytes, ?int $expected = null): string
    {
        $wanted = $expected ?? strlen($bytes);
        $this->pump($bytes, fn (): bool => $this->unread() >= $wanted, "$wanted bytes");
        return $this->take($wanted);
    }

    public function write(string $bytes): void
    {
        $this->pump($bytes, fn (): bool => true, 'room to write');
    }

    /** Reads exactly as many bytes. */
    public function read(int $length): string
    {
        return $this->exchange('', $length);
    }

    /** Reads up to and without a terminator. */
    public function readLine(string $terminator = "\n"): string
    {
        $end = false;
        $this->pump('', function () use ($terminator, &$end): bool {
            $end = strpos($this->received, $terminator, $this->taken);
            return $end !== false;
        }, 'a line');
        $line = $this->take($end - $this->taken);
        $this->take(strlen($terminator));
        return $line;
    }

    /**
     * Reads until the server ends the connection; what came is returned, how it ended is set: 'closed' or 'reset'.
     * Only a test that has the sockets extension among its --EXTENSIONS-- can rely on 'reset'.
     */
    public function readToEnd(?string &$how = null): string
    {
        $how = $this->pump('', fn (): bool => false, 'the end of the connection', true);
        return $this->take($this->unread());
    }

    /** Whether nothing arrives for some time; for what must not come. */
    public function isSilent(float $seconds): bool
    {
        $read = [$this->stream];
        $none = null;
        return $this->unread() === 0
            && stream_select($read, $none, $none, (int) $seconds, (int) (fmod($seconds, 1) * 1e6)) === 0;
    }

    /** Says that nothing more will be written, as `shutdown(2)` does. */
    public function shutdownWrite(): void
    {
        stream_socket_shutdown($this->stream, STREAM_SHUT_WR);
    }

    public function close(): void
    {
        $this->socket = null;
        fclose($this->stream);
    }

    /** Ends the connection by RST, as a client does that crashes. Needs the sockets extension. */
    public function reset(): void
    {
        socket_set_option($this->socket, SOL_SOCKET, SO_LINGER, ['l_onoff' => 1, 'l_linger' => 0]);
        $this->close();
    }

    private function unread(): int
    {
        return strlen($this->received) - $this->taken;
    }

    private function take(int $length): string
    {
        $bytes = substr($this->received, $this->taken, $length);
        $this->taken += $length;
        if ($this->taken === strlen($this->received)) {
            $this->received = '';
            $this->taken = 0;
        }
        return $bytes;
    }

    /**
     * Writes all of $bytes and reads until $done.
     *
     * @return string|null how the connection ended, if $mayEnd
     */
    private function pump(string $bytes, callable $done, string $what, bool $mayEnd = false): ?string
    {
        $written = 0;
        $length = strlen($bytes);
        while ($written < $length || !$done()) {
            $read = [$this->stream];
            $write = $written < $length ? [$this->stream] : null;
            $none = null;
            if (!@stream_select($read, $write, $none, (int) $this->patience, (int) (fmod($this->patience, 1) * 1e6))) {
                throw new RuntimeException("waited $this->patience s for $what; " . $this->state($written, $length));
            }
            if ($write) {
                // Slices: what is given to fwrite() and not taken would be copied each time.
                $count = @fwrite($this->stream, substr($bytes, $written, 1 << 20));
                if ($count === false && !$mayEnd) {
                    throw new RuntimeException("the connection ended in a write; " . $this->state($written, $length));
                }
                $written += (int) $count;
            }
            if ($read) {
                $chunk = $this->receive($how);
                if ($chunk !== '') {
                    $this->received .= $chunk;
                } elseif ($how !== null) {
                    if ($mayEnd) {
                        return $how;
                    }
                    throw new RuntimeException("the connection was $how before $what came; " . $this->state($written, $length));
                }
            }
        }
        return null;
    }

    /** What can be read now; `$how` says how the connection has ended, if it has. */
    private function receive(?string &$how): string
    {
        $how = null;
        if ($this->socket === null) {
            $chunk = (string) @fread($this->stream, 1 << 18);
            $how = $chunk === '' && feof($this->stream) ? 'closed' : null;
            return $chunk;
        }
        $count = @socket_recv($this->socket, $chunk, 1 << 18, MSG_DONTWAIT);
        if ($count === 0) {
            $how = 'closed';
        } elseif ($count === false && socket_last_error($this->socket) !== SOCKET_EAGAIN) {
            $how = 'reset';
        }
        return (string) $chunk;
    }

    private function state(int $written, int $length): string
    {
        return "written $written of $length bytes, read {$this->unread()}: "
            . json_encode(substr($this->received, $this->taken, 60), JSON_INVALID_UTF8_SUBSTITUTE);
    }
}
