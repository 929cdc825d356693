--TEST--
A worker that writes another process's number into the worker table does not have the manager signal that process: it signals its own children alone
--EXTENSIONS--
rotor
posix
pcntl
ffi
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $libc = FFI::cdef('void *memcpy(char *into, uintptr_t from, size_t bytes); void *memset(uintptr_t at, int byte, size_t bytes);
        int *memmove(uintptr_t into, const char *from, size_t bytes);');

    /** Puts $other in place of this process's number wherever the shared tables have that. */
    function lie(FFI $libc, int $other): int
    {
        $times = 0;
        foreach (file('/proc/self/maps') as $line) {
            if (!preg_match('#^([0-9a-f]+)-([0-9a-f]+) rw.* /memfd:rotor #', $line, $range)) {
                continue;
            }
            $begin = hexdec($range[1]);
            $bytes = min(hexdec($range[2]) - $begin, 8 << 20);
            $copy = FFI::new("char[$bytes]");
            $libc->memcpy($copy, $begin, $bytes);
            $table = FFI::string($copy, $bytes);
            for ($at = 0; ($at = strpos($table, pack('V', getmypid()), $at)) !== false; $at += 4) {
                if ($at % 4 === 0) {
                    $libc->memmove($begin + $at, pack('V', $other), 4);
                    $times++;
                }
            }
        }
        return $times;
    }

    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'max_connection' => 64]);
    $server->on('receive', function ($server, $fd, $reactor, $data) use ($libc) {
        $times = lie($libc, (int) $data);
        $server->send($fd, "{$server->getWorkerPid(0)} $times\n");
        // It never comes back: the manager has to end it by force.
        for (;;) {
            sleep(60);
        }
    });
    $server->start();
    PHP);
$victim = proc_open(['sleep', '600'], [], $pipes);
$pid = proc_get_status($victim)['pid'];
$client = $server->connect();
$client->write((string) $pid);
[$shown, $times] = explode(' ', $client->readLine());
echo (int) $shown === $pid && $times >= 1 ? "the table says what it wrote\n" : "the table says $shown, $times times\n";
$server->allowLog('/a second signal|SIGKILL|is lost/');
$server->signal(SIGTERM);
$server->waitForLog('/manager pid=\d+: stopping/');
// One that comes a second or more after the first forces; one that comes too late would meet the script's own end.
usleep(1_100_000);
$server->signal(SIGTERM);
$server->wait();
echo proc_get_status($victim)['running'] ? "the other lives\n" : "the other was killed\n";
proc_terminate($victim, SIGKILL);
proc_close($victim);
?>
--EXPECT--
the table says what it wrote
the other lives
