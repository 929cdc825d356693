--TEST--
getClientList() gives all connections in pages, each that stays once, also when the one that a page began behind has gone
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'open_eof_split' => true, 'package_eof' => "\n"]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        [$start, $count, $ends] = json_decode($data);
        $warning = null;
        set_error_handler(function (int $level, string $message) use (&$warning): bool {
            $warning = $message;
            return true;
        });
        if ($ends) {
            $server->close($start);
            while ($server->getClientInfo($start)) {
                usleep(1000);
            }
        }
        $list = $server->getClientList($start, $count);
        $server->send($fd, json_encode([$list, $list === false ? $server->getLastError() : 0, $warning]) . "\n");
    });
    $server->on('start', fn ($server) => note('master ' . json_encode($server->getClientList())));
    $server->on('managerStop', fn ($server) => note('manager ' . json_encode($server->connection_list(0, 1))));
    $server->start();
    PHP);
$clients = [];
for ($fd = 1; $fd <= 25; $fd++) {
    $clients[$fd] = $server->connect();
}
$ask = function (int $start = 0, int $count = 10, bool $ends = false) use ($clients): array {
    $clients[25]->write(json_encode([$start, $count, $ends]) . "\n");
    return json_decode($clients[25]->readLine());
};
$server->waitFor(fn () => count($ask(0, 100)[0]) === 25, 'all connections');
$pages = $all = [];
$start = 0;
while ([$page] = $ask($start) and $page) {
    $pages[] = count($page);
    array_push($all, ...$page);
    $start = end($page);
}
sort($all);
echo json_encode($pages), ' ', json_encode($all === range(1, 25)), "\n";
// The end of a page goes before the next one is asked for. Another worker hears of its close.
[$first] = $ask(0, 8);
[$second] = $ask(end($first), 100, true);
$rest = array_merge($first, $second);
sort($rest);
echo count($first), ' ', count($second), ' ', json_encode($rest === range(1, 25)), "\n";
foreach ([[0, 1], [25, 1], [99, 10], [0, 0], [0, 101], [0, -1], [-1, 10], [0, PHP_INT_MAX], [PHP_INT_MAX, 1]] as [$start, $count]) {
    echo "$start, $count: ", json_encode($ask($start, $count)), "\n";
}
foreach ($clients as $client) {
    $client->close();
}
$server->stop();
echo implode("\n", $server->notes()), "\n";
?>
--EXPECT--
[10,10,5] true
8 17 true
0, 1: [[1],0,null]
25, 1: [false,1004,null]
99, 10: [false,1005,null]
0, 0: [false,505,"Rotor\\Server::getClientList(): $count must be 1 to 100, 0 given"]
0, 101: [false,505,"Rotor\\Server::getClientList(): $count must be 1 to 100, 101 given"]
0, -1: [false,505,"Rotor\\Server::getClientList(): $count must be 1 to 100, -1 given"]
-1, 10: [false,1006,"Rotor\\Server::getClientList(): session ids are positive numbers, -1 given"]
0, 9223372036854775807: [false,505,"Rotor\\Server::getClientList(): $count must be 1 to 100, 9223372036854775807 given"]
9223372036854775807, 1: [false,1005,null]
master false
manager false
