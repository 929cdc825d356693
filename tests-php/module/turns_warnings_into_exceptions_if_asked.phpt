--TEST--
A warning goes through the script's error handler, which may throw
--EXTENSIONS--
rotor
--FILE--
<?php
set_error_handler(fn ($level, $message) => throw new ErrorException($message, 0, $level));
$server = new Rotor\Server('127.0.0.1');
try {
    $server->send(1, 'x');
} catch (ErrorException $exception) {
    echo $exception->getMessage(), "\n";
}
echo $server->getLastError(), "\n";
?>
--EXPECT--
Rotor\Server::send(): server is not running; call start() first
509
