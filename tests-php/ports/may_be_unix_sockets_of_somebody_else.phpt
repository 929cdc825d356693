--TEST--
A unix socket's file belongs to whom the settings name, by name or number, before anybody can connect; who cannot have it is an exception at start()
--EXTENSIONS--
rotor
posix
pcntl
--SKIPIF--
<?php
posix_getuid() === 0 || print('skip needs root');
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server(getenv('ROTOR_TMP') . '/main.sock', 0, Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_UNIX_STREAM);
    $server->set([
        'worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'),
        'unix_socket_owner' => 'nobody', 'unix_socket_group' => 'mail', 'unix_socket_mode' => 0660,
    ]);
    $other = $server->listen(getenv('ROTOR_TMP') . '/other.sock', 0, Rotor\Server::SOCK_UNIX_STREAM);
    $other->set(['unix_socket_owner' => '4111222333']);
    $server->on('start', fn () => ready());
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->start();
    PHP);
$stat = stat("$server->tmp/main.sock");
printf("%s %s %o\n", posix_getpwuid($stat['uid'])['name'], posix_getgrgid($stat['gid'])['name'], $stat['mode'] & 0777);
$stat = stat("$server->tmp/other.sock");
echo $stat['uid'], ' ', posix_getgrgid($stat['gid'])['name'], "\n";
echo (new TestClient("unix://$server->tmp/main.sock"))->exchange('hello'), "\n";
$server->stop();

$script = <<<'PHP'
    [, $as, $settings] = $argv;
    if ($as !== 'root') {
        chmod(getenv('ROTOR_TMP'), 0777);
        posix_setgid(posix_getpwnam($as)['gid']);
        posix_initgroups($as, posix_getpwnam($as)['gid']);
        posix_setuid(posix_getpwnam($as)['uid']);
    }
    $server = new Rotor\Server(getenv('ROTOR_TMP') . '/s', 0, Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_UNIX_STREAM);
    $server->set(['worker_num' => 1, 'log_level' => 4] + json_decode($settings, true));
    $server->on('receive', fn () => 0);
    try {
        $server->start();
    } catch (Rotor\Exception $exception) {
        echo get_class($exception), ' ', $exception->getCode(), ': ', str_replace(getenv('ROTOR_TMP'), 'TMP', $exception->getMessage()), "\n";
    }
    PHP;
foreach ([['root', ['unix_socket_owner' => 'nobdy']], ['root', ['unix_socket_group' => 'mial']], ['nobody', ['unix_socket_owner' => '0']], ['nobody', ['unix_socket_group' => '0']]] as [$as, $settings]) {
    echo TestServer::run($script, args: [$as, json_encode($settings)])[1];
}
?>
--EXPECT--
nobody mail 660
4111222333 root
hello
Rotor\SettingException 0: Rotor\Server::start(): unix_socket_owner must be the name or number of a user of this machine, "nobdy" given (getent passwd)
Rotor\SettingException 0: Rotor\Server::start(): unix_socket_group must be the name or number of a group of this machine, "mial" given (getent group)
Rotor\Exception 1: Rotor\Server::start(): cannot make 0 the owner of unix:TMP/s (unix_socket_owner): operation not permitted (another user, and a group that this process is no member of, need root or CAP_CHOWN)
Rotor\Exception 1: Rotor\Server::start(): cannot make 0 the group of unix:TMP/s (unix_socket_group): operation not permitted (another user, and a group that this process is no member of, need root or CAP_CHOWN)
