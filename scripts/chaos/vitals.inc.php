<?php

declare(strict_types=1);

/** What a server holds at rest: processes, descriptors, memory. It must not grow. */
final class Vitals
{
    /** Bytes by which the memory may differ: what allocators keep. */
    private const MEMORY_SLACK = 1 << 20;

    /**
     * What the segment has for lanes, of 256 KiB each: from 2 reactors to 4 workers, and back from both seats of each and
     * from the manager. The memory of a lane is there once it has been used up to its end, which takes long for one
     * between a worker and a reactor that its connections are at only while other workers are away.
     */
    private const LANES = (2 * 4 + (2 * 4 + 1) * 2) * 256 << 10;

    /** Seconds in which a server gives back the shared memory that it does not use any more. */
    private const GIVES_BACK = 4;

    /**
     * @param array<string, int> $descriptors of the master, of the manager, of the worker that has most
     * @param array<string, int> $memory proportional set sizes in bytes, without files: the segment, and what the master,
     *   the manager and the workers have beside it
     */
    private function __construct(
        public readonly int $processes,
        public readonly array $descriptors,
        public readonly array $memory,
    ) {
    }

    /** @param list<int> $workers */
    public static function of(int $master, int $manager, array $workers): self
    {
        $descriptors = fn (int $pid): int => count(scandir("/proc/$pid/fd") ?: []) - 2;
        $least = null;
        for ($end = microtime(true) + self::GIVES_BACK; microtime(true) < $end; usleep(200_000)) {
            $memory = self::memory(['master' => [$master], 'manager' => [$manager], 'workers' => $workers]);
            $least = $least === null || array_sum($memory) < array_sum($least) ? $memory : $least;
        }
        return new self(
            2 + count($workers),
            ['master' => $descriptors($master), 'manager' => $descriptors($manager), 'worker' => max(array_map($descriptors, $workers))],
            $least,
        );
    }

    /**
     * The share of processes in all that is not a file's: of a program's pages others that run it may have a part, who
     * come and go.
     *
     * @param array<string, list<int>> $processes
     * @return array<string, int>
     */
    private static function memory(array $processes): array
    {
        $sums = ['segment' => 0];
        foreach ($processes as $who => $pids) {
            $sums[$who] = 0;
            foreach ($pids as $pid) {
                $of = $who;
                foreach (file("/proc/$pid/smaps") ?: [] as $line) {
                    if (preg_match('/^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ *(.*)$/', $line, $match)) {
                        $isFile = str_starts_with($match[1], '/') && !str_ends_with($match[1], ' (deleted)');
                        $of = $isFile ? null : (str_contains($match[1], 'memfd:rotor') ? 'segment' : $who);
                    } elseif ($of !== null && sscanf($line, 'Pss: %d kB', $size) === 1) {
                        $sums[$of] += $size << 10;
                    }
                }
            }
        }
        return $sums;
    }

    /** @return list<string> what has grown since */
    public function grownSince(self $begin): array
    {
        $grown = [];
        if ($this->processes > $begin->processes) {
            $grown[] = "$begin->processes processes have become $this->processes";
        }
        foreach ($this->descriptors as $who => $count) {
            if ($count > $begin->descriptors[$who]) {
                $grown[] = "{$begin->descriptors[$who]} descriptors of the $who have become $count";
            }
        }
        $withLanes = array_sum($begin->memory) + max(0, self::LANES - $begin->memory['segment']);
        if (array_sum($this->memory) > 1.1 * $withLanes + self::MEMORY_SLACK) {
            $grown[] = "{$begin->inMiB()} have become {$this->inMiB()}";
        }
        return $grown;
    }

    private function inMiB(): string
    {
        $parts = array_map(fn (string $who, int $bytes): string => sprintf('%.1f %s', $bytes / (1 << 20), $who), array_keys($this->memory), $this->memory);
        return sprintf('%.1f MiB (%s)', array_sum($this->memory) / (1 << 20), implode(' + ', $parts));
    }

    public function __toString(): string
    {
        return sprintf(
            '%d processes, descriptors %s, PSS %s',
            $this->processes,
            implode(' + ', array_map(fn (string $who, int $count): string => "$count $who", array_keys($this->descriptors), $this->descriptors)),
            $this->inMiB(),
        );
    }
}
