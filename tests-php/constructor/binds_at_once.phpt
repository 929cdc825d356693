--TEST--
The constructor binds the socket and says where; the port is free again when the object is gone
--EXTENSIONS--
rotor
--FILE--
<?php
$server = new Rotor\Server('127.0.0.1', 0);
$port = $server->port;
var_dump($port > 0, $server->host, $server->type, $server->mode, $server->ssl, $server->worker_id, $server->setting);
var_dump(@stream_socket_server("tcp://127.0.0.1:$port"));
unset($server);
var_dump(is_resource(stream_socket_server("tcp://127.0.0.1:$port")));
?>
--EXPECT--
bool(true)
string(9) "127.0.0.1"
int(1)
int(2)
bool(false)
int(-1)
NULL
bool(false)
bool(true)
