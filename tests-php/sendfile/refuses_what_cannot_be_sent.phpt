--TEST--
sendfile() refuses what is no file, parts that are not there and sessions that are none, at once, with code and warning
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/sendfile.inc.php';

$files = new TestFiles();
$files->make('small', 100);
$files->make('large', 1 << 20);
symlink($files->path('nowhere'), $files->path('dangling'));
posix_mkfifo($files->path('pipe'), 0600);
$socket = stream_socket_server('unix://' . $files->path('socket'));
$server = TestServer::start(FILE_SERVER);
$gone = $server->connect();
$gone->write(steps(['pid']));
$gone->readLine();
$gone->close();
$server->waitForNote('close 1 by the client');

$client = $server->connect();
$ask = function (mixed ...$arguments) use ($client, $server, $files): void {
    static $count = 1;
    $client->write(steps(['sendfile', ...$arguments], ['send', 'FD', 'end']));
    $client->read(3);
    $notes = $server->notes();
    echo preg_replace('/x{9,}/', 'xxx', str_replace($files->directory, 'DIR', $notes[$count++] ?? 'nothing')), "\n";
};
$ask('FD', $files->path('missing'));
$ask('FD', $files->path('dangling'));
$ask('FD', $files->path('small') . '/below');
$ask('FD', $files->directory);
$ask('FD', $files->path('pipe'));
$ask('FD', $files->path('socket'));
$ask('FD', '/dev/zero');
$ask('FD', '');
$ask('FD', $files->path("small\0more"));
$ask('FD', $files->path(str_repeat('x', 300)));
$ask('FD', $files->path('small'), 101);
$ask('FD', $files->path('small'), 100, 1);
$ask('FD', $files->path('small'), 50, 51);
$ask('FD', $files->path('large'), 0, (1 << 20) + 1);
$ask('FD', $files->path('large'), PHP_INT_MAX, PHP_INT_MAX);
$ask('FD', $files->path('small'), -1);
$ask('FD', $files->path('small'), 0, -1);
$ask('FD', $files->path('small'), PHP_INT_MIN, PHP_INT_MIN);
$ask(0, $files->path('small'));
$ask(-5, $files->path('small'));
$ask(1, $files->path('small'));
$ask(1_000_000, $files->path('missing'));
$client->close();
$server->stop();

// What PHP itself may not open.
$server = TestServer::start(FILE_SERVER, ini: ['open_basedir' => sys_get_temp_dir() . ':' . dirname(__DIR__)]);
$bytes = $files->make('file', 100_000);
$client = $server->connect();
$around = sys_get_temp_dir() . str_repeat('/..', 20) . PHP_BINARY;
$client->write(steps(['sendfile', 'FD', $files->path('file')], ['sendfile', 'FD', PHP_BINARY], ['sendfile', 'FD', $around], ['send', 'FD', 'end']));
var_dump($client->read(100_003) === $bytes . 'end');
echo str_replace([$around, PHP_BINARY], ['AROUND', 'PHP'], implode("\n", $server->notes())), "\n";
$client->close();
$server->stop();
?>
--EXPECT--
sendfile 2 Rotor\Server::sendfile(): cannot open DIR/missing: no such file or directory
sendfile 2 Rotor\Server::sendfile(): cannot open DIR/dangling: no such file or directory
sendfile 20 Rotor\Server::sendfile(): cannot open DIR/small/below: not a directory
sendfile 9013 Rotor\Server::sendfile(): DIR is no regular file; directories, pipes and devices cannot be sent
sendfile 9013 Rotor\Server::sendfile(): DIR/pipe is no regular file; directories, pipes and devices cannot be sent
sendfile 9013 Rotor\Server::sendfile(): DIR/socket is no regular file; directories, pipes and devices cannot be sent
sendfile 9013 Rotor\Server::sendfile(): /dev/zero is no regular file; directories, pipes and devices cannot be sent
sendfile 505 Rotor\Server::sendfile(): $file is empty; give the path of a file
sendfile 505 Rotor\Server::sendfile(): $file has a NUL byte; give the path of a file
sendfile 504 Rotor\Server::sendfile(): cannot open DIR/xxx...: file name too long
sendfile 505 Rotor\Server::sendfile(): $offset is 101, beyond the 100 bytes of DIR/small
sendfile 505 Rotor\Server::sendfile(): $offset and $length end at 101, beyond the 100 bytes of DIR/small
sendfile 505 Rotor\Server::sendfile(): $offset and $length end at 101, beyond the 100 bytes of DIR/small
sendfile 505 Rotor\Server::sendfile(): $offset and $length end at 1048577, beyond the 1048576 bytes of DIR/large
sendfile 505 Rotor\Server::sendfile(): $offset is 9223372036854775807, beyond the 1048576 bytes of DIR/large
sendfile 505 Rotor\Server::sendfile(): $offset must not be negative, -1 given
sendfile 505 Rotor\Server::sendfile(): $length must not be negative, -1 given
sendfile 505 Rotor\Server::sendfile(): $offset must not be negative, -9223372036854775808 given
sendfile 1006 Rotor\Server::sendfile(): session ids are positive numbers, 0 given
sendfile 1006 Rotor\Server::sendfile(): session ids are positive numbers, -5 given
sendfile 1004
sendfile 1005
bool(true)
sendfile 1 Rotor\Server::sendfile(): open_basedir does not allow PHP
sendfile 1 Rotor\Server::sendfile(): open_basedir does not allow AROUND
