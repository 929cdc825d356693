--TEST--
SIGKILL of a worker under load: the client of the message in hand sees the end before the next process is ready, all other connections stay and are answered
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 4, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG'),
        'open_length_check' => true, 'package_length_type' => 'N', 'package_body_offset' => 4,
    ]);
    $server->on('workerStart', function ($server, $id) {
        note("start $id");
        while (file_exists(getenv('ROTOR_TMP') . '/wait')) {
            usleep(1_000);
        }
        note("ready $id");
    });
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        while (substr($data, 4) === 'hold') {
            note('in hand ' . getmypid());
            usleep(60_000_000);
        }
        usleep(mt_rand(0, 20_000));
        $server->send($fd, $data);
    });
    $server->on('workerError', fn ($server, $id, $pid, $code, $signal, $fd) => note("error $signal $fd"));
    $server->start();
    PHP);
$server->allowLog('/killed by SIGKILL/');
$server->waitFor(fn () => count($server->notes()) === 8, 'four workers');
// The first session, and so the first in its worker: nothing of the load is before it.
$client = $server->connect();
$client->write(pack('N', 4) . 'hold');
$pid = (int) substr($server->waitFor(fn () => current(preg_grep('/^in hand/', $server->notes())), 'the message in hand'), 8);
$ledger = Ledger::start($server, '--framing', 'length', '--connections', '40', '--in-flight', '4', '--messages', Ledger::isStress() ? '20000' : '1000');
// What is behind it waits, and is nobody's who dies.
$server->waitFor(fn () => count(array_filter(
    @file('/proc/net/tcp') ?: [],
    fn (string $line): bool => (bool) preg_match(sprintf('/^ *\d+: [0-9A-F]+:%04X [0-9A-F]+:[0-9A-F]+ 01 /', $server->port), $line),
)) > 40, 'the load');
touch("$server->tmp/wait");
$server->signal(SIGKILL, $pid);
echo json_encode($client->readToEnd($how)), " $how, ";
echo count(preg_grep('/^ready/', $server->notes())) === 4 ? "before the next is ready\n" : "too late\n";
unlink("$server->tmp/wait");
$counts = $ledger->finish()['counts'];
echo $counts['answered'] === $counts['sent'] ? 'all answered' : json_encode($counts), ', ';
echo $counts['closed'] + $counts['reset'] + $counts['refused'], " connections ended\n";
echo implode("\n", preg_grep('/^error/', $server->notes())), "\n";
$server->stop();
?>
--EXPECT--
"" closed, before the next is ready
all answered, 0 connections ended
error 9 1
