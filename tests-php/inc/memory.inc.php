<?php

declare(strict_types=1);

require_once __DIR__ . '/server.inc.php';

/**
 * What all processes of a server have in memory, in bytes: the segment, and what is theirs alone. Not what is a file's:
 * of a program's pages others that run it may have a part, who come and go.
 */
function memory_of(TestServer $server): int
{
    $sum = 0;
    foreach (array_keys($server->processes()) as $pid) {
        preg_match_all('/^Pss_(?:Anon|Shmem):\s+(\d+) kB/m', (string) @file_get_contents("/proc/$pid/smaps_rollup"), $found);
        $sum += 1024 * array_sum($found[1]);
    }
    return $sum;
}

/** CPU time of all processes of a server that live, and of those that have been waited for. */
function cpu_seconds(TestServer $server): float
{
    $ticks = 0;
    foreach (array_keys($server->processes()) as $pid) {
        $stat = (string) @file_get_contents("/proc/$pid/stat");
        // Behind the name: user, system, and both of children.
        $ticks += array_sum(array_slice(explode(' ', substr($stat, strrpos($stat, ')') + 2)), 11, 4));
    }
    return $ticks / 100;
}
