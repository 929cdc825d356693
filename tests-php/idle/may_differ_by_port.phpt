--TEST--
heartbeat_idle_time is a port's: twice the check interval where it was not told, and 0 is for ever
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'heartbeat_check_interval' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $ports = [];
    // As the server; told something else alone; never.
    foreach ([[], ['backlog' => 128], ['heartbeat_idle_time' => 0]] as $settings) {
        $port = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
        $settings === [] || $port->set($settings);
        $ports[] = $port->port;
    }
    file_put_contents(getenv('ROTOR_TMP') . '/ports', json_encode($ports));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->on('close', fn ($server, $fd, $reactor) => note("port {$server->getClientInfo($fd)['server_fd']} $reactor"));
    $server->start();
    PHP);
$ports = [$server->port, ...json_decode(file_get_contents("$server->tmp/ports"))];
unlink("$server->tmp/ports");
$began = microtime(true);
$clients = array_map(fn (int $port) => new TestClient("tcp://127.0.0.1:$port"), $ports);
foreach ([0, 1, 2] as $place) {
    var_dump($clients[$place]->readToEnd($how), $how);
}
var_dump(microtime(true) - $began >= 2.0);
$server->waitFor(fn () => count($server->notes()) >= 3, 'onClose');
echo $clients[3]->exchange('still here'), "\n";
$notes = $server->notes();
sort($notes);
echo implode(', ', $notes), "\n";
$clients[3]->close();
$server->waitForNote('port 3 0');
$server->stop();
?>
--EXPECT--
string(0) ""
string(6) "closed"
string(0) ""
string(6) "closed"
string(0) ""
string(6) "closed"
bool(true)
still here
port 0 -1, port 1 -1, port 2 -1
