--TEST--
The constructor binds the socket and says where; the port is free again when the object is gone
--EXTENSIONS--
rotor
sockets
--FILE--
<?php
$server = new Rotor\Server('127.0.0.1', 0);
$port = $server->port;
var_dump($port > 0, $server->host, $server->type, $server->mode, $server->ssl, $server->worker_id, $server->setting);
$bind = fn (): bool => @socket_bind(socket_create(AF_INET, SOCK_STREAM, SOL_TCP), '127.0.0.1', $port);
var_dump($bind());
unset($server);
var_dump($bind());
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
