<?php

/**
 * A chat for terminals: what somebody types goes to everybody, whichever worker they are connected to.
 *
 *     php -d extension=rotor examples/chat.php [port]
 *     nc 127.0.0.1 9502
 */

declare(strict_types=1);

$port = (int) ($argv[1] ?? 9502);
$server = new Rotor\Server('0.0.0.0', $port);

$server->set([
    // Clients are spread over the workers; here that makes no difference to them.
    'worker_num' => 2,
    // One callback for each line. A line that does not end is no reason to keep it all.
    'open_eof_split' => true,
    'package_eof' => "\n",
    'package_max_length' => 4096,
]);

$everybody = function (string $line) use ($server): void {
    foreach ($server->connections as $fd) {
        // Who reads so slowly that socket_buffer_size is reached would miss lines without knowing it: better they reconnect.
        if (!$server->send($fd, "$line\n") && $server->getLastError() === 1009) {
            $server->close($fd, true);
        }
    }
};

$server->on('start', function () use ($port): void {
    echo "listening on port $port, Ctrl-C ends it\n";
});

$server->on('connect', function (Rotor\Server $server, int $fd) use ($everybody): void {
    $everybody("* $fd is here");
});

$server->on('receive', function (Rotor\Server $server, int $fd, int $reactorId, string $data) use ($everybody): void {
    $everybody("$fd: " . rtrim($data, "\r\n"));
});

$server->on('close', function (Rotor\Server $server, int $fd) use ($everybody): void {
    $everybody("* $fd has left");
});

$server->start();
