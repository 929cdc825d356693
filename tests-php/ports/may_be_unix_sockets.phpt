--TEST--
A unix socket serves like any port; its file has the permissions that were asked for, a stale one is replaced, a live one is refused, and none is left
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    $server = new Rotor\Server(getenv('ROTOR_TMP') . '/main.sock', 0, Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_UNIX_STREAM);
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'unix_socket_mode' => '0640']);
    $other = $server->listen(getenv('ROTOR_TMP') . '/other.sock', 0, Rotor\Server::SOCK_UNIX_STREAM);
    $other->set(['unix_socket_mode' => 0600]);
    $server->on('start', fn () => ready());
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, json_encode([
        $data, array_intersect_key($server->getClientInfo($fd), array_flip(['server_port', 'socket_type', 'remote_ip', 'remote_port'])),
    ]) . "\n"));
    $server->start();
    PHP;
$server = TestServer::start($script);
foreach (['main', 'other'] as $name) {
    printf("%s %o\n", $name, fileperms("$server->tmp/$name.sock") & 0777);
    $client = new TestClient("unix://$server->tmp/$name.sock");
    $client->write($name);
    echo $client->readLine(), "\n";
}
// Beside a running one, and after one that could not clean up.
[$exit, $output] = TestServer::run(<<<'PHP'
    try {
        new Rotor\Server(getenv('LIVE'), 0, Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_UNIX_STREAM);
    } catch (Rotor\Exception $exception) {
        echo str_replace(getenv('LIVE'), 'PATH', $exception->getMessage()), ' ', $exception->getCode(), "\n";
    }
    PHP, env: ['LIVE' => "$server->tmp/main.sock"]);
echo $output;
$path = "$server->tmp/main.sock";
$server->stop();
echo file_exists($path) ? "it is left\n" : "it is gone\n";

[$exit, $output] = TestServer::run(<<<'PHP'
    $path = getenv('ROTOR_TMP') . '/stale.sock';
    fclose(stream_socket_server("unix://$path"));
    echo json_encode(file_exists($path)), "\n";
    $server = new Rotor\Server($path, 0, Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_UNIX_STREAM);
    echo get_class($server), ' ', json_encode([$server->host === $path, $server->port, $server->type]), "\n";
    // Never started: the file goes with the object.
    unset($server);
    gc_collect_cycles();
    echo json_encode(file_exists($path)), "\n";
    file_put_contents($path, 'precious');
    try {
        new Rotor\Server($path, 0, Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_UNIX_STREAM);
    } catch (Rotor\Exception $exception) {
        echo str_replace($path, 'PATH', $exception->getMessage()), "\n";
    }
    unlink($path);
    PHP);
echo $output;
?>
--EXPECT--
main 640
["main",{"server_port":0,"socket_type":5,"remote_port":0,"remote_ip":""}]
other 600
["other",{"server_port":0,"socket_type":5,"remote_port":0,"remote_ip":""}]
Rotor\Server::__construct(): cannot listen on unix:PATH: address already in use (another process listens there; stop it or choose another path) 98
it is gone
true
Rotor\Server [true,0,5]
false
Rotor\Server::__construct(): cannot listen on unix:PATH: there is a file that is no socket
