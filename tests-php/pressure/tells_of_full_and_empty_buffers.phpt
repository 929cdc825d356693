--TEST--
BufferFull at the high watermark and BufferEmpty at the low one come by turns, in the connection's worker, before its close
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 2, 'socket_buffer_size' => '2M', 'buffer_high_watermark' => '1M', 'buffer_low_watermark' => '100K',
        'log_file' => getenv('ROTOR_LOG'),
    ]);
    $told = fn (string $what) => fn ($server, $fd) => note("$fd $what $server->worker_id");
    // Events of the primary port hold for a port that has none of its own, and another's do not.
    $server->on('bufferFull', $told('full'));
    $server->on('BufferEmpty', $told('empty'));
    $other = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    $other->set(['socket_buffer_size' => '2M']);
    $other->on('BufferFull', fn ($server, $fd) => note("$fd other full"));
    $other->on('BufferEmpty', fn ($server, $fd) => note("$fd other empty"));
    file_put_contents(getenv('ROTOR_TMP') . '/port', $other->port);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        [$what, $to] = explode(' ', $data);
        if ($what === 'id') {
            $server->send($fd, sprintf('%06d', $fd));
            return;
        }
        $taken = 0;
        while ($server->send((int) $to, str_repeat('x', 100_000))) {
            $taken += 100_000;
        }
        note("$to taken $taken");
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("$fd close $server->worker_id"));
    $server->start();
    PHP);
$port = (int) file_get_contents("$server->tmp/port");
unlink("$server->tmp/port");
$taken = fn (int $fd) => $server->waitFor(
    fn () => preg_match_all("/^$fd taken (\d+)/m", implode("\n", $server->notes()), $found) === ($GLOBALS['round'] ?? 1) ? (int) end($found[1]) : null,
    'all to be queued',
);
$client = $server->connect();
$asks = $server->connect();
$id = (int) $client->exchange('id 0', 6);
for ($round = 1; $round <= 3; $round++) {
    // By another worker: the events are the connection's own worker's.
    $asks->write("flood $id");
    $bytes = $taken($id);
    $server->waitFor(fn () => count(preg_grep("/^$id full/", $server->notes())) === $round, 'BufferFull');
    var_dump(preg_grep("/^$id empty/", $server->notes()) === [] || count(preg_grep("/^$id empty/", $server->notes())) < $round);
    $client->read($bytes);
    $server->waitFor(fn () => count(preg_grep("/^$id empty/", $server->notes())) === $round, 'BufferEmpty');
}
// Full to the end.
$asks->write("flood $id");
$round = 4;
$taken($id);
$server->waitFor(fn () => count(preg_grep("/^$id full/", $server->notes())) === 4, 'BufferFull');
$client->close();
$server->waitFor(fn () => preg_grep("/^$id close/", $server->notes()), 'onClose');
$worker = $id % 2;
$life = array_values(array_filter(array_map(fn ($note) => preg_match("/^$id (full|empty|close) (.*)/", $note, $found) ? "$found[1] $found[2]" : null, $server->notes())));
var_dump($life === [...array_merge(...array_fill(0, 3, ["full $worker", "empty $worker"])), "full $worker", "close $worker"] ?: $life);

$client = new TestClient("tcp://127.0.0.1:$port");
$id = (int) $client->exchange('id 0', 6);
$asks->write("flood $id");
$round = 1;
$bytes = $taken($id);
$server->waitForNote("$id other full");
$client->read($bytes);
$server->waitForNote("$id other empty");
$client->close();
$server->stop();
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
bool(true)
