<?php

/**
 * Sends back what it gets.
 *
 *     php -d extension=rotor examples/echo.php [port]
 */

declare(strict_types=1);

$port = (int) ($argv[1] ?? 9501);
$server = new Rotor\Server('0.0.0.0', $port);

$server->on('start', function (Rotor\Server $server) use ($port): void {
    echo "listening on port $port, Ctrl-C ends it\n";
});

$server->on('receive', function (Rotor\Server $server, int $fd, int $reactorId, string $data): void {
    $server->send($fd, $data);
});

$server->start();
