--TEST--
chroot: workers see the new root alone, serve small and large messages in it, are reloaded and stop; master and manager keep theirs
--EXTENSIONS--
rotor
posix
pcntl
--SKIPIF--
<?php
posix_getuid() === 0 || print('skip needs root');
file_exists(ini_get('extension_dir') . '/opcache.so') || print('skip needs opcache');
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/opcache.inc.php';

foreach ([[], withOpcache(['opcache.validate_timestamps' => '0'])] as $ini) {
    $server = TestServer::start(<<<'PHP'
        $jail = getenv('ROTOR_TMP') . '/jail';
        mkdir("$jail/app", recursive: true);
        file_put_contents("$jail/app/code.php", '<?php return "first";');
        // A worker that could still see it would load this one.
        mkdir(getenv('ROTOR_TMP') . '/app');
        file_put_contents(getenv('ROTOR_TMP') . '/app/code.php', '<?php return "outside";');
        chdir("$jail/app");
        // One path, two files: the master knows the one outside, and opcache with it.
        $same = getenv('ROTOR_TMP') . '/app/code.php';
        mkdir(dirname("$jail$same"), recursive: true);
        file_put_contents("$jail$same", '<?php return "inside";');
        require $same;
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
            $server->same = require getenv('ROTOR_TMP') . '/app/code.php';
        });
        $server->on('receive', function ($server, $fd, $reactor, $data) use ($answer) {
            if (substr($data, 4) === 'what?') {
                $data = $answer(json_encode([
                    $server->code, $server->relative, $server->same, getcwd(), is_dir('/app'), is_dir('/usr'), is_dir('../usr'), @file_get_contents('/etc/passwd'), posix_geteuid() !== 0,
                ], JSON_UNESCAPED_SLASHES));
            }
            $server->send($fd, $data);
        });
        $server->start();
        PHP, $ini);
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
}
?>
--EXPECT--
["first","first","inside","/app",true,false,false,false,true]
100000 bytes: the same
12000000 bytes: the same
["second","second","inside","/app",true,false,false,false,true]
["first","first","inside","/app",true,false,false,false,true]
100000 bytes: the same
12000000 bytes: the same
["second","second","inside","/app",true,false,false,false,true]
