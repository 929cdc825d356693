--TEST--
The stub says of each key of stats() what it counts, and of none that is not there
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('receive', fn ($server, $fd) => $server->send($fd, json_encode(array_keys($server->stats())) . "\n"));
    $server->start();
    PHP);
$client = $server->connect();
$client->write('?');
$has = json_decode($client->readLine());
$server->stop();
$stub = file_get_contents(__DIR__ . '/../../php-stubs/rotor.stub.php');
preg_match('~/\*\*((?:(?!\*/).)*)\*/\s+public function stats\(~s', $stub, $found);
preg_match_all('/`([a-z_]+)`/', $found[1], $names);
// Beside the keys it names settings, and the beginning of some keys.
preg_match_all('/^ \* {4,}([a-z_]+)\?: /m', preg_replace('/^ +\*/m', ' *', $stub), $settings);
echo 'not told of: ', implode(', ', array_diff($has, $names[1])), "\n";
echo 'not there: ', implode(', ', array_diff($names[1], $has, $settings[1], ['worker_'])), "\n";
var_dump(count($has) > 60, $has === array_unique($has));
?>
--EXPECT--
not told of: 
not there: 
bool(true)
bool(true)
