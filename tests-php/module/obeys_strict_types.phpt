--TEST--
Under strict_types nothing is converted
--EXTENSIONS--
rotor
--FILE--
<?php
declare(strict_types=1);
$server = new Rotor\Server('127.0.0.1');
foreach ([fn () => $server->exists('12'), fn () => $server->send(1, 5), fn () => $server->close(1, 1)] as $call) {
    try {
        $call();
    } catch (TypeError $error) {
        echo $error->getMessage(), "\n";
    }
}
?>
--EXPECT--
Rotor\Server::exists(): Argument #1 ($fd) must be of type int, string given
Rotor\Server::send(): Argument #2 ($data) must be of type string, int given
Rotor\Server::close(): Argument #2 ($reset) must be of type bool, int given
