<?php

declare(strict_types=1);

require_once __DIR__ . '/server.inc.php';

/** Sockets that are open before a server begins, and stay so when it has ended: what systemd does for a `.socket` unit. */
final class PassedSockets
{
    /** @var list<resource> */
    private array $sockets = [];

    private int $first;

    /** @param string ...$addresses of stream_socket_server(); those that begin with "udp:" or "udg:" do not listen */
    public function __construct(string ...$addresses)
    {
        // Without gaps below, the descriptors are consecutive.
        $before = self::numbers();
        $fill = array_map(fn () => fopen('/dev/null', 'r'), array_diff(range(0, max($before)), $before));
        foreach ($addresses as $address) {
            $flags = preg_match('/^ud[pg]:/', $address) ? STREAM_SERVER_BIND : STREAM_SERVER_BIND | STREAM_SERVER_LISTEN;
            $socket = stream_socket_server($address, $code, $message, $flags);
            $this->sockets[] = $socket ?: throw new RuntimeException("$address: $message");
        }
        array_map(fclose(...), $fill);
        $this->first = max($before) + 1;
        if (self::numbers() !== [...$before, ...array_keys(array_fill($this->first, count($addresses), true))]) {
            throw new RuntimeException('the descriptors are not consecutive: ' . implode(' ', self::numbers()));
        }
    }

    /** The name of a socket, as "127.0.0.1:4711". */
    public function name(int $place): string
    {
        return stream_socket_get_name($this->sockets[$place], false);
    }

    /** @return array<string, string> the environment; without LISTEN_PID, which the prefix adds */
    public function env(): array
    {
        // systemd's own begin at 3, which the tests need for themselves.
        return ['LISTEN_FDS' => (string) count($this->sockets), 'LISTEN_FDS_START' => (string) $this->first, 'LISTEN_FDNAMES' => 'a:b'];
    }

    /** @return list<string> a command that runs another one with LISTEN_PID as its process number */
    public static function prefix(): array
    {
        return ['sh', '-c', 'LISTEN_PID=$$ exec "$@"', 'sh'];
    }

    /** @return list<int> the descriptors of this process, but for the one that looks */
    public static function numbers(): array
    {
        $numbers = array_map(intval(...), array_filter(scandir('/proc/self/fd'), fn ($name) => @readlink("/proc/self/fd/$name") !== false));
        sort($numbers);
        return $numbers;
    }
}
