--TEST--
The server in the README runs when pasted, and answers as it says there
--EXTENSIONS--
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$readme = file_get_contents(__DIR__ . '/../../README.md');
preg_match('/^```php\n(.*?)^```$/ms', $readme, $pasted);
preg_match('/\$ echo (\w+) \|.*\n(.*\n)/', $readme, $console);
$script = str_replace('9501', "(int) getenv('ROTOR_PORT')", $pasted[1], $count);
var_dump($count);

$server = TestServer::start($script);
var_dump($server->request("$console[1]\n", strlen($console[2])) === $console[2]);
$server->stop();
?>
--EXPECT--
int(1)
bool(true)
