--TEST--
valgrind through 1,000 messages, a user process, a crash of a callback, a reload and a stop finds no error and no leak in our frames
--EXTENSIONS--
rotor
posix
pcntl
--SKIPIF--
<?php
exec('valgrind --version 2>/dev/null', $lines, $code);
$code === 0 || print('skip no valgrind here');
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$reports = sys_get_temp_dir() . '/valgrind-' . getmypid();
mkdir($reports);
$server = TestServer::start(
    <<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set([
            'worker_num' => 2, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'max_wait_time' => 120,
            'open_length_check' => true, 'package_length_type' => 'N', 'package_body_offset' => 4, 'package_max_length' => '4M',
        ]);
        foreach (['Start', 'Shutdown', 'BeforeShutdown', 'ManagerStart', 'ManagerStop', 'WorkerStart', 'WorkerStop',
            'WorkerExit', 'WorkerError', 'Connect', 'Close', 'BeforeReload', 'AfterReload'] as $event) {
            $server->on($event, fn ($server) => note($event));
        }
        $process = new Rotor\Process(function (Rotor\Process $process) {
            $end = false;
            Rotor\Process::signal(SIGTERM, function () use (&$end) {
                $end = true;
            });
            while (!$end) {
                $process->write(strrev((string) $process->read(100)) . ' ');
            }
        });
        $server->addProcess($process);
        $server->on('Receive', function (Rotor\Server $server, int $fd, int $reactor, string $data) use ($process) {
            $process->write(substr($data, 0, 10));
            $process->read();
            $server->getClientInfo($fd);
            foreach ($server->connections as $session) {
                $server->exists($session);
            }
            @$server->send(4711, $data);
            $server->stats();
            $server->send($fd, $data);
            if (str_ends_with($data, 'throw')) {
                throw new RuntimeException('thrown on purpose');
            }
        });
        note(json_encode($server->start()));
        PHP,
    env: ['USE_ZEND_ALLOC' => '0', 'ZEND_DONT_UNLOAD_MODULES' => '1'],
    prefix: [
        'valgrind', '--trace-children=yes', '--leak-check=full', '--show-leak-kinds=definite,indirect', '--num-callers=30',
        "--log-file=$reports/%p", '--quiet',
    ],
);
$server->expectLog('/Uncaught RuntimeException: thrown on purpose/');
$server->allowLog('/its callback threw/');
$clients = [];
for ($i = 0; $i < 4; $i++) {
    $clients[] = $server->connect();
}
$answers = 0;
for ($i = 0; $i < 1000; $i++) {
    // Some fit into a lane, some into a block, some into neither.
    $body = str_repeat(chr($i % 256), match (true) { $i % 250 === 0 => 2 << 20, $i % 20 === 0 => 100_000, default => $i });
    $message = pack('N', strlen($body)) . $body;
    $answers += $clients[$i % 4]->exchange($message) === $message ? 1 : 0;
    if ($i === 500) {
        $server->signal(SIGUSR1);
        $server->waitForNote('AfterReload');
    }
}
$clients[0]->write(pack('N', 5) . 'throw');
$clients[0]->readToEnd();
echo "$answers answers\n";
$server->signal(SIGTERM);
$server->waitForNote('true');
$server->waitFor(fn () => !$server->isRunning(), 'the end');
$server->wait();
$bad = $files = 0;
foreach (glob("$reports/*") as $file) {
    $files++;
    // A block is a report with its stack; ours have a frame of the extension.
    foreach (preg_split('/^==\d+== \n/m', (string) file_get_contents($file)) as $block) {
        if (preg_match('/librotor|\brotor(_\w+)?::/', $block)) {
            $bad++;
            echo $block, "\n";
        }
    }
    unlink($file);
}
rmdir($reports);
echo $files >= 7 ? "all processes\n" : "$files processes\n";
echo "$bad reports\n";
?>
--EXPECT--
1000 answers
all processes
0 reports
