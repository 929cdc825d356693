--TEST--
As the first process of a container the master reaps what it has adopted, also while it drains, and leaves to user code what that has started
--EXTENSIONS--
rotor
posix
pcntl
--SKIPIF--
<?php
require __DIR__ . '/../inc/container.inc.php';
if (container_command($why) === null) {
    die("skip $why");
}
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/container.inc.php';

[$server, $master] = start_in_container(<<<'PHP'
    $tmp = getenv('ROTOR_TMP');
    // How many processes of the namespace have this name and the master for their parent, and which state.
    function children(string $name): array
    {
        $states = ['alive' => 0, 'zombies' => 0];
        foreach (glob('/proc/[0-9]*/stat') as $path) {
            if (preg_match('/^\d+ \(' . $name . '\) (\S) 1 /', (string) @file_get_contents($path), $match)) {
                $states[$match[1] === 'Z' ? 'zombies' : 'alive']++;
            }
        }
        return $states;
    }
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('start', function () use ($tmp) {
        note('master is ' . getmypid());
        // Its own child, which ends at once and is a zombie until it is waited for.
        $at_once = proc_open(['sh', '-c', 'exit 7'], [], $pipes);
        while (children('sh')['zombies'] === 0) {
            usleep(1000);
        }
        note('started and waited for: ' . proc_close($at_once));
        $GLOBALS['later'] = proc_open(['sh', '-c', 'exit $(cat)'], [['pipe', 'r']], $GLOBALS['pipes']);
    });
    $server->on('shutdown', function () {
        fwrite($GLOBALS['pipes'][0], '8');
        fclose($GLOBALS['pipes'][0]);
        note('waited for at the end: ' . proc_close($GLOBALS['later']));
    });
    $server->on('receive', function ($server, $fd, $reactor, $data) use ($tmp) {
        [$what, $name, $count] = explode(' ', trim($data));
        if ($what === 'orphans') {
            // Their parent, a subshell, ends at once. They end when nobody has the fifo open for writing any more.
            copy('/bin/cat', "$tmp/$name");
            chmod("$tmp/$name", 0700);
            posix_mkfifo("$tmp/$name.fifo", 0600);
            for ($i = 0; $i < $count; $i++) {
                exec("($tmp/$name <$tmp/$name.fifo >/dev/null 2>&1 &) >/dev/null 2>&1");
            }
            $fifo = fopen("$tmp/$name.fifo", 'w');
            while (children($name)['alive'] < $count) {
                usleep(1000);
            }
            // A client of the test's asks for the rest.
            $server->send($fd, "$count adopted\n");
            note("$name adopted");
            while (!file_exists("$tmp/$name.end")) {
                usleep(1000);
            }
            fclose($fifo);
            while (children($name) !== ['alive' => 0, 'zombies' => 0]) {
                usleep(1000);
            }
            array_map(unlink(...), glob("$tmp/$name*"));
            $server->send($fd, "none left\n");
        }
    });
    $server->start();
    PHP);
$server->waitFor(fn () => count($server->notes()) === 2, 'the end of onStart');
echo implode("\n", $server->notes()), "\n";
$client = $server->connect();
$client->write("orphans first 20\n");
echo $client->readLine(), "\n";
touch("$server->tmp/first.end");
echo $client->readLine(), "\n";

// Again, with the answer outstanding while the server drains.
$client->write("orphans second 5\n");
echo $client->readLine(), "\n";
$server->signal(SIGTERM, $master);
$server->waitForLog('/ manager pid=\d+: stopping$/m');
touch("$server->tmp/second.end");
echo $client->readLine(), "\n";
$server->wait();
echo implode("\n", preg_grep('/waited/', $server->notes())), "\n";
?>
--EXPECT--
master is 1
started and waited for: 7
20 adopted
none left
5 adopted
none left
started and waited for: 7
waited for at the end: 8
