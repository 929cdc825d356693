<?php

/**
 * A server that speaks the protocol of Redis: strings in memory that may expire, for redis-cli, redis-benchmark and
 * every client library.
 *
 *     php -d extension=rotor examples/redis.php [port]
 *
 * It has one worker, since the data lives in it; a reload begins with none. The protocol is parsed here, from the bytes
 * as they arrive, to show how a connection keeps a state of its own.
 */

declare(strict_types=1);

/** What the client gets as an error reply; the connection goes on. */
final class CommandError extends Exception
{
}

/** What a client has sent is no request: nothing behind it can be understood. */
final class ProtocolError extends Exception
{
}

/** Cuts what one client sends into requests, however the network has split it. */
final class RequestParser
{
    private const MAX_WORDS = 1 << 20;
    private const MAX_LINE = 64 << 10;
    /** Redis allows 512M for one word; here a word has to fit into memory_limit a few times. */
    private const MAX_WORD = 16 << 20;

    private string $buffer = '';

    /** How much of the buffer is parsed. */
    private int $at = 0;

    /** @var list<string> the words of the request in hand */
    private array $words = [];

    /** How many words it still lacks. */
    private int $missing = 0;

    public function add(string $bytes): void
    {
        if ($this->at > 0) {
            $this->buffer = substr($this->buffer, $this->at);
            $this->at = 0;
        }
        $this->buffer .= $bytes;
    }

    /** @return list<string>|null the next request, a command and its arguments; null when it has not all come yet */
    public function next(): ?array
    {
        for (;;) {
            while ($this->missing > 0) {
                $word = $this->word();
                if ($word === null) {
                    return null;
                }
                $this->words[] = $word;
                $this->missing--;
            }
            if ($this->words !== []) {
                $words = $this->words;
                $this->words = [];
                return $words;
            }
            $line = $this->line();
            if ($line === null) {
                return null;
            }
            if (str_starts_with($line, '*')) {
                // An array of no words is no request; the next one follows.
                $this->missing = max(0, self::number($line, PHP_INT_MIN, self::MAX_WORDS, 'invalid multibulk length'));
            } else {
                // Words on a line, as a person types them.
                $this->words = preg_split('/\s+/', $line, flags: PREG_SPLIT_NO_EMPTY);
            }
        }
    }

    /** `$`, the length, a line end, so many bytes, a line end. */
    private function word(): ?string
    {
        $start = $this->at;
        $line = $this->line();
        if ($line === null) {
            return null;
        }
        if (!str_starts_with($line, '$')) {
            throw new ProtocolError("expected '$', got '" . substr($line, 0, 1) . "'");
        }
        $length = self::number($line, 0, self::MAX_WORD, 'invalid bulk length');
        if (strlen($this->buffer) < $this->at + $length + 2) {
            $this->at = $start;
            return null;
        }
        $word = substr($this->buffer, $this->at, $length);
        $this->at += $length + 2;
        return $word;
    }

    private function line(): ?string
    {
        $end = strpos($this->buffer, "\n", $this->at);
        if ($end === false) {
            if (strlen($this->buffer) - $this->at > self::MAX_LINE) {
                throw new ProtocolError('too big inline request');
            }
            return null;
        }
        $line = substr($this->buffer, $this->at, $end - $this->at);
        $this->at = $end + 1;
        return rtrim($line, "\r");
    }

    private static function number(string $line, int $least, int $most, string $complaint): int
    {
        $text = substr($line, 1);
        $number = (int) $text;
        if ((string) $number !== $text || $number < $least || $number > $most) {
            throw new ProtocolError($complaint);
        }
        return $number;
    }
}

/** The keys, and the commands on them: each takes the words of a request and gives the reply as it goes to the client. */
final class Store
{
    private const OK = "+OK\r\n";
    private const NOTHING = "$-1\r\n";
    private const SETTINGS = ['save' => '', 'appendonly' => 'no', 'maxmemory' => '0', 'databases' => '1'];

    /** @var array<string, string> */
    private array $values = [];

    /** @var array<string, int> when a key expires, in milliseconds since 1970; it goes when somebody looks for it then */
    private array $expiries = [];

    /** @param list<string> $words */
    public function run(array $words): string
    {
        $command = strtoupper($words[0]);
        try {
            return match ($command) {
                'GET' => self::bulk($this->get(...self::arguments($words, 1, 1))),
                'SET' => $this->set(...self::arguments($words, 2)),
                'MGET' => self::multi(array_map($this->get(...), self::arguments($words, 1))),
                'DEL' => self::integer(count(array_filter(self::arguments($words, 1), $this->delete(...)))),
                'EXISTS' => self::integer(count(array_filter(self::arguments($words, 1), fn ($key) => $this->get($key) !== null))),
                'INCR' => $this->increment(...self::arguments($words, 1, 1)),
                'EXPIRE' => $this->expire(...self::arguments($words, 2, 2)),
                'TTL' => $this->timeToLive(...self::arguments($words, 1, 1)),
                'PING' => ($message = self::arguments($words, 0, 1)) === [] ? "+PONG\r\n" : self::bulk($message[0]),
                'ECHO' => self::bulk(...self::arguments($words, 1, 1)),
                'SELECT' => self::arguments($words, 1, 1) === ['0'] ? self::OK : throw new CommandError('ERR DB index is out of range'),
                'QUIT' => self::OK,
                // What redis-cli and redis-benchmark ask before they begin.
                'COMMAND' => self::multi([]),
                'CONFIG' => self::config(...self::arguments($words, 1)),
                'HELLO' => self::hello(...self::arguments($words, 0)),
                default => throw new CommandError("ERR unknown command '" . self::printable($words[0]) . "'"),
            };
        } catch (CommandError $error) {
            return "-{$error->getMessage()}\r\n";
        }
    }

    private function get(string $key): ?string
    {
        if (isset($this->expiries[$key]) && $this->expiries[$key] <= self::now()) {
            $this->delete($key);
        }
        return $this->values[$key] ?? null;
    }

    private function set(string $key, string $value, string ...$options): string
    {
        $expiry = $condition = null;
        while ($options !== []) {
            $option = strtoupper(array_shift($options));
            if (($option === 'EX' || $option === 'PX') && $expiry === null && $options !== []) {
                $expiry = self::now() + self::duration(array_shift($options), $option === 'EX' ? 1000 : 1, 'set');
            } elseif (($option === 'NX' || $option === 'XX') && $condition === null) {
                $condition = $option;
            } else {
                throw new CommandError('ERR syntax error');
            }
        }
        if ($condition !== null && ($this->get($key) === null) !== ($condition === 'NX')) {
            return self::NOTHING;
        }
        $this->values[$key] = $value;
        unset($this->expiries[$key]);
        if ($expiry !== null) {
            $this->expiries[$key] = $expiry;
        }
        return self::OK;
    }

    private function delete(string $key): bool
    {
        $isThere = isset($this->values[$key]) && ($this->expiries[$key] ?? PHP_INT_MAX) > self::now();
        unset($this->values[$key], $this->expiries[$key]);
        return $isThere;
    }

    private function increment(string $key): string
    {
        $number = self::parse($this->get($key) ?? '0');
        if ($number === PHP_INT_MAX) {
            throw new CommandError('ERR increment or decrement would overflow');
        }
        // The expiry stays.
        $this->values[$key] = (string) ($number + 1);
        return self::integer($number + 1);
    }

    private function expire(string $key, string $seconds): string
    {
        if ($this->get($key) === null) {
            return self::integer(0);
        }
        if (self::parse($seconds) <= 0) {
            $this->delete($key);
        } else {
            $this->expiries[$key] = self::now() + self::duration($seconds, 1000, 'expire');
        }
        return self::integer(1);
    }

    private function timeToLive(string $key): string
    {
        if ($this->get($key) === null) {
            return self::integer(-2);
        }
        return self::integer(isset($this->expiries[$key]) ? intdiv($this->expiries[$key] - self::now() + 500, 1000) : -1);
    }

    private static function config(string $command, string ...$names): string
    {
        if (strtoupper($command) !== 'GET') {
            throw new CommandError("ERR unknown subcommand '" . self::printable($command) . "'");
        }
        $found = [];
        foreach ($names as $name) {
            if (isset(self::SETTINGS[$name])) {
                array_push($found, $name, self::SETTINGS[$name]);
            }
        }
        return self::multi($found);
    }

    private static function hello(string ...$options): string
    {
        if (($options[0] ?? '2') !== '2') {
            throw new CommandError('NOPROTO unsupported protocol version');
        }
        return self::multi(['server', 'rotor', 'proto', '2', 'mode', 'standalone', 'role', 'master']);
    }

    /**
     * @param list<string> $words
     * @return list<string> what follows the command
     */
    private static function arguments(array $words, int $least, int $most = PHP_INT_MAX): array
    {
        $command = array_shift($words);
        if (count($words) < $least || count($words) > $most) {
            throw new CommandError("ERR wrong number of arguments for '" . strtolower($command) . "' command");
        }
        return $words;
    }

    private static function parse(string $text): int
    {
        $number = (int) $text;
        if ((string) $number !== $text) {
            throw new CommandError('ERR value is not an integer or out of range');
        }
        return $number;
    }

    private static function duration(string $text, int $milliseconds, string $command): int
    {
        $number = self::parse($text);
        if ($number <= 0 || $number > intdiv(PHP_INT_MAX, 2 * $milliseconds)) {
            throw new CommandError("ERR invalid expire time in '$command' command");
        }
        return $number * $milliseconds;
    }

    private static function now(): int
    {
        return (int) (microtime(true) * 1000);
    }

    private static function printable(string $text): string
    {
        return preg_replace('/[^ -~]/', '.', substr($text, 0, 128));
    }

    private static function integer(int $number): string
    {
        return ":$number\r\n";
    }

    private static function bulk(?string $value): string
    {
        return $value === null ? self::NOTHING : '$' . strlen($value) . "\r\n$value\r\n";
    }

    /** @param list<string|null> $values */
    private static function multi(array $values): string
    {
        return '*' . count($values) . "\r\n" . implode(array_map(self::bulk(...), $values));
    }
}

$port = (int) ($argv[1] ?? 6379);
$server = new Rotor\Server('127.0.0.1', $port);
$server->set(['worker_num' => 1]);
$store = new Store();
/** @var array<int, RequestParser> $parsers by session */
$parsers = [];

$server->on('start', function () use ($port): void {
    echo "listening on port $port, Ctrl-C ends it\n";
});

$server->on('connect', function (Rotor\Server $server, int $fd) use (&$parsers): void {
    $parsers[$fd] = new RequestParser();
});

$server->on('receive', function (Rotor\Server $server, int $fd, int $reactorId, string $data) use (&$parsers, $store): void {
    $parser = $parsers[$fd] ?? null;
    if ($parser === null) {
        // A reload or a crash lies between: its data is gone, and perhaps half a request.
        $server->close($fd);
        return;
    }
    $parser->add($data);
    $replies = '';
    $isOver = false;
    try {
        while (!$isOver && ($words = $parser->next()) !== null) {
            $replies .= $store->run($words);
            $isOver = strtoupper($words[0]) === 'QUIT';
        }
    } catch (ProtocolError $error) {
        $replies .= "-ERR Protocol error: {$error->getMessage()}\r\n";
        $isOver = true;
    }
    // All requests that came together are answered together. A reply that is lost would shift those behind it.
    if ($replies !== '' && !$server->send($fd, $replies)) {
        $server->close($fd, true);
    } elseif ($isOver) {
        $server->close($fd);
    }
});

$server->on('close', function (Rotor\Server $server, int $fd) use (&$parsers): void {
    unset($parsers[$fd]);
});

$server->start();
