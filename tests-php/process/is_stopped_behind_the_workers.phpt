--TEST--
A stop ends user processes by SIGTERM when the workers have stopped, waits for those that handle it, and kills what stays longer than max_wait_time
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'max_wait_time' => (int) getenv('WAIT')]);
    $server->addProcess($asleep = new Rotor\Process(function (Rotor\Process $process) {
        note('asleep starts');
        sleep(1000);
    }));
    $server->addProcess($helper = new Rotor\Process(function (Rotor\Process $process) {
        Rotor\Process::signal(SIGTERM, function (int $signal) {
            note("helper gets $signal");
            if (getenv('WAIT') === '1') {
                note('helper stays');
                return;
            }
            exit;
        });
        note('helper starts');
        while (true) {
            $message = $process->read();
            if ($message !== false) {
                $process->write("help for $message");
            } else {
                note('helper goes on');
            }
        }
    }));
    $server->on('workerStop', function ($server) {
        usleep(50_000);
        note('worker stops');
    });
    $server->on('managerStop', fn () => note('manager stops'));
    $server->on('receive', function ($server, $fd) use ($helper) {
        note('in hand');
        usleep(300_000);
        // The stop has begun, and the helper still helps.
        $helper->write((string) $fd);
        $server->send($fd, $helper->read() . "\n");
    });
    $server->start();
    note('start() returns');
    PHP;
foreach (['30', '1'] as $wait) {
    $server = TestServer::start($script, env: ['WAIT' => $wait]);
    $server->waitForNote('asleep starts');
    $server->waitForNote('helper starts');
    if ($wait === '1') {
        $server->expectLog('/kills user=2 pid=\d+: max_wait_time has passed/');
        $server->expectLog('/error user=2 pid=\d+: killed by SIGKILL/');
    }
    $client = $server->connect();
    $client->write('?');
    $server->waitForNote('in hand');
    $server->stop();
    echo $client->readToEnd(), implode("\n", array_slice($server->notes(), 2)), "\n\n";
}

// A supervisor that signals all processes of a server: that is no error, and nobody is told of one.
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG')]);
    $server->addProcess(new Rotor\Process(function () {
        note('process ' . getmypid());
        sleep(1000);
    }));
    $server->on('workerError', fn () => note('an error'));
    $server->on('receive', function ($server, $fd) {
        note('in hand');
        while (!file_exists(getenv('ROTOR_TMP') . '/go')) {
            usleep(1000);
        }
        $server->send($fd, "answer\n");
    });
    $server->start();
    PHP);
$process = (int) substr($server->waitFor(fn () => current(preg_grep('/^process/', $server->notes())), 'the process'), 8);
$client = $server->connect();
$client->write('x');
$server->waitForNote('in hand');
$server->signal(SIGTERM);
$server->waitForLog('/ manager pid=\d+: stopping$/m');
$server->signal(SIGTERM, $process);
$server->waitForLog("/ notice user=1 pid=$process: exited by the SIGTERM that asked for it$/m");
touch("$server->tmp/go");
echo $client->readLine(), "\n";
unlink("$server->tmp/go");
$server->wait();
echo in_array('an error', $server->notes(), true) ? "an error\n" : "no error\n";
?>
--EXPECT--
help for 1
in hand
worker stops
helper gets 15
manager stops
start() returns

help for 1
in hand
worker stops
helper gets 15
helper stays
helper goes on
manager stops
start() returns

answer
no error
