--TEST--
sendto() sends from master, manager, workers and user processes, by the socket that was asked for; a unix client that has no name cannot be answered
--EXTENSIONS--
rotor
posix
pcntl
sockets
--FILE--
<?php
require __DIR__ . '/../inc/datagrams.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP')]);
    $udp = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_UDP);
    $other = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_UDP);
    $server->listen(getenv('ROTOR_TMP') . '/server.sock', 0, Rotor\Server::SOCK_UNIX_DGRAM);
    note("$udp->port $other->port");
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        [$host, $port, $text] = explode(' ', $data, 3);
        $server->send($fd, json_encode($server->sendto($host, (int) $port, $text)));
    });
    $where = function (): array {
        while (!file_exists(getenv('ROTOR_TMP') . '/where')) {
            usleep(1000);
        }
        return [(int) file_get_contents(getenv('ROTOR_TMP') . '/where'), getenv('ROTOR_TMP') . '/client.sock'];
    };
    $tell = function (Rotor\Server $server, string $who) use ($where) {
        [$port, $path] = $where();
        $large = str_repeat('x', 60_000);
        $results = [
            $server->sendto('127.0.0.1', $port, "$who first socket"),
            $server->sendto('127.0.0.1', $port, "$who second socket", 2),
            $server->send($path, "$who unix"),
            $server->sendto($path, 0, "$who large $large", 3),
        ];
        note("$who " . json_encode($results));
    };
    $server->on('packet', function ($server, $data, $client) use ($tell) {
        match ($data) {
            'unnamed' => note('from "' . $client['address'] . '" ' . json_encode(@$server->send($client['address'], 'x'))),
            default => $tell($server, "worker"),
        };
    });
    $server->on('managerStart', fn ($server) => $tell($server, 'manager'));
    pcntl_async_signals(true);
    $server->on('start', function ($server) use ($tell) {
        pcntl_signal(SIGALRM, fn () => $tell($server, 'master'));
        note('the master hears');
    });
    $server->addProcess(new Rotor\Process(function () use ($server, $tell) {
        $tell($server, 'user');
        for (;;) {
            sleep(1);
        }
    }));
    $server->start();
    PHP);
[$udp, $other] = array_map(intval(...), explode(' ', $server->waitFor(fn () => $server->notes()[0] ?? null)));
$client = new DatagramClient('127.0.0.1', $udp);
$unix = new DatagramClient("$server->tmp/server.sock", name: "$server->tmp/client.sock");
$client->send('');
file_put_contents("$server->tmp/where.new", (string) $client->port());
rename("$server->tmp/where.new", "$server->tmp/where");
$server->waitForNote('the master hears');
$server->signal(SIGALRM);
$got = [];
for ($i = 0; $i < 8; $i++) {
    $got[] = $client->receive();
    $got[] = preg_replace_callback('/x{9,}$/', fn ($match) => (string) strlen($match[0]), $unix->receive());
}
sort($got);
echo implode("\n", $got), "\n";
foreach (['manager', 'master', 'user', 'worker'] as $who) {
    $server->waitForNote("$who [true,true,true,true]");
}
(new DatagramClient("$server->tmp/server.sock"))->send('unnamed');
$server->waitForNote('from "" false');
// A worker, for a client that it has not heard of.
$tcp = $server->connect();
$tcp->write("127.0.0.1 {$client->port()} hello");
echo $tcp->read(4), ' ', $client->receive(), "\n";
unset($unix);
unlink("$server->tmp/where");
$server->stop();
?>
--EXPECT--
manager first socket
manager large 60000
manager second socket
manager unix
master first socket
master large 60000
master second socket
master unix
user first socket
user large 60000
user second socket
user unix
worker first socket
worker large 60000
worker second socket
worker unix
true hello
