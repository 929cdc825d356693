--TEST--
A start that a callback ends, in master or manager, leaves no process and no file behind; and so does an exception in onStart; in the others it is reported and the server goes on
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'pid_file' => getenv('ROTOR_TMP') . '/pid']);
    $server->on('receive', fn () => 0);
    $server->on($argv[1], fn () => match ($argv[2]) {
        'exit' => exit(4),
        'memory' => str_repeat('x', 1 << 30),
        'throw' => throw new RuntimeException('thrown on purpose'),
    });
    $argv[2] === 'throw' && $server->on('workerStart', fn ($server) => $server->shutdown());
    echo "start() returned " . json_encode($server->start()), "\n";
    PHP;
foreach (['start', 'managerStart', 'beforeShutdown', 'managerStop', 'shutdown'] as $event) {
    foreach (in_array($event, ['start', 'managerStart'], true) ? ['exit', 'memory', 'throw'] : ['throw'] as $what) {
        [$exit, $output] = TestServer::run($script, args: [$event, $what]);
        preg_match_all('/Allowed memory size|Uncaught RuntimeException: thrown on purpose|start\(\) returned true'
            . '|onStart has (?:ended the master|thrown an exception)|callback in the manager has ended it/', $output, $matches);
        echo "$event, $what: $exit; ", implode(', ', $matches[0]), "\n";
    }
}
?>
--EXPECT--
start, exit: 4; onStart has ended the master
start, memory: 255; Allowed memory size, onStart has ended the master
start, throw: 255; Uncaught RuntimeException: thrown on purpose, onStart has thrown an exception
managerStart, exit: 4; callback in the manager has ended it
managerStart, memory: 255; Allowed memory size, callback in the manager has ended it
managerStart, throw: 0; Uncaught RuntimeException: thrown on purpose, start() returned true
beforeShutdown, throw: 0; Uncaught RuntimeException: thrown on purpose, start() returned true
managerStop, throw: 0; Uncaught RuntimeException: thrown on purpose, start() returned true
shutdown, throw: 0; Uncaught RuntimeException: thrown on purpose, start() returned true
