--TEST--
P7: the old worker finishes what it has in hand and answers it, what waits behind goes to the successor, in order
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'open_eof_split' => true, 'package_eof' => "\n",
    ]);
    $server->on('workerStart', fn () => note('start ' . getmypid()));
    $server->on('afterReload', fn ($server, $success) => note('after ' . json_encode($success)));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if (trim($data) === 'long') {
            note('long');
            while (!file_exists(getenv('ROTOR_TMP') . '/go')) {
                usleep(2_000);
            }
        }
        $server->send($fd, trim($data) . ' ' . getmypid() . "\n");
    });
    $server->start();
    PHP);
$server->expectFile('go');
$client = $server->connect();
$client->write("first\nlong\nthird\nfourth\n");
[$word, $old] = explode(' ', $client->readLine());
$server->waitForNote('long');
$server->signal(SIGUSR1);
$new = substr($server->waitFor(fn () => array_values(preg_grep('/^start/', $server->notes()))[1] ?? null, 'the successor'), 6);
$server->waitForLog('/ready; generation=3/');
// Ready, and still the old one has the floor.
echo $client->isSilent(0.1) ? "silent\n" : "an answer too early\n";
$client->write("fifth\n");
touch("$server->tmp/go");
$name = [$old => 'old', $new => 'new'];
foreach (['long', 'third', 'fourth', 'fifth'] as $expected) {
    [$word, $pid] = explode(' ', $client->readLine());
    echo $word === $expected ? $word : "$word, not $expected", ' ', $expected === 'long' ? $name[$pid] : (isset($name[$pid]) ? 'one of both' : 'another'), "\n";
}
$server->waitForNote('after true');
$client->write("sixth\n");
echo 'sixth ', $name[explode(' ', $client->readLine())[1]], "\n";
$client->close();
$server->stop();
?>
--EXPECT--
silent
long old
third one of both
fourth one of both
fifth one of both
sixth new
