--TEST--
A user, group or root that cannot be had is an exception at start(), by its name; under the Swoole names, where root is missing, a warning
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

$script = <<<'PHP'
    [, $as, $settings] = $argv;
    if ($as !== 'root') {
        posix_setgid(posix_getpwnam($as)['gid']);
        posix_setuid(posix_getpwnam($as)['uid']);
    }
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_level' => 4] + json_decode($settings, true));
    $server->on('receive', fn () => 0);
    $server->on('workerStart', function ($server) {
        echo 'runs as ', posix_getpwuid(posix_geteuid())['name'], "\n";
        $server->shutdown();
    });
    try {
        $server->start();
    } catch (Rotor\SettingException $exception) {
        echo $exception->getMessage(), "\n";
    }
    PHP;
$try = function (string $as, array $settings, array $ini = []) use ($script): void {
    [$exit, $output] = TestServer::run($script, $ini, [$as, json_encode($settings)]);
    $output = preg_replace('/ in \S+ on line \d+/', '', trim($output));
    echo "$as: ", preg_replace('/user ' . posix_getpwnam('nobody')['uid'] . '\b/', 'user N', $output), $exit === 0 ? '' : " ($exit)", "\n";
};
$try('root', ['user' => 'www-dta']);
$try('root', ['user' => 'nobody', 'group' => "wheel\n"]);
$try('root', ['user' => '4111222333']);
$try('root', ['chroot' => '/no/such/directory']);
$try('root', ['chroot' => '/etc/passwd', 'user' => 'nobody']);
$try('nobody', ['user' => 'daemon']);
$try('nobody', ['group' => 'daemon']);
$try('nobody', ['chroot' => '/tmp']);
// Whom it already is.
$try('nobody', ['user' => 'nobody']);
$try('root', ['user' => 'root', 'group' => '0']);
echo "---\n";
$try('nobody', ['user' => 'daemon', 'chroot' => '/tmp'], ['rotor.swoole_aliases' => '1']);
$try('root', ['user' => 'www-dta'], ['rotor.swoole_aliases' => '1']);
?>
--EXPECT--
root: Rotor\Server::start(): user must be the name or number of a user of this machine, "www-dta" given (getent passwd)
root: Rotor\Server::start(): group must be the name or number of a group of this machine, "wheel\n" given (getent group)
root: Rotor\Server::start(): user is "4111222333", a number without a name, which has no group: set group as well
root: Rotor\Server::start(): chroot must be a directory that exists, "/no/such/directory" is not
root: Rotor\Server::start(): chroot must be a directory that exists, "/etc/passwd" is not
nobody: Rotor\Server::start(): user cannot be honoured: this process, of user N, may not do it without CAP_SETUID; start as root, or leave it out
nobody: Rotor\Server::start(): group cannot be honoured: this process, of user N, may not do it without CAP_SETGID; start as root, or leave it out
nobody: Rotor\Server::start(): chroot cannot be honoured: this process, of user N, may not do it without CAP_SYS_CHROOT; start as root, or leave it out
nobody: runs as nobody
root: runs as root
---
nobody: Warning: Rotor\Server::start(): user, group and chroot are ignored, for the sake of user: this process, of user N, may not do it without CAP_SETUID
runs as nobody
root: Rotor\Server::start(): user must be the name or number of a user of this machine, "www-dta" given (getent passwd)
