--TEST--
A client that reads later gets all of a large file, which takes no memory meanwhile and holds up nobody; it is the file that was opened, whatever has its name by then
--EXTENSIONS--
rotor
posix
--INI--
memory_limit=1G
--FILE--
<?php
require __DIR__ . '/../inc/sendfile.inc.php';

$files = new TestFiles();
$server = TestServer::start(FILE_SERVER, env: ['SETTINGS' => json_encode(['buffer_high_watermark' => '1M'])]);
/** What the master has of its own, in bytes. */
$private = function () use ($server): int {
    preg_match('/^RssAnon:\s+(\d+) kB/m', file_get_contents("/proc/$server->pid/status"), $found);
    return 1024 * (int) $found[1];
};
$size = 32 << 20;
$bytes = $files->make('file', $size);
$asks = $server->connect();
$before = $private();
$slow = [];
for ($n = 0; $n < 8; $n++) {
    $slow[$n] = $server->connect();
    $slow[$n]->write(steps(['sendfile', 'FD', $files->path('file')], ['send', 'FD', 'behind']));
}
foreach ($slow as $n => $client) {
    $server->waitFor(function () use ($asks, $n, $size) {
        $asks->write(steps(['info', $n + 2]));
        return (json_decode($asks->readLine(), true)['send_queued_bytes'] ?? 0) > $size / 2;
    }, 'the file to be queued');
}
$more = $private() - $before;
echo $more < 8 << 20 ? '' : "$more bytes more\n";
// Another file is put in its place, and the name goes.
$files->make('other', 1000);
rename($files->path('other'), $files->path('file'));
unlink($files->path('file'));
foreach ($slow as $client) {
    // Others are served.
    $asks->write(steps(['send', 'FD', 'pong']));
    echo $asks->read(4), ' ';
    echo $client->read($size + 6) === $bytes . 'behind' ? 'whole' : 'other', "\n";
}
// A file is no reason to tell of watermarks.
var_dump($server->notes());
array_map(fn ($client) => $client->close(), [...$slow, $asks]);
$server->stop();
?>
--EXPECT--
pong whole
pong whole
pong whole
pong whole
pong whole
pong whole
pong whole
pong whole
array(0) {
}
