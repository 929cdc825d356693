<?php

declare(strict_types=1);

/**
 * The command that makes a PID namespace with a /proc of its own.
 *
 * @param string|null $why why there is none
 * @return list<string>|null
 */
function container_command(?string &$why = null): ?array
{
    $command = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
    // Without privileges a user namespace may give them.
    foreach ([$command, [...$command, '--map-root-user']] as $command) {
        exec(implode(' ', $command) . ' true 2>&1', $output, $exit);
        if ($exit === 0) {
            return $command;
        }
    }
    $why = 'a PID namespace cannot be made here: ' . implode(' ', $output);
    return null;
}

/**
 * Starts a server whose master is the first process of a PID namespace.
 *
 * @return array{TestServer, int} the server, which is the command that has made the namespace and passes the exit
 *                                code on, and the master's pid as it is outside
 */
function start_in_container(string $script): array
{
    $server = TestServer::start($script, prefix: container_command());
    $master = (int) file_get_contents("/proc/$server->pid/task/$server->pid/children");
    return [$server, $master];
}
