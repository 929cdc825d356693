<?php

declare(strict_types=1);

require_once __DIR__ . '/client.inc.php';
require_once __DIR__ . '/tree.inc.php';

/**
 * A server script in a process of its own, for a phpt.
 *
 *     $server = TestServer::start(<<<'PHP'
 *         $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
 *         $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
 *         $server->start();
 *         PHP);
 *     $client = $server->connect();
 *     echo $client->exchange('hello'), "\n";
 *     $server->stop();
 *
 * Every end of a server is checked, also when the test forgets to stop it: the exit code, that no process and no file
 * is left, and that the log has no warning or error that the test did not announce. What is wrong is printed, and so
 * the test fails.
 */
final class TestServer
{
    /** How long to wait for what must happen. Generous: a slow machine is no failure. */
    public const PATIENCE = 60.0;

    /** How long a server may take to end after it was asked to. */
    private const STOP_PATIENCE = 30.0;

    /** Pid of the process that was started: the master, unless the script daemonizes. */
    public readonly int $pid;

    public readonly int $port;

    /** The script's ROTOR_TMP. */
    public readonly string $tmp;

    /** Our own files: the script, what it prints, its notes. */
    private readonly string $directory;

    private readonly ProcessTree $tree;

    /** @var resource */
    private $process;

    /** @var resource|null our end of the server's terminal, if it was started in one */
    private $terminal;

    /** Exit code, or minus the number of the signal that ended it; null while it runs. */
    private ?int $exit = null;

    private bool $ended = false;

    private ?string $lastLog = null;

    /** @var list<string>|null */
    private ?array $lastNotes = null;

    /** @var list<string> patterns of lines that must be there */
    private array $expected = [];

    /** @var list<string> patterns of lines that may be there */
    private array $allowed = [];

    /** @var list<string> names in $tmp that the test knows of */
    private array $leaves = [];

    /**
     * Starts a script and waits until it listens on ROTOR_PORT or calls ready().
     *
     * @param string $script the script's text, with or without `<?php`, or the path of a file
     * @param array<string, scalar> $ini settings of PHP
     * @param list<string> $args arguments of the script; "ROTOR_PORT" stands for the number
     * @param array<string, string> $env
     * @param list<string> $prefix a command to run PHP under (valgrind, strace)
     * @param bool $extension false: without Rotor
     * @param bool $terminal in a terminal of its own, see type(); its processes are the foreground group there
     * @throws RuntimeException when the script ends before it is ready; the message has its output
     */
    public static function start(
        string $script,
        array $ini = [],
        array $args = [],
        array $env = [],
        array $prefix = [],
        bool $extension = true,
        bool $terminal = false,
    ): self {
        // --ctty: standard input becomes the terminal that controls the new session.
        $prefix = $terminal ? ['setsid', '--ctty', ...$prefix] : $prefix;
        $server = new self($script, $ini, $args, $env, $prefix, $extension, $terminal);
        $ready = fn (): bool => file_exists("$server->directory/ready") || self::listensOn($server->port);
        // A daemon's first process ends, with 0, while the others go on.
        $alive = fn (): bool => $server->poll() === null || ($server->exit === 0 && $server->processes() !== []);
        // Under another command it may be many times slower.
        $patience = self::PATIENCE * ($prefix === [] ? 1 : 3);
        $end = microtime(true) + $patience;
        while (!$ready()) {
            if (!$alive() && !$ready()) {
                $message = "the server ended before it was ready, exit code $server->exit:\n" . $server->log();
                $server->discard();
                throw new RuntimeException($message);
            }
            // Whoever has not run for so long looks once more.
            if (microtime(true) > $end && !$ready()) {
                $message = "the server is not ready after $patience s:\n" . $server->log();
                $server->discard();
                throw new RuntimeException($message);
            }
            usleep(5_000);
        }
        return $server;
    }

    /**
     * Runs a script that ends by itself, and checks what it leaves; for everything that fails at start.
     *
     * Warnings and errors need no announcement here: the output is what the test looks at.
     *
     * @param array<string, scalar> $ini
     * @param list<string> $args
     * @param array<string, string> $env
     * @return array{int, string} exit code and output
     */
    public static function run(string $script, array $ini = [], array $args = [], array $env = [], bool $extension = true): array
    {
        $server = new self($script, $ini, $args, $env, [], $extension, false);
        $server->allowLog('/./');
        $server->waitFor(fn (): bool => $server->poll() !== null, 'the script to end');
        $output = $server->log();
        $exit = (int) $server->exit;
        if ($exit < 0) {
            // Nobody was left to wait for the others.
            $server->waitFor(fn (): bool => $server->processes() === [], 'the others to follow', self::STOP_PATIENCE);
        }
        $server->conclude($exit);
        return [$exit, $output];
    }

    /** A port number that nobody has, and no test beside this one will choose before all others were: below those that the kernel gives to clients, so that none of them takes it. */
    public static function freePort(): int
    {
        for (;;) {
            $port = self::nextPort();
            $socket = @stream_socket_server("tcp://0.0.0.0:$port");
            if ($socket !== false) {
                fclose($socket);
                return $port;
            }
        }
    }

    /** @param float $patience seconds that each read or write of the client may take */
    public function connect(float $patience = self::PATIENCE): TestClient
    {
        return new TestClient("tcp://127.0.0.1:$this->port", $patience);
    }

    /** Connects, sends, reads as many bytes as $expected (by default as many as were sent), closes. */
    public function request(string $bytes, ?int $expected = null): string
    {
        $client = $this->connect();
        $answer = $client->exchange($bytes, $expected);
        $client->close();
        return $answer;
    }

    public function signal(int $signal, ?int $pid = null): void
    {
        posix_kill($pid ?? $this->pid, $signal);
    }

    /** Types at the terminal that the server was started in: "\x03" is Ctrl-C. */
    public function type(string $keys): void
    {
        fwrite($this->terminal, $keys);
    }

    public function isRunning(): bool
    {
        return $this->poll() === null;
    }

    /** @return array<int, string> all living processes of the server: pid => title or command line */
    public function processes(): array
    {
        return $this->tree->processes();
    }

    /** What the script printed (both streams), then what it wrote to ROTOR_LOG; also when it has ended. */
    public function log(): string
    {
        return $this->lastLog ?? (string) @file_get_contents("$this->directory/output") . (string) @file_get_contents("$this->directory/log");
    }

    /** @return list<string> what the script said by note(); also when it has ended */
    public function notes(): array
    {
        return $this->lastNotes ?? @file("$this->directory/notes", FILE_IGNORE_NEW_LINES) ?: [];
    }

    /** Waits until the script has said a note $times times. */
    public function waitForNote(string $note, int $times = 1): void
    {
        $this->waitFor(fn (): bool => count(array_keys($this->notes(), $note, true)) >= $times, "note \"$note\" ($times)");
    }

    /**
     * Waits until the log matches.
     *
     * @return list<string> the match and its groups
     */
    public function waitForLog(string $pattern, float $patience = self::PATIENCE): array
    {
        $match = [];
        $this->waitFor(function () use ($pattern, &$match): bool {
            return preg_match($pattern, $this->log(), $match) === 1;
        }, "$pattern in the log", $patience);
        return $match;
    }

    /** Waits until the condition gives something true, and returns that. */
    public function waitFor(callable $condition, string $what = 'the condition', float $patience = self::PATIENCE): mixed
    {
        $end = microtime(true) + $patience;
        while (!($result = $condition())) {
            if (microtime(true) > $end) {
                throw new RuntimeException("waited $patience s for $what; the log:\n" . $this->log());
            }
            usleep(5_000);
        }
        return $result;
    }

    /** Announces a warning or an error: a line of the log that must be there in the end. */
    public function expectLog(string $pattern): void
    {
        $this->expected[] = $pattern;
    }

    /** Announces a warning or an error that may be there. */
    public function allowLog(string $pattern): void
    {
        $this->allowed[] = $pattern;
    }

    /** Announces a file or directory that stays in ROTOR_TMP. */
    public function expectFile(string $name): void
    {
        $this->leaves[] = $name;
    }

    /**
     * Asks the server to end, waits for that, and checks all.
     *
     * @param int $exit expected exit code, or minus the signal that ends it
     * @param int|null $pid whom to signal; for a daemon, whose first process has ended already
     */
    public function stop(int $signal = SIGTERM, int $exit = 0, ?int $pid = null): void
    {
        $this->signal($signal, $pid);
        $this->wait($exit);
    }

    /** Ends the master by SIGKILL, waits for the others to follow, and checks all but the files that it could not remove. */
    public function kill(): void
    {
        $this->leaves[] = '*';
        $this->stop(SIGKILL, -SIGKILL);
    }

    /** Waits for a server that ends by itself, and checks all. */
    public function wait(int $exit = 0): void
    {
        $end = microtime(true) + self::STOP_PATIENCE;
        // The others of an orderly stop are gone when the master is; those of a killed one or of a daemon follow.
        $follow = $exit < 0 || $this->poll() !== null;
        while ($this->poll() === null || ($follow && $this->processes() !== [])) {
            if (microtime(true) > $end) {
                break;
            }
            usleep(2_000);
        }
        $this->conclude($exit);
    }

    /**
     * @param array<string, scalar> $ini
     * @param list<string> $args
     * @param array<string, string> $env
     * @param list<string> $prefix
     */
    private function __construct(
        string $script,
        array $ini,
        array $args,
        array $env,
        array $prefix,
        bool $extension,
        bool $terminal,
    ) {
        $this->directory = sys_get_temp_dir() . '/rotor-' . bin2hex(random_bytes(5));
        $this->tmp = "$this->directory/tmp";
        mkdir($this->directory);
        mkdir($this->tmp);
        $this->port = self::freePort();
        $this->tree = new ProcessTree($this->directory);
        if (!preg_match('/\A[^\n]+\.php\z/', $script)) {
            $text = str_starts_with(ltrim($script), '<?php') ? ltrim($script) : "<?php\n$script\n";
            $script = "$this->directory/server.php";
            file_put_contents($script, $text);
        }
        $environment = $env + [
            'ROTOR_TEST' => $this->tree->token,
            'ROTOR_PORT' => (string) $this->port,
            'ROTOR_TMP' => $this->tmp,
            'ROTOR_LOG' => "$this->directory/log",
            'ROTOR_NOTES' => "$this->directory/notes",
            'ROTOR_READY' => "$this->directory/ready",
        ] + getenv();
        $output = ['file', "$this->directory/output", 'a'];
        // Descriptor 3 stays open in all that the script forks: by it the tree is known when titles hide the environment.
        $process = proc_open(
            [...$prefix, ...self::command($ini, $extension), $script, ...str_replace('ROTOR_PORT', (string) $this->port, $args)],
            [$terminal ? ['pty'] : ['file', '/dev/null', 'r'], $output, $output, ['file', "$this->directory/marker", 'w']],
            $pipes,
            $this->tmp,
            $environment,
        );
        if ($process === false) {
            throw new RuntimeException('cannot start ' . PHP_BINARY);
        }
        $this->process = $process;
        $this->terminal = $pipes[0] ?? null;
        $status = proc_get_status($process);
        $this->pid = $status['pid'];
        $this->exit = self::exitOf($status);
        $starter = getmypid();
        register_shutdown_function(function () use ($starter): void {
            // A process that the test forks comes here too.
            if (!$this->ended && getmypid() === $starter) {
                $this->signal(SIGTERM);
                $this->wait();
            }
        });
    }

    /**
     * @param array<string, scalar> $ini
     * @return list<string>
     */
    private static function command(array $ini, bool $extension): array
    {
        $command = [PHP_BINARY];
        if (php_ini_loaded_file() !== false) {
            array_push($command, '-c', php_ini_loaded_file());
        } elseif (php_ini_scanned_files() === false) {
            $command[] = '-n';
        }
        $settings = $ini + [
            'display_errors' => '1',
            'log_errors' => '0',
            'html_errors' => '0',
            'error_reporting' => (string) E_ALL,
            'auto_prepend_file' => __DIR__ . '/prepend.inc.php',
        ];
        if ($extension) {
            $settings['extension'] = getenv('ROTOR_EXTENSION') ?: dirname(__DIR__, 2) . '/target/release/librotor.so';
        }
        foreach ($settings as $name => $value) {
            // Quoted: to the ini parser a bare value may be an expression.
            array_push($command, '-d', $name . '="' . (is_bool($value) ? (int) $value : $value) . '"');
        }
        return $command;
    }

    /** The exit code once the process has ended. PHP tells it once, so it is kept. */
    private function poll(): ?int
    {
        return $this->exit ??= self::exitOf(proc_get_status($this->process));
    }

    /** @param array<string, mixed> $status of proc_get_status() */
    private static function exitOf(array $status): ?int
    {
        return $status['running'] ? null : ($status['signaled'] ? -$status['termsig'] : $status['exitcode']);
    }

    private static function nextPort(): int
    {
        [$first, $count] = [10_240, 22_000];
        $path = getenv('ROTOR_PORTS');
        if (!$path) {
            return random_int($first, $first + $count - 1);
        }
        $file = fopen($path, 'c+');
        flock($file, LOCK_EX);
        $said = stream_get_contents($file);
        $next = $said === '' ? random_int(0, $count - 1) : ((int) $said + 1) % $count;
        rewind($file);
        ftruncate($file, 0);
        fwrite($file, (string) $next);
        fclose($file);
        return $first + $next;
    }

    /** Whether somebody listens on a port, found out without a connection that a server would see. */
    public static function listensOn(int $port): bool
    {
        foreach (['/proc/net/tcp', '/proc/net/tcp6'] as $name) {
            $table = @fopen($name, 'r');
            // sl, local address:port, remote address:port, state; 0A is LISTEN. Those come first: all connections of the
            // machine may be many.
            for ($line = $table ? fgets($table) : false; $line !== false; $line = fgets($table)) {
                if (preg_match('/^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) /', $line, $found)) {
                    if ($found[2] !== '0A') {
                        break;
                    }
                    if (hexdec($found[1]) === $port) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    /** Checks what must hold of every server that has ended, prints what does not, and removes all traces. */
    private function conclude(int $exit): void
    {
        $problems = [];
        if ($this->poll() === null) {
            $problems[] = 'still running ' . self::STOP_PATIENCE . ' s after it should have ended';
        } elseif ($this->exit !== $exit) {
            $problems[] = "exit code $this->exit, expected $exit";
        }
        foreach ($this->processes() as $pid => $title) {
            $problems[] = "process left: $pid $title";
        }
        foreach (array_diff(scandir($this->tmp) ?: [], ['.', '..'], $this->leaves) as $name) {
            if (!in_array('*', $this->leaves, true)) {
                $problems[] = "file left: $name";
            }
        }
        $log = $this->log();
        foreach (self::complaints($log) as $line) {
            foreach ([...$this->expected, ...$this->allowed] as $pattern) {
                if (preg_match($pattern, $line)) {
                    continue 2;
                }
            }
            $problems[] = "unannounced: $line";
        }
        foreach ($this->expected as $pattern) {
            if (!preg_match($pattern, $log)) {
                $problems[] = "announced, but not in the log: $pattern";
            }
        }
        foreach ($problems as $problem) {
            echo "FAIL server: $problem\n";
        }
        if ($problems !== []) {
            echo "--- the server's output and log\n", $log, "---\n";
        }
        $this->discard();
    }

    /** @return list<string> lines of a log that say warning or error, and what PHP or a panic of Rust prints of that kind */
    private static function complaints(string $log): array
    {
        $ours = '\S+( \S+)? (error|warning) [\w=.-]+ pid=\d+: ';
        $php = '(PHP )?(Warning|Fatal error|Parse error|Recoverable fatal error|Notice|Deprecated|User \w+): ';
        $json = '\{"time":"[^"]*","level":"(error|warning)",';
        preg_match_all("/^($ours|$json|$php|thread '.*' .*panicked at ).*$/m", $log, $matches);
        return $matches[0];
    }

    private function discard(): void
    {
        $this->ended = true;
        $this->tree->kill();
        proc_close($this->process);
        $this->lastLog = $this->log();
        $this->lastNotes = $this->notes();
        $files = new RecursiveIteratorIterator(
            new RecursiveDirectoryIterator($this->directory, FilesystemIterator::SKIP_DOTS),
            RecursiveIteratorIterator::CHILD_FIRST,
        );
        foreach ($files as $file) {
            $file->isDir() && !$file->isLink() ? rmdir($file->getPathname()) : unlink($file->getPathname());
        }
        rmdir($this->directory);
    }
}
