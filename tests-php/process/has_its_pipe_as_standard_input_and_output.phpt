--TEST--
With redirect_stdin_and_stdout what a user process prints is read from its pipe, and what is written there comes in by its standard input
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'respawn_max_delay' => 0.01]);
    // 2 asks for datagrams, which standard input and output cannot be.
    $process = new Rotor\Process(function (Rotor\Process $process) {
        while (($line = fgets(STDIN)) !== false) {
            if ($line === "exit\n") {
                return;
            }
            echo strtoupper($line);
            if ($line === "program\n") {
                system('head -n 1');
            }
        }
    }, true, 2);
    $server->addProcess($process);
    $server->on('receive', function ($server, $fd, $reactor, $data) use ($process) {
        $process->write($data);
        for ($answer = ''; substr_count($answer, "\n") < substr_count($data, "\n"); $answer .= $process->read());
        $server->send($fd, $answer);
    });
    $server->start();
    PHP);
$client = $server->connect();
foreach (["hello\n", "one\ntwo\n", "program\n", "of a program\n"] as $lines) {
    echo $client->exchange($lines);
}
$server->stop();
echo str_contains($server->log(), 'HELLO') ? "printed elsewhere, too\n" : "printed nowhere else\n";
?>
--EXPECT--
HELLO
ONE
TWO
PROGRAM
of a program
printed nowhere else
