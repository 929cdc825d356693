<?php

declare(strict_types=1);

/**
 * A part of a run: one server, with a dispatch mode, and rounds on it. A round is load and weather, then calm, in which a
 * reload must succeed and the books are compared.
 */
final class Part
{
    /** How clients reach the server. */
    public const WAYS = ['tcp', 'tls', 'unix'];

    /** Modes in which all messages of a connection go to one worker. */
    private const ORDERED = [2];

    public readonly Weather $weather;

    public readonly Audit $audit;

    /** What the server said last of itself. @var array<string, int> */
    public array $stats = [];

    private readonly TestServer $server;

    private readonly int $manager;

    private readonly int $secured;

    /** @var list<string> of the ledger */
    private readonly array $order;

    /** @param array<string, scalar> $settings of the server */
    public function __construct(public readonly int $mode, array $settings, int $seed, TestCertificates $certificates)
    {
        $this->secured = TestServer::freePort();
        $server = $this->server = TestServer::start(
            __DIR__ . '/server.php',
            env: [
                'CERTS' => $certificates->directory,
                'ROTOR_TLS_PORT' => (string) $this->secured,
                'ROTOR_CHAOS' => json_encode(['seed' => $seed, 'server' => ['dispatch_mode' => $mode] + $settings]),
            ],
            prefix: ['sh', '-c', 'ulimit -c 0; exec "$@"', 'sh'],
        );
        foreach ([
            '/killed by SIG(KILL|SEGV)|killed: request_timeout is over|pid=\d+: #\d+ /',
            '/crashed: SIGSEGV|its build: /',
            '/respawning worker=|the server is degraded/',
            '/the old process serves on|the reload has failed/',
            '/chaos: this start fails|onWorkerStart threw|before it was ready/',
        ] as $pattern) {
            $server->allowLog($pattern);
        }
        $this->manager = (int) substr($server->waitFor(fn () => current(preg_grep('/^manager/', $server->notes())), 'the manager'), 8);
        $this->weather = new Weather($server, $this->manager);
        $isOrdered = in_array($mode, self::ORDERED, true);
        $this->audit = new Audit($server, $isOrdered);
        $this->order = $isOrdered ? [] : ['--unordered'];
    }

    /**
     * The memory of a lane is there once it has been used up to its end: each lane of both seats is, before anything counts;
     * and so is what each way needs.
     *
     * @return list<string> what must not be
     */
    public function warmUp(): array
    {
        $problems = [];
        foreach (self::WAYS as $way) {
            touch("{$this->directory()}/warming");
            $report = $this->load($way, '--messages', '3000', '--size', '20-12K')->finish();
            unlink("{$this->directory()}/warming");
            array_push($problems, ...$this->settle(), ...$this->audit->round($report, false, $this->stats));
        }
        return $problems;
    }

    /**
     * @param list<array{at: float, kind: string, whom: int, pause: float}> $events
     * @return array{array<string, mixed>, list<string>} the ledger's report, and what must not be
     */
    public function round(string $way, float $seconds, array $events, bool $isFailing): array
    {
        $failing = "{$this->directory()}/failing";
        $isFailing && touch($failing);
        $ledger = $this->load(
            $way,
            ...['--mode', 'open', '--rate', '300', '--seconds', (string) $seconds, '--reconnect'],
            ...['--size', '20-4K', '--large', '1M/50', '--late-ms', '1000'],
            // Which connections may end is the audit's to say.
            ...['--allow-resets', '1000000000'],
        );
        $this->weather->rain($events);
        $isFailing && unlink($failing);
        $report = $ledger->finish();
        return [$report, [...$this->settle(), ...$this->audit->round($report, $isFailing, $this->stats)]];
    }

    public function vitals(): Vitals
    {
        return Vitals::of($this->server->pid, $this->manager, $this->weather->workers());
    }

    public function end(): void
    {
        $this->readStats();
        $this->server->stop();
    }

    private function load(string $way, string ...$options): Ledger
    {
        $target = match ($way) {
            'tcp' => ['--port', (string) $this->server->port],
            'tls' => ['--port', (string) $this->secured, '--tls'],
            'unix' => ['--unix', "{$this->server->tmp}/chaos.sock"],
        };
        $common = ['--framing', 'length', '--connections', '48', '--seed', (string) mt_rand()];
        return Ledger::start($this->server, ...$target, ...$common, ...$this->order, ...$options);
    }

    /**
     * Waits until nothing is under way, and reloads once more: that must succeed.
     *
     * @return list<string> what must not be
     */
    private function settle(): array
    {
        $problems = [];
        try {
            $this->server->waitFor($this->isCalm(...), 'calm');
            $count = $this->told('after');
            $this->server->signal(SIGUSR1);
            $this->server->waitFor(fn (): bool => $this->told('after') > $count, 'the reload in the calm');
            $notes = preg_grep('/^after/', $this->server->notes());
            if (!str_ends_with(end($notes), ' 1')) {
                $problems[] = 'the reload in the calm has failed';
            }
            $this->server->waitFor($this->isCalm(...), 'calm');
        } catch (RuntimeException $exception) {
            throw new RuntimeException($exception->getMessage() . "\nstats: " . json_encode($this->stats), 0, $exception);
        }
        return $problems;
    }

    private function isCalm(): bool
    {
        $now = $this->readStats();
        return count($this->weather->workers()) === 4 && $this->told('before') === $this->told('after')
            && [$now['slots_backing_off'], $now['idle_worker_num'], $now['connection_num'], $now['blocks_in_use']] === [0, 4, 0, 0];
    }

    /** @return array<string, int> */
    private function readStats(): array
    {
        $count = $this->told('did stats');
        $this->weather->command('stats', $this->server->pid);
        $this->server->waitFor(fn (): bool => $this->told('did stats') > $count, 'the stats');
        $notes = preg_grep('/^did stats/', $this->server->notes());
        return $this->stats = json_decode(substr(end($notes), 10), true);
    }

    private function told(string $what): int
    {
        return count(preg_grep("/^$what/", $this->server->notes()));
    }

    private function directory(): string
    {
        return dirname($this->server->tmp);
    }
}
