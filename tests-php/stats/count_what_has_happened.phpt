--TEST--
stats() counts for the whole server, with the calling worker's own beside it, and is the same in every process
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'reactor_num' => 2, 'open_eof_split' => true, 'package_eof' => "\n", 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        $server->send($fd, $data === "stats\n" ? json_encode($server->stats()) . "\n" : $data);
    });
    $server->on('beforeReload', fn ($server) => note('manager ' . json_encode($server->stats())));
    $server->on('afterReload', fn ($server) => note('reloaded'));
    $server->on('shutdown', fn ($server) => note('master ' . json_encode($server->stats())));
    $server->start();
    PHP);
$show = function (array $stats, string ...$keys): void {
    foreach ($keys as $key) {
        echo "$key ", $stats[$key] ?? 'missing', "\n";
    }
    echo "\n";
};
// Sessions 1 to 4: the odd ones in worker 1, the even ones in worker 0.
$clients = [];
for ($fd = 1; $fd <= 4; $fd++) {
    $clients[$fd] = $server->connect();
    $clients[$fd]->exchange("12345\n12345\n12345\n");
}
array_pop($clients)->close();
$ask = function () use ($clients): array {
    $clients[1]->write("stats\n");
    return json_decode($clients[1]->readLine(), true);
};
// The first line that shows the close is not the first that was asked for.
$asked = 0;
$stats = $server->waitFor(function () use ($ask, &$asked): ?array {
    $asked++;
    $stats = $ask();
    return $stats['close_count'] === 1 ? $stats : null;
}, 'the close');
// All there are, beside those that may be added.
$names = 'start_time connection_num accept_count abort_count accept_pauses close_count worker_num task_worker_num user_worker_num '
    . 'idle_worker_num dispatch_count request_count response_count total_recv_bytes total_send_bytes session_round dropped_records '
    . 'refused_messages exceptions lane_waits read_pauses spilled_messages protocol_errors datagrams_received datagrams_sent '
    . 'datagrams_truncated datagrams_missed datagrams_unsent reload_count failed_reload_count '
    . 'respawn_count crash_count lost_messages slots_backing_off blocks_in_use concurrency worker_concurrency min_fd max_fd pipe_packet_msg_id coroutine_num coroutine_peek_num log_lines_suppressed log_lines_dropped worker_dispatch_count worker_request_count worker_response_count';
var_dump(array_diff(explode(' ', $names), array_keys($stats)) === []);
var_dump(abs($stats['start_time'] - time()) < 600);
$show($stats, 'connection_num', 'accept_count', 'close_count', 'abort_count', 'worker_num', 'task_worker_num', 'session_round',
    'dropped_records', 'refused_messages', 'exceptions', 'protocol_errors', 'blocks_in_use', 'reload_count', 'crash_count', 'respawn_count');
var_dump($stats['concurrency'], $stats['worker_concurrency'], $stats['pipe_packet_msg_id'] === $stats['dispatch_count']);
var_dump($stats['min_fd'] > 0, $stats['max_fd'] - $stats['min_fd'] >= 3, $stats['coroutine_num'], $stats['coroutine_peek_num']);
// This one is in hand: it is counted when its callback has returned.
var_dump($stats['request_count'] === 12 + $asked - 1, $stats['dispatch_count'] === 12 + $asked, $stats['response_count'] === 12 + $asked - 1);
var_dump($stats['worker_request_count'] === 6 + $asked - 1, $stats['worker_response_count'] === 6 + $asked - 1);
var_dump($stats['total_recv_bytes'] === 12 * 6 + $asked * 6, $stats['total_send_bytes'] >= 12 * 6);
$server->waitFor(function () use ($ask, &$asked): bool {
    $asked++;
    return $ask()['idle_worker_num'] === 1;
}, 'the other worker to be idle');

$server->signal(SIGUSR1);
$server->waitForNote('reloaded');
$stats = $ask();
$show($stats, 'connection_num', 'reload_count', 'failed_reload_count', 'crash_count', 'lost_messages', 'slots_backing_off');
// Those of the worker begin anew, the others do not.
var_dump($stats['worker_request_count'], $stats['request_count'] === 12 + $asked);
// A third process has the seat of the first one.
$server->signal(SIGUSR1);
$server->waitForNote('reloaded', 2);
$again = $ask();
$asked++;
echo json_encode([$stats['worker_response_count'], $again['worker_response_count'], $again['response_count'] === 12 + $asked]), "\n";
foreach ($clients as $client) {
    $client->close();
}
$server->stop();
foreach (preg_grep('/^(manager|master) /', $server->notes()) as $note) {
    [$process, $json] = explode(' ', $note, 2);
    $stats = json_decode($json, true);
    echo $process, ' ', json_encode([
        $stats['accept_count'], $stats['connection_num'], isset($stats['worker_request_count']) || isset($stats['worker_concurrency']),
        // The callback that has just answered may not have returned when the manager looked.
        $process === 'manager' || $stats['request_count'] === 13 + $asked,
    ]), "\n";
}
?>
--EXPECT--
bool(true)
bool(true)
connection_num 3
accept_count 4
close_count 1
abort_count 0
worker_num 2
task_worker_num 0
session_round 4
dropped_records 0
refused_messages 0
exceptions 0
protocol_errors 0
blocks_in_use 0
reload_count 0
crash_count 0
respawn_count 0

int(1)
int(1)
bool(true)
bool(true)
bool(true)
int(0)
int(0)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
connection_num 3
reload_count 1
failed_reload_count 0
crash_count 0
lost_messages 0
slots_backing_off 0

int(0)
bool(true)
[0,0,true]
manager [4,3,false,true]
manager [4,3,false,true]
master [4,0,false,true]
