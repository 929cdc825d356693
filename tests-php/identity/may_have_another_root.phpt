--TEST--
chroot: workers see the new root alone, serve small and large messages in it, are reloaded and stop; master and manager keep theirs
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
    $jail = getenv('ROTOR_TMP') . '/jail';
    mkdir("$jail/app", recursive: true);
    file_put_contents("$jail/app/code.php", '<?php return "first";');
    // A worker that could still see it would load this one.
    mkdir(getenv('ROTOR_TMP') . '/app');
    file_put_contents(getenv('ROTOR_TMP') . '/app/code.php', '<?php return "outside";');
    chdir("$jail/$argv[1]");
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'chroot' => $jail, 'user' => 'nobody', 'task_tmpdir' => getenv('ROTOR_TMP'),
        'open_length_check' => true, 'package_max_length' => '16M',
    ]);
    $answer = fn ($text) => pack('N', strlen($text)) . $text;
    $server->on('managerStart', fn () => note('manager in ' . basename(getcwd())));
    $server->on('workerStart', function ($server) {
        $server->code = require '/app/code.php';
        $server->relative = @include 'code.php';
    });
    $server->on('receive', function ($server, $fd, $reactor, $data) use ($answer) {
        if (substr($data, 4) === 'what?') {
            $ls = fn ($path) => implode(',', array_diff(scandir($path) ?: [], ['.', '..']));
            $data = $answer(json_encode([
                $server->code, $server->relative, getcwd(), $ls('/'), $ls('..'), @file_get_contents('/etc/passwd'), posix_geteuid() !== 0,
            ], JSON_UNESCAPED_SLASHES));
        }
        $server->send($fd, $data);
    });
    $server->start();
    PHP, args: [$argv[1] ?? 'app']);
$server->expectFile('jail');
$server->expectFile('app');

$exchange = function (string $text) use ($server): string {
    $client = $server->connect();
    $client->write(pack('N', strlen($text)) . $text);
    $answer = $client->read(unpack('N', $client->read(4))[1]);
    $client->close();
    return $answer;
};
echo $exchange('what?'), "\n";
foreach ([100_000, 12_000_000] as $size) {
    $message = random_bytes($size);
    echo "$size bytes: ", $exchange($message) === $message ? 'the same' : 'others', "\n";
}
file_put_contents("$server->tmp/jail/app/code.php", '<?php return "second";');
$server->signal(SIGUSR1);
$server->waitForLog('/ reloaded/');
echo $exchange('what?'), "\n";
$server->waitForNote('manager in app');
$server->stop();
?>
--EXPECT--
["first","first","/app","app","app",false,true]
100000 bytes: the same
12000000 bytes: the same
["second","second","/app","app","app",false,true]
