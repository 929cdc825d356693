--TEST--
P1: a worker that writes to the session table dies of SIGSEGV; no session has changed, all other connections are answered, the slot is respawned
--EXTENSIONS--
rotor
posix
pcntl
ffi
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $libc = FFI::cdef('void *memcpy(char *into, uintptr_t from, size_t bytes); void *memset(uintptr_t at, int byte, size_t bytes);');

    /** Where the session's entry lies in this process, found by what it says: id, place, the client's port and address. */
    function entry(FFI $libc, int $fd, int $clientPort): ?int
    {
        $says = preg_quote(pack('P', $fd), '/') . '.{8}' . preg_quote(pack('v', $clientPort), '/')
            . '.{6}' . preg_quote(pack('P2', 0, ip2long('127.0.0.1')), '/');
        foreach (file('/proc/self/maps') as $line) {
            if (!preg_match('#^([0-9a-f]+)-([0-9a-f]+) .* /memfd:rotor #', $line, $range)) {
                continue;
            }
            // The tables come first; behind them lie the lanes, which are large and of no interest.
            $bytes = min(hexdec($range[2]) - hexdec($range[1]), 8 << 20);
            $copy = FFI::new("char[$bytes]");
            $libc->memcpy($copy, hexdec($range[1]), $bytes);
            if (preg_match("/$says/s", FFI::string($copy, $bytes), $match, PREG_OFFSET_CAPTURE)) {
                return hexdec($range[1]) + $match[0][1];
            }
        }
        return null;
    }

    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'max_connection' => 64]);
    $server->on('workerStart', fn ($server, $id) => note("start $id " . getmypid()));
    $server->on('workerError', function ($server, $id, $pid, $code, $signal, $fd) {
        note("error $id signal=$signal in hand=$fd");
    });
    $server->on('receive', function ($server, $fd, $reactor, $data) use ($libc) {
        if (sscanf($data, 'forget %d', $victim) === 1) {
            $at = entry($libc, $victim, $server->getClientInfo($victim)['remote_port']);
            note(sprintf('entry %x', $at ?? 0));
            // Without an id the entry is free: nobody could be sent to any more.
            $at === null || $libc->memset($at, 0, 8);
            note('written');
        }
        $info = $server->getClientInfo($fd);
        $server->send($fd, json_encode([$fd, $info['remote_port'], $info['connect_time']]) . "\n");
    });
    $server->start();
    PHP);
$server->allowLog('/respawning worker=/');
$server->expectLog('/ error worker=1 pid=\d+: crashed: SIGSEGV address=0x[0-9a-f]+; session=3 /');
$server->allowLog('/ error worker=1 pid=\d+: (#\d+ |its build: )/');
$server->expectLog('/ error worker=1 pid=\d+: killed by SIGSEGV; session=3: its message is lost/');
$server->waitFor(fn () => count($server->notes()) === 2, 'both workers');

// Sessions 1 to 5: the even ones are served by worker 0, the odd ones by worker 1.
$clients = [];
$ask = function (int $fd) use (&$clients) {
    $clients[$fd]->write('who?');
    return $clients[$fd]->readLine();
};
$before = [];
for ($fd = 1; $fd <= 5; $fd++) {
    $clients[$fd] = $server->connect();
    $before[$fd] = $ask($fd);
}
$clients[3]->write('forget 2');
echo 'the one in hand: ', json_encode($clients[3]->readToEnd($how)), " $how\n";
unset($clients[3], $before[3]);
$after = [];
foreach ($clients as $fd => $client) {
    $after[$fd] = $ask($fd);
}
echo 'the others: ', $after === $before ? 'as before' : json_encode([$before, $after]), "\n";
$server->waitForNote('error 1 signal=' . SIGSEGV . ' in hand=3');
$server->waitFor(fn () => count(preg_grep('/^start 1 /', $server->notes())) === 2, 'the next process of worker 1');
$clients[6] = $server->connect();
echo 'a new one: session ', json_decode($ask(6))[0], "\n";
[$at] = array_values(preg_filter('/^entry /', '', $server->notes()));
echo 'the entry was ', $at === '0' ? 'not ' : '', 'found, and was ', in_array('written', $server->notes(), true) ? '' : 'not ', "written\n";

// The same page in all processes that run user code: the master alone may write.
foreach ($server->processes() as $pid => $title) {
    foreach (file("/proc/$pid/maps") as $line) {
        sscanf($line, '%x-%x %s', $from, $to, $rights);
        if ($from <= hexdec($at) && hexdec($at) < $to) {
            $seen[] = preg_replace('/^rotor: (\w+).*/', '$1', $title) . ' ' . $rights;
        }
    }
}
sort($seen);
echo implode(', ', $seen), "\n";
$server->stop();
?>
--EXPECT--
the one in hand: "" closed
the others: as before
a new one: session 6
the entry was found, and was not written
manager r--s, master rw-s, worker r--s, worker r--s
