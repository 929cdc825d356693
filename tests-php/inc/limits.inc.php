<?php

declare(strict_types=1);

require_once __DIR__ . '/server.inc.php';

/** A script whose settings come by LIMITS (JSON), which answers a line by it, `stats` by what it has refused, and `count` by its connections. */
const LIMITED_SERVER = <<<'PHP'
    $server = new Rotor\Server(getenv('ROTOR_HOST') ?: '127.0.0.1', (int) getenv('ROTOR_PORT'), Rotor\Server::MODE_PROCESS,
        getenv('ROTOR_HOST') ? Rotor\Server::SOCK_TCP6 : Rotor\Server::SOCK_TCP);
    $server->set(json_decode(getenv('LIMITS'), true) + [
        'worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'open_eof_split' => true, 'package_eof' => "\n",
    ]);
    $free = $server->listen(getenv('ROTOR_TMP') . '/socket', 0, Rotor\Server::SOCK_UNIX_STREAM);
    $server->on('connect', fn ($server, $fd) => note("connect $fd"));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, match ($data) {
        "stats\n" => json_encode(array_filter(
            $server->stats(),
            fn ($key) => str_starts_with($key, 'refused_') && $key !== 'refused_messages' || $key === 'abort_count' || $key === 'accept_holds',
            ARRAY_FILTER_USE_KEY,
        )) . "\n",
        "count\n" => count($server->connections) . "\n",
        default => $data,
    }));
    $server->start();
    PHP;

/** Whether a connection is served; one that is refused is reset. */
function is_served(string $address, ?string $from = null, string $first = ''): bool
{
    return served($address, $from, $first) !== null;
}

/** A client that is served; null when it is refused. */
function served(string $address, ?string $from = null, string $first = ''): ?TestClient
{
    try {
        $client = new TestClient($address, from: $from);
        $client->write("{$first}hello\n");
        return $client->readLine() === 'hello' ? $client : null;
    } catch (RuntimeException $exception) {
        if (preg_match('/was (reset|closed)|ended in a write|reset by peer|refused/', $exception->getMessage())) {
            return null;
        }
        throw $exception;
    }
}

/** What the server has refused, but for what is 0. */
function refusals(TestClient $client): string
{
    $client->write("stats\n");
    return json_encode(array_filter(json_decode($client->readLine(), true)));
}
