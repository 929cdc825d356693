--TEST--
A thousand files leave no descriptor in any process, nor do those whose clients have gone or whose workers were killed in the midst of sending
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/sendfile.inc.php';

$files = new TestFiles();
$server = TestServer::start(FILE_SERVER, env: ['SETTINGS' => json_encode(['send_timeout' => 60])]);
$server->expectLog('/error worker=\d pid=\d+: killed by SIGKILL/');
$server->allowLog('/warning manager pid=\d+: respawning/');
$bytes = $files->make('file', 70_000);
/** The descriptors that the master has, and the workers. */
$count = function () use ($server): array {
    $open = [];
    foreach (array_keys($server->processes()) as $pid) {
        $open[$pid] = descriptors($pid);
    }
    return $open;
};
$asks = $server->connect();
$asks->write(steps(['pid']));
$asks->readLine();
$before = $count();
$clients = [$server->connect(), $server->connect(), $server->connect(), $server->connect()];
foreach ($clients as $client) {
    $client->write(steps(...array_fill(0, 250, ['sendfile', 'FD', $files->path('file')])));
}
foreach ($clients as $client) {
    var_dump($client->read(250 * 70_000) === str_repeat($bytes, 250));
    $client->close();
}
$server->waitFor(fn () => $count() === $before, 'all to be closed: ' . json_encode($before));

// Clients that go while files wait for them.
$gone = [];
for ($n = 0; $n < 8; $n++) {
    $gone[$n] = $server->connect();
    $gone[$n]->write(steps(...array_fill(0, 60, ['sendfile', 'FD', $files->path('file')])));
    $gone[$n]->read(1);
}
array_map(fn ($client) => $client->close(), $gone);
$server->waitFor(fn () => $count() === $before, 'all to be closed: ' . json_encode($before));

// Workers that are killed anywhere between the file and its record.
$master = $before[$server->pid];
for ($round = 0; $round < 20; $round++) {
    $client = $server->connect();
    $client->write(steps(['pid']));
    $pid = (int) $client->readLine();
    $client->write(steps(...array_fill(0, 2000, ['sendfile', 'FD', $files->path('file')])));
    $client->read(70_000);
    usleep(random_int(0, 3000));
    posix_kill($pid, SIGKILL);
    $client->readToEnd();
    $client->close();
}
$server->waitFor(fn () => descriptors($server->pid) === $master, 'the master to have closed all');
$asks->write(steps(['sendfile', 'FD', $files->path('file')]));
var_dump($asks->read(70_000) === $bytes);
$asks->close();
$server->stop();
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
