--TEST--
Whoever ends a connection, and whatever waits for it then: onClose comes once, what was queued arrives unless it was reset, and nothing is left
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

const QUEUED = 12 << 20;
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $base = ['open_eof_split' => true, 'package_eof' => "\n", 'socket_buffer_size' => '64M'];
    $server->set($base + ['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $ports = ['plain' => (int) getenv('ROTOR_PORT')];
    foreach (['heartbeat' => ['heartbeat_idle_time' => 1], 'message' => ['message_timeout' => 0.5]] as $name => $settings) {
        $port = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
        $port->set($base + $settings);
        $ports[$name] = $port->port;
    }
    file_put_contents(getenv('ROTOR_TMP') . '/ports', json_encode($ports));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        [$what, $to] = explode(' ', rtrim($data)) + ['', $fd];
        $to = (int) $to;
        match ($what) {
            'id' => $server->send($fd, "$fd $server->worker_id $server->worker_pid\n"),
            'queue' => $server->send($fd, str_repeat('x', 12 << 20)) && note("$fd queued"),
            'close' => $server->close($to),
            'reset' => $server->close($to, true),
            'stats' => $server->send($fd, json_encode($server->stats()) . "\n"),
            'block' => (function () use ($fd) {
                note("$fd blocks");
                while (!file_exists(getenv('ROTOR_TMP') . '/go')) {
                    usleep(500);
                }
            })(),
        };
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("$fd close " . ($reactor < 0 ? 'server' : 'peer')));
    // In the manager.
    $server->on('BeforeReload', function ($server) {
        [$fd, $reset] = json_decode(file_get_contents(getenv('ROTOR_TMP') . '/close'));
        note("manager " . json_encode($server->close($fd, $reset)));
    });
    $server->on('AfterReload', fn ($server, $success) => note('reloaded'));
    $server->start();
    PHP);
$ports = json_decode(file_get_contents("$server->tmp/ports"), true);
unlink("$server->tmp/ports");
$asks = $server->connect();
$ask = function (string $what) use ($asks): string {
    $asks->write("$what\n");
    return $asks->readLine();
};
[, $asker] = explode(' ', $ask('id'));
$descriptors = fn (): int => count(scandir("/proc/$server->pid/fd"));
$before = $descriptors();
$reloads = 0;
$manager = function (int $fd, bool $reset) use ($server, &$reloads): void {
    file_put_contents("$server->tmp/close", json_encode([$fd, $reset]));
    $server->signal(SIGUSR1);
    $server->waitFor(fn () => count(preg_grep('/^manager/', $server->notes())) > $reloads, 'the manager');
    $reloads++;
};

/**
 * By name: the port, what ends the connection, who is said to have ended it, whether what is queued arrives.
 */
$ways = [
    'the peer' => ['plain', fn (TestClient $client, int $fd) => $client->shutdownWrite(), 'peer', true],
    'the peer, by a reset' => ['plain', fn (TestClient $client, int $fd) => $client->reset(), 'peer', null],
    'its worker' => ['plain', fn (TestClient $client, int $fd) => $client->write("close\n"), 'server', true],
    'its worker, by a reset' => ['plain', fn (TestClient $client, int $fd) => $client->write("reset\n"), 'server', false],
    'another worker' => ['plain', fn (TestClient $client, int $fd) => $asks->write("close $fd\n"), 'server', true],
    'another worker, by a reset' => ['plain', fn (TestClient $client, int $fd) => $asks->write("reset $fd\n"), 'server', false],
    'the manager' => ['plain', fn (TestClient $client, int $fd) => $manager($fd, false), 'server', true],
    'the manager, by a reset' => ['plain', fn (TestClient $client, int $fd) => $manager($fd, true), 'server', false],
    'the heartbeat' => ['heartbeat', fn (TestClient $client, int $fd) => null, 'server', false],
    'a message without an end' => ['message', fn (TestClient $client, int $fd) => $client->write('begun'), 'server', false],
];
$went = function (string $when, string $way, bool $right, string $what): void {
    if (!$right) {
        echo "$when, ended by $way: $what\n";
    }
};
$closes = fn (int $fd): array => array_values(preg_grep("/^$fd close/", $server->notes()));
foreach (['idle', 'with output queued', 'half-closed', 'its worker is busy', 'its worker dies'] as $when) {
    foreach ($ways as $way => [$port, $end, $by, $arrives]) {
        $isOwn = str_starts_with($way, 'its worker');
        if ($when === 'half-closed' && (str_contains($way, 'peer') || $isOwn || $port === 'message')) {
            // It can say nothing any more.
            continue;
        }
        // A reload waits for the worker that is kept busy.
        $server->waitFor(fn () => count(preg_grep('/^reloaded/', $server->notes())) === $reloads, 'the last reload');
        // Not of the worker that is asked, which would be busy itself.
        do {
            $client = new TestClient("tcp://127.0.0.1:{$ports[$port]}");
            $client->write("id\n");
            [$fd, $worker, $pid] = array_map(intval(...), explode(' ', $client->readLine()));
            $fits = $worker !== (int) $asker;
            $fits || $client->close();
        } while (!$fits);
        if ($when === 'with output queued') {
            $client->write("queue\n");
            $server->waitForNote("$fd queued");
        } elseif ($when === 'its worker is busy' || $when === 'its worker dies') {
            $client->write("block\n");
            $server->waitForNote("$fd blocks");
        } elseif ($when === 'half-closed') {
            // The answer to what it has said before is not there yet.
            $client->write("block\n");
            $server->waitForNote("$fd blocks");
            $client->shutdownWrite();
        }
        $end($client, $fd);
        if ($when === 'its worker dies') {
            $server->expectLog("/ worker=$worker pid=$pid: killed by SIGKILL/");
            $server->signal(SIGKILL, $pid);
        } elseif ($when === 'its worker is busy' || $when === 'half-closed') {
            $went($when, $way, $closes($fd) === [], 'onClose came before onReceive was over');
            touch("$server->tmp/go");
        }
        $server->waitFor(fn () => $closes($fd) !== [], "onClose $when, ended by $way");
        @unlink("$server->tmp/go");
        $said = $closes($fd)[0];
        $isEither = $when === 'its worker dies' || $when === 'half-closed';
        $went($when, $way, $said === "$fd close $by" || $isEither, $said);
        if ($way !== 'the peer, by a reset') {
            $got = strlen($client->readToEnd($how));
            if ($when === 'with output queued') {
                $went($when, $way, $arrives === true ? $got === QUEUED && $how === 'closed' : $got < QUEUED || $port === 'message', "$got bytes came, then it was $how");
            } elseif ($when === 'idle') {
                $went($when, $way, $got === 0 && ($how === 'closed') === ($arrives !== false || $port !== 'plain'), "$got bytes, then it was $how");
            }
            $client->close();
        }
        $ended[] = $fd;
    }
}
$server->waitFor(fn () => json_decode($ask('stats'), true)['connection_num'] === 1, 'all to be gone');
$server->waitFor(fn () => $descriptors() <= $before, 'all descriptors to be closed');
$asks->close();
$server->waitFor(fn () => count(preg_grep('/close/', $server->notes())) > count($ended), 'the last onClose');
foreach ($ended as $fd) {
    if (count($closes($fd)) !== 1) {
        echo implode(', ', $closes($fd)), "\n";
    }
}
unlink("$server->tmp/close");
$server->allowLog('/ warning /');
$server->stop();
echo count($ended), " connections\n";
?>
--EXPECT--
45 connections
