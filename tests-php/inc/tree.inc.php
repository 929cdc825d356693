<?php

declare(strict_types=1);

/**
 * The processes that come from one server script, wherever they are now: found in /proc, not by parents, which a
 * daemon or an orphan has lost.
 *
 * A process belongs to it when its environment has the token, or when it works in the directory or holds a file there
 * open. The environment alone is not enough: a process title is written over it.
 */
final class ProcessTree
{
    public readonly string $token;

    public function __construct(private readonly string $directory)
    {
        $this->token = basename($directory);
    }

    /** @return array<int, string> pid => title or command line */
    public function processes(): array
    {
        $found = [];
        foreach (glob('/proc/[0-9]*', GLOB_ONLYDIR | GLOB_NOSORT) ?: [] as $entry) {
            $pid = (int) basename($entry);
            if ($pid !== getmypid() && $this->owns($entry)) {
                $found[$pid] = trim(str_replace("\0", ' ', (string) @file_get_contents("$entry/cmdline")));
            }
        }
        ksort($found);
        return $found;
    }

    /** Kills what is left, until nothing is: a process may fork while it is looked for. */
    public function kill(): void
    {
        while (($left = array_keys($this->processes())) !== []) {
            foreach ($left as $pid) {
                posix_kill($pid, SIGKILL);
            }
            usleep(2_000);
        }
    }

    private function owns(string $entry): bool
    {
        if (str_contains((string) @file_get_contents("$entry/environ"), "ROTOR_TEST=$this->token\0")) {
            return true;
        }
        foreach (["$entry/cwd", ...(@glob("$entry/fd/*", GLOB_NOSORT) ?: [])] as $link) {
            if (str_starts_with((string) @readlink($link), $this->directory . '/')) {
                return true;
            }
        }
        return false;
    }
}
