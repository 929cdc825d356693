--TEST--
Without the extension sockets getSocket() is false, with the reason
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

[$exit, $output] = TestServer::run(<<<'PHP'
    // A process without it, whatever this one has.
    $code = <<<'CODE'
        $server = new Rotor\Server('127.0.0.1', 0);
        var_dump(extension_loaded('sockets'), $server->getSocket(), $server->getLastError(), $server->ports[0]->getSocket());
        CODE;
    passthru(implode(' ', array_map(escapeshellarg(...), [PHP_BINARY, '-n', '-d', 'display_errors=1', '-d', 'html_errors=0', '-d', "extension=$argv[1]", '-r', $code])));
    PHP, args: [getenv('ROTOR_EXTENSION') ?: dirname(__DIR__, 2) . '/target/release/librotor.so']);
echo $output;
?>
--EXPECTF--
Warning: Rotor\Server::getSocket(): the extension sockets, whose object this gives, is not loaded in %s on line %d

Warning: Rotor\Server\Port::getSocket(): the extension sockets, whose object this gives, is not loaded in %s on line %d
bool(false)
bool(false)
int(507)
bool(false)
