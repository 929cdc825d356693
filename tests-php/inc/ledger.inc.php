<?php

declare(strict_types=1);

/**
 * The verifying client, as a process beside the test. Every request that it sends is checked when it comes back: lost,
 * doubled, reordered, crossed, corrupt.
 *
 *     $report = Ledger::run($server, '--connections', '50', '--messages', '10000', '--framing', 'length');
 *
 * What it objects to is printed, and so the test fails. `ledger --help` explains the options.
 */
final class Ledger
{
    /** @var resource */
    private $process;

    /** @var array<int, resource> */
    private array $pipes = [];

    public static function start(TestServer $server, string ...$options): self
    {
        return new self($server, $options);
    }

    /** @return array<string, mixed> its report */
    public static function run(TestServer $server, string ...$options): array
    {
        return self::start($server, ...$options)->finish();
    }

    /** Waits for its end. It gives up by itself when nothing moves any more. @return array<string, mixed> its report */
    public function finish(): array
    {
        $output = stream_get_contents($this->pipes[1]);
        $complaint = stream_get_contents($this->pipes[2]);
        array_map(fclose(...), $this->pipes);
        $exit = proc_close($this->process);
        $report = json_decode($output, true);
        if (!is_array($report)) {
            throw new RuntimeException("the ledger could not run, exit code $exit: $complaint$output");
        }
        if (!$report['passed']) {
            echo 'FAIL ledger: ', implode('; ', $report['objections']), "\n", $output, "\n";
        }
        return $report;
    }

    /** Says a figure that somebody may want to know: `make` prints it behind the tests. */
    public static function figure(string $line): void
    {
        $file = getenv('ROTOR_FIGURES');
        if ($file !== false && $file !== '') {
            file_put_contents($file, "$line\n", FILE_APPEND);
        }
    }

    /** Whether the long proofs are to run in full. */
    public static function isStress(): bool
    {
        return (bool) getenv('ROTOR_STRESS');
    }

    private static function binary(): string
    {
        $target = dirname(__DIR__, 2) . '/target';
        foreach ([getenv('ROTOR_LEDGER'), "$target/release/ledger", "$target/debug/ledger"] as $path) {
            if (is_string($path) && is_executable($path)) {
                return $path;
            }
        }
        throw new RuntimeException('there is no ledger: build it, or name it in ROTOR_LEDGER');
    }

    /** @param array<string> $options */
    private function __construct(TestServer $server, array $options)
    {
        $command = [self::binary(), '--json'];
        if (!in_array('--port', $options, true) && !in_array('--unix', $options, true)) {
            array_push($command, '--port', (string) $server->port);
        }
        if (!in_array('--patience', $options, true)) {
            array_push($command, '--patience', (string) TestServer::PATIENCE);
        }
        // It writes only when it is done, and little: no pipe fills up while nobody reads.
        $process = proc_open([...$command, ...$options], [['file', '/dev/null', 'r'], ['pipe', 'w'], ['pipe', 'w']], $this->pipes);
        if ($process === false) {
            throw new RuntimeException('cannot start the ledger');
        }
        $this->process = $process;
    }
}
