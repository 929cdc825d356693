--TEST--
A connection that was held, and one that was paused, go on with the next process when their worker dies; nothing of them is lost
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

const COUNT = 600;
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'max_queued_bytes' => '256K', 'open_length_check' => true, 'log_file' => getenv('ROTOR_LOG')]);
    $sum = [];
    $server->on('receive', function ($server, $fd, $reactor, $data) use (&$sum) {
        $body = substr($data, 4);
        if ($body === 'pause') {
            $server->send($fd, json_encode($server->pause($fd)) . "\n");
        } elseif ($body === 'block') {
            note("blocks $server->worker_pid");
            sleep(60);
        } elseif ($body === 'digest') {
            // Whoever died has left the paused one so.
            foreach ($server->connections as $one) {
                $server->resume($one);
            }
            $server->send($fd, ($sum[$fd] ?? '') . "\n");
        } else {
            $sum[$fd] = md5(($sum[$fd] ?? '') . $body);
        }
    });
    $server->start();
    PHP);
$message = fn (string $bytes): string => pack('N', strlen($bytes)) . $bytes;
$write = function (TestClient $client) use ($message): int {
    $pid = pcntl_fork();
    if ($pid === 0) {
        for ($n = 0; $n < COUNT; $n++) {
            $client->write($message(str_pad("$n ", 10_000, 'x')));
        }
        $client->write($message('digest'));
        posix_kill(getmypid(), SIGKILL);
    }
    return $pid;
};
[$doomed, $held, $paused] = [$server->connect(), $server->connect(), $server->connect()];
$paused->write($message('pause'));
echo $paused->readLine(), "\n";
$doomed->write($message('block'));
$pid = (int) explode(' ', $server->waitFor(fn () => current(preg_grep('/^blocks/', $server->notes())) ?: null, 'the worker to block'))[1];
$writers = [$write($held), $write($paused)];
// The kernels' buffers take some of it, and the reactor a quarter of a megabyte of one of them.
var_dump($held->isSilent(0.5));
$server->expectLog("/ error worker=0 pid=$pid: killed by SIGKILL/");
$server->signal(SIGKILL, $pid);
var_dump($doomed->readToEnd());
$expected = '';
for ($n = 0; $n < COUNT; $n++) {
    $expected = md5($expected . str_pad("$n ", 10_000, 'x'));
}
foreach ([$held, $paused] as $client) {
    var_dump($client->readLine() === $expected);
}
array_map(fn (int $writer) => pcntl_waitpid($writer, $status), $writers);
$server->stop();
?>
--EXPECT--
true
bool(true)
string(0) ""
bool(true)
bool(true)
