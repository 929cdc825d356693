<?php

declare(strict_types=1);

/**
 * What rains down on a server: reloads, deaths and pauses. All of it follows from mt_srand(): which event, when, and
 * whom it hits as a number (of a slot, or of a place among the living processes).
 */
final class Weather
{
    /** Seconds from one event to the next, on average. */
    private const BETWEEN = 0.15;

    /** How often each kind comes, in parts of a hundred. */
    private const KINDS = [
        'SIGUSR1 to the master' => 10,
        'SIGUSR1 to the manager' => 6,
        'reload()' => 9,
        'stop(id)' => 12,
        'SIGTERM to a worker' => 10,
        'SIGKILL of a worker' => 16,
        'SIGSEGV of a worker' => 9,
        'pause of a worker' => 16,
        'pause of the manager' => 6,
        'pause of the master' => 6,
    ];

    /** @var array<string, int> how many there were of each kind */
    public array $counts = [];

    /** @var list<array{float, int}> when which process goes on */
    private array $paused = [];

    /** @param int $manager pid of the server's manager */
    public function __construct(private readonly TestServer $server, private readonly int $manager)
    {
        $this->counts = array_fill_keys(array_keys(self::KINDS), 0);
    }

    /**
     * The events of some seconds, drawn before any of them happens, so that none depends on what the machine does.
     *
     * @return list<array{at: float, kind: string, whom: int, pause: float}>
     */
    public static function draw(float $seconds): array
    {
        $events = [];
        for ($at = self::exponential(); $at < $seconds; $at += self::exponential()) {
            $events[] = [
                'at' => $at,
                'kind' => self::kind(mt_rand(1, array_sum(self::KINDS))),
                'whom' => mt_rand(0, 1 << 20),
                'pause' => mt_rand(1, 500) / 1000,
            ];
        }
        return $events;
    }

    /**
     * Lets it rain; returns when the last event has happened and nobody is paused any more.
     *
     * @param list<array{at: float, kind: string, whom: int, pause: float}> $events
     */
    public function rain(array $events): void
    {
        $since = microtime(true);
        while ($events !== [] || $this->paused !== []) {
            $due = array_map(fn (array $paused): float => $paused[0], $this->paused);
            if ($events !== []) {
                $due[] = $since + $events[0]['at'];
            }
            $wait = min($due) - microtime(true);
            if ($wait > 0) {
                usleep((int) ($wait * 1e6) + 1);
                continue;
            }
            foreach ($this->paused as $place => [$at, $pid]) {
                if ($at <= microtime(true)) {
                    posix_kill($pid, SIGCONT);
                    unset($this->paused[$place]);
                }
            }
            $this->paused = array_values($this->paused);
            if ($events !== [] && $since + $events[0]['at'] <= microtime(true)) {
                $this->let(array_shift($events));
            }
        }
    }

    /** Has a process of the server run `reload`, `stop <id>` or `stats`; it says the result as a note. */
    public function command(string $command, int $pid): void
    {
        $file = dirname($this->server->tmp) . '/command';
        file_put_contents("$file.new", $command);
        rename("$file.new", $file);
        posix_kill($pid, SIGURG);
    }

    /** @return list<int> the manager's children: workers, also those that start or leave */
    public function workers(): array
    {
        $pids = preg_split('/\s+/', (string) @file_get_contents("/proc/$this->manager/task/$this->manager/children"), -1, PREG_SPLIT_NO_EMPTY);
        $pids = array_map(intval(...), $pids);
        sort($pids);
        return $pids;
    }

    /** @param array{at: float, kind: string, whom: int, pause: float} $event */
    private function let(array $event): void
    {
        ['kind' => $kind, 'whom' => $whom, 'pause' => $pause] = $event;
        $workers = $this->workers();
        if ($workers === []) {
            return; // All are dead at the moment.
        }
        $worker = $workers[$whom % count($workers)];
        $anybody = [$this->server->pid, $this->manager, ...$workers][$whom % (2 + count($workers))];
        match ($kind) {
            'SIGUSR1 to the master' => posix_kill($this->server->pid, SIGUSR1),
            'SIGUSR1 to the manager' => posix_kill($this->manager, SIGUSR1),
            'reload()' => $this->command('reload', $anybody),
            'stop(id)' => $this->command('stop ' . $whom % 4, $anybody),
            'SIGTERM to a worker' => posix_kill($worker, SIGTERM),
            'SIGKILL of a worker' => posix_kill($worker, SIGKILL),
            'SIGSEGV of a worker' => posix_kill($worker, SIGSEGV),
            'pause of a worker' => $this->pause($worker, $pause),
            'pause of the manager' => $this->pause($this->manager, $pause),
            'pause of the master' => $this->pause($this->server->pid, $pause),
        };
        $this->counts[$kind]++;
    }

    private function pause(int $pid, float $seconds): void
    {
        posix_kill($pid, SIGSTOP);
        $this->paused[] = [microtime(true) + $seconds, $pid];
    }

    private static function exponential(): float
    {
        return -self::BETWEEN * log(mt_rand(1, 1 << 20) / (1 << 20));
    }

    private static function kind(int $draw): string
    {
        foreach (self::KINDS as $kind => $parts) {
            $draw -= $parts;
            if ($draw <= 0) {
                return $kind;
            }
        }
        throw new LogicException('the draw is larger than the sum of all parts');
    }
}
