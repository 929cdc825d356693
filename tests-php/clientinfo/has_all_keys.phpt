--TEST--
getClientInfo() has the keys of the peer, each with its type, for TCP and unix sockets
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->listen(getenv('ROTOR_TMP') . '/socket', 0, Rotor\Server::SOCK_UNIX_STREAM);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        $started = microtime(true);
        $first = $server->getClientInfo($fd);
        if ($data === 'first') {
            ksort($first);
            note(json_encode(array_map(get_debug_type(...), $first)));
            note(json_encode(['fresh' => [
                $first['last_send_time'] === 0.0, abs($first['last_recv_time'] - $started) < 600, $first['last_time'] === (int) $first['last_recv_time'],
                $first['last_dispatch_time'] >= $first['connect_time'], $first['close_errno'], $first['recv_queued_bytes'], $first['send_queued_bytes'],
                $first['socket_fd'] > 2, $first['reactor_id'] === $reactor, $first['worker_id'] === $server->worker_id, isset($first['uid']),
            ]]));
        } elseif ($data === 'second') {
            $server->bind($fd, 4711);
            $bound = $server->getClientInfo($fd, $reactor, true);
            note(json_encode(['later' => [$bound['uid'], array_keys(array_diff_key($bound, $first)), $first['last_send_time'] >= $first['connect_time']]]));
        } else {
            ksort($first);
            note(json_encode(['unix' => array_intersect_key($first, array_flip(['remote_ip', 'remote_port', 'server_port', 'server_fd', 'socket_type']))]));
        }
        $server->send($fd, 'ok');
    });
    $server->start();
    PHP);
$client = $server->connect();
$client->exchange('first', 2);
$client->exchange('second', 2);
$unix = new TestClient("unix://$server->tmp/socket");
$unix->exchange('unix', 2);
$server->stop();
echo implode("\n", $server->notes()), "\n";
?>
--EXPECT--
{"close_errno":"int","connect_time":"int","last_dispatch_time":"float","last_recv_time":"float","last_send_time":"float","last_time":"int","reactor_id":"int","recv_queued_bytes":"int","remote_ip":"string","remote_port":"int","send_queued_bytes":"int","server_fd":"int","server_port":"int","socket_fd":"int","socket_type":"int","worker_id":"int"}
{"fresh":[true,true,true,true,0,0,0,true,true,true,false]}
{"later":[4711,["uid"],true]}
{"unix":{"remote_ip":"","remote_port":0,"server_fd":1,"server_port":0,"socket_type":5}}
