--TEST--
A time limit of the script ends with start(); one that a callback sets is a fatal error of its process, also between two callbacks
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

// Time counts as the CPU's, in all threads of the process together.
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'reactor_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'close_on_worker_error' => false]);
    $burn = function (float $seconds) {
        for ($end = getrusage()['ru_utime.tv_sec'] + $seconds; getrusage()['ru_utime.tv_sec'] < $end;) {
            hash('sha256', str_repeat('x', 10_000));
        }
    };
    $server->on('start', function () use ($burn) {
        // Longer than the limit and what the engine grants beyond it.
        $burn(5);
        note('burnt');
    });
    $server->on('workerStart', fn () => note('worker ' . getmypid()));
    $server->on('workerError', fn ($server, $id, $pid, $code) => note("code $code"));
    $server->on('receive', function ($server, $fd, $reactor, $data) use ($burn) {
        if ($data === 'signal') {
            set_time_limit(1000);
        }
        $server->send($fd, $data);
        if ($data === 'limit') {
            set_time_limit(1);
            $burn(60);
        }
    });
    register_shutdown_function(fn () => note('shutdown function'));
    set_time_limit(1);
    $server->start();
    PHP);
$server->waitForNote('burnt');
$server->waitForLog('/serving on/');
$client = $server->connect();
echo $client->exchange('hello'), "\n";
$server->expectLog('/Maximum execution time of 1 second exceeded/');
$server->expectLog('/Maximum execution time of 1000 seconds exceeded/');
$server->allowLog('/exited code=255|message is lost/');
echo $client->exchange('limit'), "\n";
$server->waitForNote('code 255');
echo $client->exchange('signal'), "\n";
// Nothing runs now: the limit is over in the wait between two callbacks.
$workers = preg_grep('/^worker/', $server->notes());
$worker = (int) substr(end($workers), 7);
$server->waitFor(fn () => preg_match('/^\d+ \(.*\) S /', (string) file_get_contents("/proc/$worker/stat")), 'the worker to wait');
$server->signal(SIGPROF, $worker);
$server->waitForNote('code 255', 2);
$server->waitForNote('shutdown function', 2);
echo $server->request('again'), "\n";
$server->stop();
?>
--EXPECT--
hello
limit
signal
again
