--TEST--
SOCK_TCP6 binds an IPv6 address
--EXTENSIONS--
rotor
--SKIPIF--
<?php
if (!@stream_socket_server('tcp://[::1]:0')) {
    die('skip there is no IPv6 here');
}
?>
--FILE--
<?php
$server = new Rotor\Server('::1', 0, sock_type: Rotor\Server::SOCK_TCP6);
var_dump($server->port > 0, $server->type, $server->host);
?>
--EXPECT--
bool(true)
int(3)
string(3) "::1"
