--TEST--
request_slowlog_timeout: a worker that sleeps, loops or waits for a peer is told of once, with function, file and line, and goes on unharmed
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$silent = stream_socket_server('tcp://127.0.0.1:0');
$server = TestServer::start(<<<'PHP'
    function nap(): float
    {
        $began = hrtime(true);
        usleep(2_000_000); // here it sleeps
        return (hrtime(true) - $began) / 1e9;
    }
    final class Work
    {
        public static function loop(string $file): void
        {
            $turn = 0;
            // Nearly all of the time it makes no call, so that nobody writes down where it is.

            do { $turn = ($turn + 1) & 0xfffff; } while ($turn !== 0 || self::look($file)); // here it loops
        }
        private static function look(string $file): bool
        {
            clearstatcache();
            return !file_exists($file);
        }
        public function ask(string $address): string
        {
            $stream = stream_socket_client("tcp://$address");
            stream_set_timeout($stream, 60);
            return (string) fgets($stream); // here it waits
        }
    }
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'open_eof_split' => true, 'package_eof' => "\n", 'log_file' => getenv('ROTOR_LOG'),
        'request_slowlog_timeout' => 0.5, 'request_slowlog_file' => getenv('ROTOR_TMP') . '/slow']);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        [$what, $with] = explode(' ', trim($data)) + [1 => ''];
        $answer = 'fast';
        if ($what === 'nap') {
            $answer = nap();
        } elseif ($what === 'loop') {
            Work::loop($with);
            $answer = 'looped';
        } elseif ($what === 'ask') {
            $answer = trim((new Work())->ask($with));
        } elseif ($what === 'stats') {
            $answer = $server->stats()['slow_request_count'];
        }
        $server->send($fd, "$answer\n");
    });
    $server->start();
    PHP);
$server->expectFile('slow');
$slow = fn (): string => (string) file_get_contents("$server->tmp/slow");
$script = dirname($server->tmp) . '/server.php';
$lines = file($script);
$line = fn (string $mark): int => key(preg_grep("/$mark/", $lines)) + 1;
$entries = fn (int $count): array => $server->waitFor(
    fn () => substr_count($slow(), "\n\n") >= $count ? array_filter(explode("\n\n", $slow())) : null, "$count entries");
$show = function (string $entry) use ($script): void {
    [$head, $frames] = explode("\n", $entry, 2);
    echo preg_match('/\A\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} pid=(\d+) worker=0 session=1 seconds=(0\.[5-9]\d\d|[1-9]\d*\.\d{3}) callback=onReceive\z/', $head, $match)
        ? 'head ok' : "bad head: $head", "\n";
    echo str_replace($script, 'FILE', $frames), "\n";
};
$client = $server->connect();
$client->exchange("fast\n");

$client->write("nap\n");
$show($entries(1)[0]);
// As long as it should: nothing has woken it.
$slept = (float) $client->readLine();
var_dump($slept >= 2);
printf("sleeps in line %s\n", str_contains($slow(), "#0 usleep() $script:{$line('here it sleeps')}\n") ? 'ok' : $slow());

$client->write("loop $server->tmp/enough\n");
$entry = $entries(2)[1];
touch("$server->tmp/enough");
echo $client->readLine(), "\n";
unlink("$server->tmp/enough");
printf("loops in line %s\n", str_contains($entry, " Work::loop() $script:{$line('here it loops')}\n") ? 'ok' : $entry);

$client->write('ask ' . stream_socket_get_name($silent, false) . "\n");
$peer = stream_socket_accept($silent);
$show($entries(3)[2]);
fwrite($peer, "late\n");
echo $client->readLine(), "\n";
printf("waits in line %s\n", str_contains($slow(), "#0 fgets() $script:{$line('here it waits')}\n") ? 'ok' : $slow());

// Once for each, and for none that was fast.
$client->write("stats\n");
echo $client->readLine(), " slow requests, ", count($entries(3)), " entries\n";
$client->close();
$server->stop();
?>
--EXPECTF--
head ok
#0 usleep() FILE:5
#1 nap() FILE:5
#2 {closure}() FILE:%d
#3 Rotor\Server->start() FILE:%d
#4 {main}() FILE:%d
bool(true)
sleeps in line ok
looped
loops in line ok
head ok
#0 fgets() FILE:%d
#1 Work->ask() FILE:%d
#2 {closure}() FILE:%d
#3 Rotor\Server->start() FILE:%d
#4 {main}() FILE:%d
late
waits in line ok
3 slow requests, 3 entries
