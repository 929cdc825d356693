<?php

/**
 * The echo that the bench measures.
 *
 *     php -d extension=target/release/librotor.so benches/echo.php --port=9501
 *         [--framing=length] [--affinity] [--connect-close] [--tls]
 */

declare(strict_types=1);

$options = getopt('', ['port:', 'framing:', 'affinity', 'connect-close', 'tls']);

$type = Rotor\Server::SOCK_TCP | (isset($options['tls']) ? Rotor\Server::SSL : 0);
$server = new Rotor\Server('127.0.0.1', (int) ($options['port'] ?? 9501), Rotor\Server::MODE_PROCESS, $type);

$settings = [
    'worker_num' => 2,
    'reactor_num' => 2,
    'open_cpu_affinity' => isset($options['affinity']),
    'package_max_length' => 8 * 1024 * 1024,
    'log_level' => Rotor\Server::LOG_WARNING,
];
if (($options['framing'] ?? 'raw') === 'length') {
    $settings += [
        'open_length_check' => true,
        'package_length_type' => 'N',
        'package_length_offset' => 0,
        'package_body_offset' => 4,
    ];
}
if (isset($options['tls'])) {
    $settings += ['ssl_cert_file' => __DIR__ . '/tls/server.crt', 'ssl_key_file' => __DIR__ . '/tls/server.key'];
}
$server->set($settings);

if (isset($options['connect-close'])) {
    $server->on('connect', function (Rotor\Server $server, int $fd, int $reactorId): void {
    });
    $server->on('close', function (Rotor\Server $server, int $fd, int $reactorId): void {
    });
}

$server->on('receive', function (Rotor\Server $server, int $fd, int $reactorId, string $data): void {
    $server->send($fd, $data);
});

$server->start();
