--TEST--
A file goes on to its end when the worker that has sent it is killed or replaced, and when the server stops
--EXTENSIONS--
rotor
posix
--INI--
memory_limit=1G
--FILE--
<?php
require __DIR__ . '/../inc/sendfile.inc.php';

$files = new TestFiles();
$server = TestServer::start(FILE_SERVER, env: ['SETTINGS' => json_encode(['close_on_worker_error' => false])]);
$server->expectLog('/error worker=\d pid=\d+: killed by SIGKILL; session=\d+: its message is lost/');
$size = 32 << 20;
$bytes = $files->make('file', $size);
$sends = function (array ...$more) use ($server, $files): TestClient {
    $client = $server->connect();
    $client->write(steps(['send', 'FD', 'before'], ['sendfile', 'FD', $files->path('file')], ['send', 'FD', 'behind'], ...$more));
    $client->read(6);
    return $client;
};
$killed = [$sends(['die']), $sends(['die'])];
$server->waitForLog('/killed by SIGKILL.*\n(.*\n)*.*killed by SIGKILL/');
foreach ($killed as $client) {
    var_dump($client->read($size + 6) === $bytes . 'behind');
}
$replaced = [$sends(), $sends()];
$server->signal(SIGUSR1);
$server->waitForNote('reloaded true');
foreach ($replaced as $client) {
    var_dump($client->read($size + 6) === $bytes . 'behind');
}
// Whoever is in hand is closed by default, behind what was sent.
$stopped = [$sends(), $sends()];
$server->signal(SIGTERM);
foreach ($stopped as $client) {
    var_dump($client->readToEnd() === $bytes . 'behind');
}
$server->wait();
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
