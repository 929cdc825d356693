--TEST--
pause() stops the reading of a connection, resume() begins it again; nothing is lost, and the worker may be another's
--EXTENSIONS--
rotor
posix
sockets
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'reactor_num' => 1, 'open_eof_split' => true, 'package_eof' => "\n", 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('connect', fn ($server, $fd) => note("$fd connect"));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        [$what, $to] = explode(' ', rtrim($data)) + ['', $fd];
        $answer = match ($what) {
            'pause', 'resume', 'confirm' => json_encode([$done = @$server->$what((int) $to), $done ? 0 : $server->getLastError()]),
            default => "$what $to",
        };
        $server->send($fd, "$answer\n");
    });
    $server->on('close', fn ($server, $fd, $reactor) => note("$fd close $reactor"));
    $server->start();
    PHP);
[$one, $two] = [$server->connect(), $server->connect()];
$ask = function (TestClient $client, string $what): string {
    $client->write("$what\n");
    return $client->readLine();
};
// By its own worker, then by another's. One reactor: what a worker posts to one it handles in that order.
foreach ([[$one, 1], [$two, 1]] as [$asks, $id]) {
    echo $ask($asks, "pause $id"), $ask($asks === $one ? $two : $asks, "pause $id"), "\n";
    $one->write("first 1\nsecond 1\nthi");
    var_dump($one->isSilent(0.2));
    echo $ask($two, "resume $id"), "\n";
    $one->write("rd 1\n");
    echo $one->readLine(), ', ', $one->readLine(), ', ', $one->readLine(), "\n";
}
// Of no connection.
echo $ask($two, 'pause 99'), $ask($two, 'pause 0'), $ask($two, 'resume -1'), $ask($two, 'confirm 98'), "\n";
// The end of a paused client is behind what it has sent, and seen when that is read.
$three = $server->connect();
echo $ask($three, 'pause 3'), "\n";
$three->write("last words\n");
$three->shutdownWrite();
var_dump($three->isSilent(0.2), preg_grep('/3 close/', $server->notes()) === []);
echo $ask($two, 'resume 3'), "\n";
echo $three->readToEnd();
$server->waitFor(fn () => preg_grep('/3 close [01]/', $server->notes()), 'onClose');
// A reset is seen at once, and what came before it is not delivered.
$four = $server->connect();
echo $ask($four, 'pause 4'), "\n";
$four->write("last words\n");
$four->reset();
$server->waitFor(fn () => preg_grep('/4 close [01]/', $server->notes()), 'onClose');
// The server may close a paused one, and is told of that.
$five = $server->connect();
echo $ask($five, 'pause 5'), "\n";
$server->stop();
var_dump($five->readToEnd());
echo implode(', ', preg_grep('/^5/', $server->notes())), "\n";
?>
--EXPECT--
[true,0][true,0]
bool(true)
[true,0]
first 1, second 1, third 1
[true,0][true,0]
bool(true)
[true,0]
first 1, second 1, third 1
[false,1005][false,1006][false,1006][false,1005]
[true,0]
bool(true)
bool(true)
[true,0]
last words
[true,0]
[true,0]
string(0) ""
5 connect, 5 close -1
