--TEST--
A signal that reaches the server when it listens and does not run yet is not lost and kills nobody: it stops or reloads in order
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    // What was printed is flushed before the first fork.
    $isEarly = true;
    ob_start(function (string $text) use (&$isEarly, $argv): string {
        $isEarly && posix_kill(getmypid(), (int) $argv[1]);
        $isEarly = false;
        return $text;
    });
    echo "printed before start\n";
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'pid_file' => getenv('ROTOR_TMP') . '/pid']);
    $server->on('beforeReload', fn () => note('reload'));
    $server->on('afterReload', fn () => note('reloaded'));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    note(json_encode($server->start()));
    PHP;
$server = TestServer::start($script, args: [(string) SIGUSR1]);
$server->waitForNote('reloaded');
echo $server->request("served\n");
$server->stop();
echo implode(', ', $server->notes()), "\n";

foreach (['SIGTERM' => SIGTERM, 'SIGINT' => SIGINT] as $name => $signal) {
    [$exit, $output] = TestServer::run("$script\necho 'start() has returned';", args: [(string) $signal]);
    echo "$name: exit code $exit, ", substr_count($output, 'start() has returned'), "\n";
}
?>
--EXPECT--
served
reload, reloaded, true
SIGTERM: exit code 0, 1
SIGINT: exit code 0, 1
