<?php

declare(strict_types=1);

/** What a server holds at rest: processes, descriptors, memory. It must not grow. */
final class Vitals
{
    /** Bytes by which the memory may differ: what allocators keep. */
    private const MEMORY_SLACK = 1 << 20;

    /** Seconds in which a server gives back the shared memory that it does not use any more. */
    private const GIVES_BACK = 4;

    /**
     * @param array<string, int> $descriptors of the master, of the manager, of the worker that has most
     * @param int $memory proportional set sizes of all, in bytes, without files
     */
    private function __construct(
        public readonly int $processes,
        public readonly array $descriptors,
        public readonly int $memory,
    ) {
    }

    /** @param list<int> $workers */
    public static function of(int $master, int $manager, array $workers): self
    {
        $descriptors = fn (int $pid): int => count(scandir("/proc/$pid/fd") ?: []) - 2;
        $least = PHP_INT_MAX;
        for ($end = microtime(true) + self::GIVES_BACK; microtime(true) < $end; usleep(200_000)) {
            $least = min($least, array_sum(array_map(self::memory(...), [$master, $manager, ...$workers])));
        }
        return new self(
            2 + count($workers),
            ['master' => $descriptors($master), 'manager' => $descriptors($manager), 'worker' => max(array_map($descriptors, $workers))],
            $least,
        );
    }

    /**
     * The share of a process in all that is not a file's: of a program's pages others that run it may have a part, who
     * come and go.
     */
    private static function memory(int $pid): int
    {
        $sum = 0;
        $isFile = false;
        foreach (file("/proc/$pid/smaps") ?: [] as $line) {
            if (preg_match('/^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ *(.*)$/', $line, $match)) {
                $isFile = str_starts_with($match[1], '/') && !str_ends_with($match[1], ' (deleted)');
            } elseif (!$isFile && sscanf($line, 'Pss: %d kB', $size) === 1) {
                $sum += $size << 10;
            }
        }
        return $sum;
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
        if ($this->memory > 1.1 * $begin->memory + self::MEMORY_SLACK) {
            $grown[] = sprintf('%.1f MiB have become %.1f MiB', $begin->memory / (1 << 20), $this->memory / (1 << 20));
        }
        return $grown;
    }

    public function __toString(): string
    {
        return sprintf(
            '%d processes, descriptors %s, PSS %.1f MiB',
            $this->processes,
            implode(' + ', array_map(fn (string $who, int $count): string => "$count $who", array_keys($this->descriptors), $this->descriptors)),
            $this->memory / (1 << 20),
        );
    }
}
