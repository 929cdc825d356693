--TEST--
What waits for clients that do not read takes no more memory than the settings say, by workers and by the main thread; one send may be large
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

const CLIENTS = 16;
const BUFFER = 2 << 20;
const IPC = 32 << 20;
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'reactor_num' => 1, 'socket_buffer_size' => '2M', 'ipc_memory' => '32M', 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === 'large') {
            // Ten times the buffer, into an empty queue; then it is too full for a byte.
            $large = $server->send($fd, str_repeat('x', 20 << 20));
            while (($queued = $server->getClientInfo($fd)['send_queued_bytes']) < 2 << 20) {
                usleep(1000);
            }
            note('large ' . json_encode([$large, $server->send($fd, 'x'), $server->getLastError()]));
            return;
        }
        // A stubborn sender, for longer than the queues need to fill.
        [$sent, $refused] = [0, 0];
        while ($refused < 1000) {
            $server->send($fd, str_repeat('x', (int) $data)) ? $sent++ : $refused++;
            $refused > 0 && usleep(100);
        }
        note("sent $sent");
    });
    $server->on('connect', fn () => note('connect'));
    $server->on('BeforeShutdown', function ($server) {
        // On the main thread, which shares its memory with the reactor.
        $accepted = 0;
        foreach ($server->connections as $fd) {
            for ($n = 0; $n < 500 && $server->send($fd, str_repeat('x', 1 << 20)); $n++) {
                $accepted++;
            }
        }
        note("main $accepted");
    });
    $server->start();
    PHP);
/** What the master has of its own, in bytes. */
$private = function () use ($server): int {
    preg_match('/^RssAnon:\s+(\d+) kB/m', file_get_contents("/proc/$server->pid/status"), $found);
    return 1024 * (int) $found[1];
};
/** What all of it takes. */
$pss = function () use ($server): int {
    $sum = 0;
    foreach (array_keys($server->processes()) as $pid) {
        preg_match('/^Pss:\s+(\d+) kB/m', (string) @file_get_contents("/proc/$pid/smaps_rollup"), $found);
        $sum += 1024 * (int) ($found[1] ?? 0);
    }
    return $sum;
};
$server->waitFor(fn () => preg_match_all('/ worker=\d+ pid=\d+: ready; /', $server->log()) === 2, 'both workers');
$before = [$private(), $pss()];
$clients = [];
for ($n = 0; $n < CLIENTS; $n++) {
    $clients[] = $client = $server->connect();
    // Inline, in small blocks, in large ones.
    $client->write((string) [1000, 60_000, 1_000_000][$n % 3]);
}
$server->waitFor(fn () => count(preg_grep('/^sent/', $server->notes())) === CLIENTS, 'all to be refused');
// Beside each queue what was on its way when it was full, which lies in shared memory, or did.
$grown = [$private() - $before[0], $pss() - $before[1]];
var_dump($grown[0] <= CLIENTS * BUFFER + IPC ?: $grown[0], $grown[1] <= CLIENTS * BUFFER + 2 * IPC ?: $grown[1]);
array_map(fn ($client) => $client->close(), $clients);

$large = $server->connect();
$large->write('large');
$server->waitFor(fn () => preg_grep('/^large/', $server->notes()), 'the large one');
echo current(preg_grep('/^large/', $server->notes())), "\n";
$large->read(20 << 20);
$large->close();

$quiet = $server->connect();
// The kernel says connected before the server has accepted.
$server->waitForNote('connect', CLIENTS + 2);
$server->signal(SIGTERM);
$server->waitFor(fn () => preg_grep('/^main/', $server->notes()), 'the main thread');
[, $accepted] = explode(' ', current(preg_grep('/^main/', $server->notes())));
// The buffer, what waits in the mailbox, and what the kernel takes.
var_dump($accepted > 0 && $accepted < 60 ?: $accepted);
$quiet->close();
$server->wait();
?>
--EXPECT--
bool(true)
bool(true)
large [true,false,1009]
bool(true)
