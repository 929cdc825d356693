<?php

declare(strict_types=1);

/**
 * A server without Rotor, to try the helper itself: echoes to one client at a time, until SIGTERM.
 *
 * @return string a script for TestServer::start(); $first runs before it listens, $last after SIGTERM
 */
function plain_server(string $first = '', string $last = ''): string
{
    return <<<PHP
        pcntl_async_signals(true);
        \$stopping = false;
        pcntl_signal(SIGTERM, function () use (&\$stopping) { \$stopping = true; }, false);
        $first
        \$listening = stream_socket_server('tcp://127.0.0.1:' . getenv('ROTOR_PORT'));
        while (!\$stopping) {
            \$read = [\$listening];
            \$none = null;
            // Not for ever: the signal may come just before the wait.
            if (!@stream_select(\$read, \$none, \$none, 0, 100_000)) {
                continue;
            }
            \$client = stream_socket_accept(\$listening);
            note('accepted');
            while ((\$bytes = fread(\$client, 65536)) !== false && \$bytes !== '') {
                fwrite(\$client, \$bytes);
            }
            fclose(\$client);
        }
        $last
        PHP;
}
