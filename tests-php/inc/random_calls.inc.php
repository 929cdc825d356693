<?php

declare(strict_types=1);

/**
 * Calls of every method with whatever there is, chosen by a seed: for a server script whose callbacks do anything that the
 * language allows. What they throw and warn of is dropped; what they must not do is crash, panic or hang.
 */
final class RandomCalls
{
    /** How deep calls may be inside of each other: iterators and conversions call again. */
    private const DEEPEST = 3;

    /** Those that end or change the whole server, or wait for others: their tests are elsewhere. */
    private const NOT_CALLED = ['__construct', 'start', 'shutdown', 'reload', 'stop', 'exit', 'kill', 'daemon', 'wait', 'setBlocking'];

    /** Destructors do nothing: nobody is left to catch what they throw. */
    private bool $isQuiet = false;

    private int $depth = 0;

    /** @var list<Rotor\Server\Port> */
    private array $ports;

    private Rotor\Connection\Iterator $connections;

    private bool $mayEnd = false;

    private int $fd = 1;

    /** @var list<mixed> what is kept from one callback to another */
    private array $kept = [];

    /** @param bool $isRunning whether start() was called, which calls may do again then */
    public function __construct(private Rotor\Server $server, private Rotor\Process $process, public bool $isRunning = false)
    {
        $this->ports = $server->ports;
        $this->connections = $server->connections;
        register_shutdown_function(function () { $this->isQuiet = true; });
    }

    /**
     * Makes so many calls; the same for the same seed, as far as the server is in the same state.
     *
     * @param bool $mayEnd whether calls may end the process that makes them
     */
    public function make(int $count, int $seed, int $fd = 1, bool $mayEnd = false): void
    {
        mt_srand($seed);
        $this->fd = $fd;
        $this->mayEnd = $mayEnd;
        set_error_handler($this->onError(...));
        try {
            for ($i = 0; $i < $count; $i++) {
                try {
                    $this->one();
                } catch (Throwable $thrown) {
                    // By the destructor of something that an exception had kept, while that was dropped.
                    $this->isQuiet = true;
                    $thrown = null;
                    $this->isQuiet = false;
                }
            }
        } finally {
            restore_error_handler();
        }
    }

    public function one(): void
    {
        if ($this->depth >= self::DEEPEST) {
            return;
        }
        $this->depth++;
        try {
            match (mt_rand(0, 29)) {
                0, 1 => $this->language(),
                2 => $this->process(),
                3 => $this->sibling(),
                4 => $this->walk(),
                5 => $this->end(),
                default => $this->call($this->server, self::pick(get_class_methods($this->server))),
            };
        } catch (Throwable) {
            // Whatever it says, it was said in order.
        } finally {
            $this->depth--;
        }
    }

    private function call(object $object, string $method): void
    {
        if (in_array($method, self::NOT_CALLED, true)) {
            // Seldom, and those alone that leave the server there.
            match ([$method, mt_rand(0, 9)]) {
                ['start', 0] => $this->isRunning && $object->start(),
                ['__construct', 0] => $object->__construct('127.0.0.1'),
                ['reload', 0] => $object->reload(mt_rand(0, 3) > 0),
                ['stop', 0] => $object->stop(mt_rand(-2, 3)),
                default => null,
            };
            return;
        }
        $arguments = [];
        $parameters = (new ReflectionMethod($object, $method))->getParameters();
        foreach ($parameters as $parameter) {
            if ($parameter->isOptional() && mt_rand(0, 2) === 0) {
                break;
            }
            $value = mt_rand(0, 3) ? $this->fitting((string) $parameter->getType()) : $this->anything();
            $arguments[mt_rand(0, 9) || $parameter->isVariadic() ? count($arguments) : $parameter->getName()] = $value;
        }
        if (mt_rand(0, 19) === 0) {
            $arguments[] = $this->anything();
        } elseif (mt_rand(0, 19) === 0) {
            array_pop($arguments);
        }
        $result = match (mt_rand(0, 4)) {
            0 => call_user_func_array([$object, $method], $arguments),
            1 => (new ReflectionMethod($object, $method))->invokeArgs($object, $arguments),
            2 => ([$object, $method])(...)(...$arguments),
            default => $object->$method(...$arguments),
        };
        if (mt_rand(0, 9) === 0) {
            $this->kept[mt_rand(0, 20)] = $result;
        }
    }

    /** A value that the type allows, most of the time. */
    private function fitting(string $type): mixed
    {
        $type = self::pick(explode('|', ltrim($type, '?') ?: 'mixed'));
        return match ($type) {
            'int' => self::pick([$this->fd, $this->fd, $this->fd, mt_rand(1, 20), 0, 1, 2, -1, 65_536, PHP_INT_MAX, PHP_INT_MIN, 1 << 32]),
            'float' => self::pick([0.0, 0.001, -1.5, 1e300, NAN, INF, -INF, 3]),
            'bool' => (bool) mt_rand(0, 1),
            'string' => self::pick([
                '', 'x', "$this->fd", " $this->fd ", "\0", "a\0b", "\xff\xfe", '/there/is/nothing', __FILE__, __DIR__, '127.0.0.1', '::1',
                'receive', 'Close', 'workerStart', 'nothing', '/', str_repeat('y', mt_rand(1, 70_000)), str_repeat('z', 300_000),
            ]),
            'array' => self::pick([[], [$this->fd], $this->settings(), $this->settings(), range(1, 2000), $this->circle()]),
            'iterable', 'Traversable' => self::pick([
                [], [$this->fd, '2', -1], $this->connections, $this->iterator(), $this->iterator(), new ArrayObject([1]),
            ]),
            'callable' => self::pick(['strlen', fn () => null, [$this, 'one'], $this->one(...), 'self::one', [&$this->kept[0], 'x']]),
            'Rotor\Process' => $this->newProcess(),
            'null' => null,
            default => $this->anything(),
        };
    }

    private function anything(): mixed
    {
        $kept = &$this->kept[mt_rand(0, 20)];
        return match (mt_rand(0, 19)) {
            0 => null,
            1 => new stdClass,
            2 => $this->server,
            3 => $this->connections,
            4 => $this->ports,
            5 => STDIN,
            6 => $this->iterator(),
            7 => $this->stringable(),
            8 => fn () => $this->one(),
            9 => $kept,
            10 => [&$kept],
            11 => $this->late(),
            12 => $this->settings(),
            13 => $this->circle(),
            14 => '1e1',
            15 => 1.5,
            16 => $this->newProcess(),
            default => $this->fitting(self::pick(['int', 'string', 'array', 'callable', 'iterable', 'float', 'bool'])),
        };
    }

    private function settings(): array
    {
        static $names = ['worker_num', 'package_length_func', 'dispatch_func', 'log_level', 'open_eof_check', 'package_eof', "\xff", '', 'x', 0];
        $settings = [];
        for ($count = mt_rand(0, 3); $count > 0; $count--) {
            $settings[self::pick($names)] = self::pick([0, 1, -1, PHP_INT_MAX, 1.5, 'x', "\xff", null, true, [], ["\xff" => 1], new stdClass, fn () => 1]);
        }
        return $settings;
    }

    private function circle(): array
    {
        $array = [1];
        $array['circle'] = &$array;
        return $array;
    }

    private function iterator(): Generator
    {
        try {
            for ($count = mt_rand(0, 4); $count > 0; $count--) {
                yield self::pick([$this->fd, "$this->fd", 1, -1, null, $this->fd]);
                $this->one();
                if (mt_rand(0, 9) === 0) {
                    throw new LogicException('thrown by an iterator');
                }
            }
        } finally {
            $this->one();
        }
    }

    private function stringable(): Stringable
    {
        return new class (fn () => $this->one()) {
            public function __construct(private Closure $run) {}
            public function __toString(): string
            {
                ($this->run)();
                return match (mt_rand(0, 3)) { 0 => throw new LogicException('thrown by a conversion'), 1 => '1', default => 'text' };
            }
        };
    }

    /** Something whose destructor calls again. */
    private function late(): object
    {
        $run = function () {
            if (!$this->isQuiet) {
                $this->one();
                mt_rand(0, 3) || throw new LogicException('thrown by a destructor');
            }
        };
        return new class ($run) {
            public function __construct(private Closure $run) {}
            public function __destruct() { ($this->run)(); }
        };
    }

    private function newProcess(): Rotor\Process
    {
        return new Rotor\Process(fn () => $this->one(), (bool) mt_rand(0, 1), mt_rand(0, 2));
    }

    /** What the language can do with an object. */
    private function language(): void
    {
        $object = self::pick([$this->server, $this->connections, self::pick($this->ports), $this->process]);
        match (mt_rand(0, 17)) {
            0 => clone $object,
            1 => serialize($object),
            // What is printed may be more than there is memory for.
            2 => $this->mayEnd && var_export($object, true),
            3 => json_encode($object),
            4 => $this->mayEnd && print_r($object, true),
            5 => $object == $this->server,
            6 => $this->kept[mt_rand(0, 20)] = (array) $object,
            7 => (new ReflectionClass($object))->newInstanceWithoutConstructor()->{self::pick(get_class_methods($object))}(),
            8 => unserialize('O:' . strlen($object::class) . ':"' . $object::class . '":0:{}'),
            9 => $object->{self::pick(array_keys(get_object_vars($object)))} = $this->anything(),
            10 => $this->kept[mt_rand(0, 20)] = &$object->{self::pick(array_keys(get_object_vars($object)))},
            11 => $object->dynamic = $this->late(),
            12 => gc_collect_cycles(),
            13 => $this->kept = [],
            14 => $this->kept[mt_rand(0, 20)] = WeakReference::create($object),
            15 => (new ReflectionProperty($object, self::pick(array_keys(get_object_vars($object)))))->setValue($object, $this->anything()),
            16 => iterator_to_array($this->connections),
            17 => new Rotor\Server('127.0.0.1'),
        };
    }

    private function process(): void
    {
        $process = self::pick([$this->process, $this->newProcess()]);
        // Nothing may wait for long.
        $process->setTimeout(0.001);
        match (mt_rand(0, 5)) {
            0 => $process->write(self::pick(['x', str_repeat('x', 100_000)])),
            1 => $process->read(self::pick([1, 8192, PHP_INT_MAX])),
            2 => Rotor\Process::wait(false),
            3 => Rotor\Process::signal(self::pick([SIGUSR1, SIGUSR2, SIGURG, SIGKILL, 0, -1, 32, 64, 65]), self::pick([null, fn () => $this->one()])),
            4 => posix_kill(getmypid(), SIGURG),
            5 => $this->call($process, self::pick(array_diff(get_class_methods($process), ['start', 'setTimeout', 'read', 'write', 'signal']))),
        };
        $process->setTimeout(0.001);
    }

    /** A method of something else. */
    private function sibling(): void
    {
        $object = self::pick([$this->connections, ...$this->ports]);
        $this->call($object, self::pick(get_class_methods($object)));
    }

    private function walk(): void
    {
        $left = 50;
        foreach ($this->connections as $fd) {
            $this->fd = $fd;
            $this->one();
            if (--$left === 0) {
                break;
            }
        }
    }

    /** The end of this process, or of one that it forks. */
    private function end(): void
    {
        if (!$this->mayEnd || mt_rand(0, 9)) {
            return;
        }
        match (mt_rand(0, 5)) {
            0 => exit(mt_rand(0, 9)),
            1 => trigger_error('a fatal error', E_USER_ERROR),
            2 => str_repeat('x', 1 << 40),
            3 => posix_kill(getmypid(), SIGKILL),
            4 => $this->fork(),
            5 => $this->newProcess()->start(),
        };
    }

    private function fork(): void
    {
        $child = pcntl_fork();
        if ($child === 0) {
            $this->one();
            match (mt_rand(0, 2)) { 0 => exit(3), 1 => posix_kill(getmypid(), SIGKILL), 2 => null };
            return;
        }
        pcntl_waitpid($child, $status);
    }

    private function onError(int $level): bool
    {
        if ($level === E_USER_ERROR) {
            return false;
        }
        match (mt_rand(0, 30)) {
            0 => throw new LogicException('thrown by the error handler'),
            1, 2 => $this->one(),
            default => null,
        };
        return true;
    }

    private static function pick(array $all): mixed
    {
        return $all === [] ? null : $all[array_rand($all)];
    }
}
