--TEST--
start() works inside a fiber, inside array_map and inside a method of a subclass, also through a reload and an exit()
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    final class Echoes extends Rotor\Server
    {
        private array $answers = [];

        public function __construct(private string $greeting)
        {
            parent::__construct('127.0.0.1', (int) getenv('ROTOR_PORT'));
            $this->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
            $this->on('workerStart', function (self $server) { $server->answers = ['worker' => getmypid()]; });
            $this->on('afterReload', fn () => note('reloaded'));
            $this->on('receive', $this->receive(...));
        }

        public function receive(self $server, int $fd, int $reactor, string $data): void
        {
            if ($data === 'exit') {
                exit(3);
            }
            assert($server === $this && $this->answers['worker'] === getmypid());
            $server->send($fd, "$this->greeting $data");
        }

        public function run(): bool
        {
            return parent::start();
        }
    }
    $server = new Echoes('hello');
    $result = match ($argv[1]) {
        'fiber' => (function () use ($server) {
            $fiber = new Fiber(fn () => $server->start());
            $fiber->start();
            return $fiber->getReturn();
        })(),
        'map' => array_map(fn (Echoes $server) => $server->start(), [$server])[0],
        'method' => $server->run(),
        'finally' => (function () use ($server) {
            try {
                return $server->start();
            } finally {
                note('finally');
            }
        })(),
    };
    note(json_encode($result));
    PHP;
foreach (['fiber', 'map', 'method', 'finally'] as $way) {
    $server = TestServer::start($script, args: [$way]);
    $client = $server->connect();
    echo $way, ': ', $client->exchange('you', 9);
    $server->signal(SIGUSR1);
    $server->waitForNote('reloaded');
    echo ', ', $client->exchange('new', 9);
    $client->write('exit');
    echo ', ', json_encode($client->readToEnd());
    echo ', ', $server->request('all', 9), "\n";
    $server->expectLog('/exited code=3/');
    $server->allowLog('/its message is lost/');
    $server->signal(SIGTERM);
    $server->waitForNote('true');
    $notes = $server->notes();
    $server->wait();
    echo implode(', ', $notes), "\n";
}
?>
--EXPECT--
fiber: hello you, hello new, "", hello all
reloaded, true
map: hello you, hello new, "", hello all
reloaded, true
method: hello you, hello new, "", hello all
reloaded, true
finally: hello you, hello new, "", hello all
reloaded, finally, true
