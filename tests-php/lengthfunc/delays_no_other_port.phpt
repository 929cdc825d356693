--TEST--
While package_length_func takes its time, other ports are served; connections of its own port wait, and then go on
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $port = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    $port->set(['package_length_func' => function (string $buffer): int {
        if ($buffer[0] === 'S') {
            note('slow begins');
            while (!file_exists(getenv('ROTOR_TMP') . '/go')) {
                usleep(5_000);
                clearstatcache();
            }
            note('slow ends');
        }
        return 1;
    }]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        note("$data on $reactor");
        $server->send($fd, $data);
    });
    note("port $port->port");
    $server->start();
    PHP);
sscanf($server->notes()[0], 'port %d', $number);
$slow = new TestClient("tcp://127.0.0.1:$number");
$other = new TestClient("tcp://127.0.0.1:$number");
$plain = [$server->connect(), $server->connect()];
echo $slow->exchange('a'), $other->exchange('b'), $plain[0]->exchange('c'), $plain[1]->exchange('d'), "\n";
$slow->write('S');
$server->waitForNote('slow begins');
$other->write('o');
// Old connections and new ones, of both reactors.
foreach ([...$plain, $server->connect(), $server->connect()] as $client) {
    for ($i = 0; $i < 20; $i++) {
        $client->exchange('p');
    }
}
touch("$server->tmp/go");
echo $slow->read(1), $other->read(1), "\n";
unlink("$server->tmp/go");
$notes = preg_replace('/ on [01]$/', ' on a reactor', array_slice($server->notes(), 6));
$counts = array_count_values(array_slice($notes, 0, array_search('slow ends', $notes, true)));
echo json_encode($counts), "\n";
$server->stop();
?>
--EXPECT--
abcd
So
{"p on a reactor":80}
