--TEST--
Clients that do not read have one copy of a broadcast together, large or small; it reaches all of them whole, and other clients meanwhile
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

const SLOW = 200;
const SIZES = [3 << 20, 1 << 20, 100_000, 5_000];
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'reactor_num' => 2, 'ipc_memory' => '32M', 'socket_buffer_size' => '64M',
        'task_tmpdir' => getenv('ROTOR_TMP'), 'kernel_socket_send_buffer_size' => '64K', 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if (is_numeric($data)) {
            $server->send($fd, $server->broadcast(str_pad("$data ", (int) $data, "$data-"), null, $fd) . "\n");
        } else {
            $server->send($fd, $data);
        }
    });
    $server->start();
    PHP);
$private = function () use ($server): int {
    preg_match('/^RssAnon:\s+(\d+) kB/m', file_get_contents("/proc/$server->pid/status"), $found);
    return 1024 * (int) $found[1];
};
$asker = $server->connect();
$slow = [];
for ($n = 0; $n < SLOW; $n++) {
    $slow[] = $server->connect();
    end($slow)->exchange('hello');
}
// The master's memory for so many connections is there by now.
$asker->write("1000");
$asker->readLine();
foreach ($slow as $client) {
    $client->read(1000);
}
$before = $private();
foreach ([1, 2, 3] as $round) {
    foreach (SIZES as $size) {
        $asker->write((string) $size);
        echo $round === 1 ? "$size: {$asker->readLine()}\n" : substr($asker->readLine(), 0, 0);
        $asker->exchange('another client is served meanwhile');
    }
}
// All of it waits: 12 broadcasts of 12 MiB for each of them, twice that for the two reactors; what the kernel has not taken
// yet is read from the disk meanwhile.
$grown = $private() - $before;
var_dump($grown <= 48 << 20 ?: $grown);
foreach ($slow as $n => $client) {
    foreach ([1, 2, 3] as $round) {
        foreach (SIZES as $size) {
            $client->read($size) === str_pad("$size ", $size, "$size-") || print("client $n: other bytes\n");
        }
    }
    $client->exchange('done') === 'done' || print("client $n: more has come\n");
    $client->close();
}
$asker->close();
$server->stop();
?>
--EXPECT--
3145728: 200
1048576: 200
100000: 200
5000: 200
bool(true)
