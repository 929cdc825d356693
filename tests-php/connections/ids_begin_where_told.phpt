--TEST--
start_session_id is the id of the first connection; ids grow from there, none comes twice, and what was never one is told from what has gone
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';

// Beyond what the table has places for, at the end of the range, and the default.
foreach ([1_000_003, 4_294_967_295, 0] as $first) {
    $server = TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set([
            'worker_num' => 2, 'reactor_num' => 2, 'max_connection' => 20, 'start_session_id' => (int) $argv[1], 'log_file' => getenv('ROTOR_LOG'),
        ]);
        $server->on('managerStart', fn ($server) => note('round ' . $server->stats()['session_round']));
        $server->on('connect', fn ($server, $fd) => note("connect $fd"));
        $server->on('receive', function ($server, $fd, $reactor, $data) {
            if ($data !== '?') {
                $server->send($fd, $data);
                return;
            }
            $first = max(1, $server->setting['start_session_id']);
            $said = fn (int $fd) => [$server->send($fd, 'x'), $server->getLastError()];
            $server->send($fd, json_encode([
                $fd - $first, $server->worker_id === $fd % 2, iterator_to_array($server->connections) === [$fd], $server->getClientList() === [$fd],
                $first > 1 ? $said($first - 1) : null, $said($first), $said($fd + 1), $server->stats()['session_round'] - $fd,
            ]) . "\n");
        });
        $server->start();
        PHP, args: [(string) $first]);
    $server->waitForNote('round ' . max(0, $first - 1));
    Ledger::run($server, '--mode', 'churn', '--connections', '4', '--messages', '300');
    $client = $server->connect();
    $last = $server->waitFor(function () use ($client): ?string {
        $client->write('?');
        $line = $client->readLine();
        return str_contains($line, 'true,true,true') ? $line : null;
    }, 'the other connections to be gone');
    $server->stop();
    $ids = array_map(fn ($note) => (int) substr($note, 8), preg_grep('/^connect /', $server->notes()));
    sort($ids);
    // An id whose place is taken is skipped.
    var_dump(count($ids), $ids[0] === max(1, $first), count(array_unique($ids)), end($ids) - $ids[0] >= 300);
    echo preg_replace('/^\[\d+/', '[n', $last), "\n";
}
?>
--EXPECT--
int(301)
bool(true)
int(301)
bool(true)
[n,true,true,true,[false,1005],[false,1004],[false,1005],0]
int(301)
bool(true)
int(301)
bool(true)
[n,true,true,true,[false,1005],[false,1004],[false,1005],0]
int(301)
bool(true)
int(301)
bool(true)
[n,true,true,true,null,[false,1004],[false,1005],0]
