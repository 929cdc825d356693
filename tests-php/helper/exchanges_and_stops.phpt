--TEST--
The helper starts a server, exchanges bytes with it and stops it, and says nothing of one that leaves nothing
--EXTENSIONS--
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/plain_server.inc.php';

$server = TestServer::start(plain_server("note(\$argv[1] === getenv('ROTOR_PORT') ? 'port' : \$argv[1]);"), args: ['ROTOR_PORT'], extension: false);
var_dump($server->isRunning(), array_keys($server->processes()) === [$server->pid], $server->notes());

$client = $server->connect();
echo $client->exchange('hello'), "\n";
var_dump($client->isSilent(0.05));
$client->write("one\ntwo\n");
echo $client->readLine(), ' ', $client->readLine(), "\n";
$large = random_bytes(8 << 20);
var_dump($client->exchange($large) === $large);
$client->write('the rest');
$client->shutdownWrite();
echo $client->readToEnd($how), ", then $how\n";
$client->close();

echo $server->request('again'), "\n";
$server->waitForNote('accepted', 2);
$server->stop();
var_dump($server->isRunning(), file_exists($server->tmp));
?>
--EXPECT--
bool(true)
bool(true)
array(1) {
  [0]=>
  string(4) "port"
}
hello
bool(true)
one two
bool(true)
the rest, then closed
again
bool(false)
bool(false)
