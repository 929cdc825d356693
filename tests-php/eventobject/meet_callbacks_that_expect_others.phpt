--TEST--
A callback that expects arguments gets a TypeError, which is reported like any; a value that is no bool is refused
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$refused = new Rotor\Server('127.0.0.1');
foreach (['maybe', 2, [], null] as $value) {
    try {
        var_dump($refused->set(['event_object' => $value]), $refused->setting);
    } catch (Rotor\SettingException $exception) {
        echo $exception->getMessage(), "\n";
    }
}
unset($refused);

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'event_object' => true, 'log_file' => getenv('ROTOR_LOG')]);
    set_exception_handler(fn (Throwable $thrown) => note(get_class($thrown) . ' ' . preg_replace('/, called.*/', '', $thrown->getMessage())));
    $server->on('receive', function (Rotor\Server $server, int $fd, int $reactor, string $data) {
        note('not reached');
    });
    $server->on('close', fn ($server, $event) => note("close $event->fd " . getmypid()));
    $server->start();
    PHP);
$server->allowLog('/its callback threw/');
foreach ([1, 2] as $fd) {
    $client = $server->connect();
    $client->write('x');
    $client->readToEnd();
    $server->waitFor(fn () => preg_grep("/^close $fd /", $server->notes()), 'the close');
}
$server->stop();
$pids = [];
foreach ($server->notes() as $note) {
    echo preg_replace('/\{closure\S*\}/', '{closure}', preg_replace('/ \d+$/', '', $note)), "\n";
    preg_match('/^close \d+ (\d+)$/', $note, $match) && $pids[] = $match[1];
}
var_dump(count(array_unique($pids)));
?>
--EXPECT--
Rotor\Server::set(): event_object must be true or false, "maybe" given; give it without quotes, or as 1 or 0
Rotor\Server::set(): event_object must be true or false, 2 given
Rotor\Server::set(): event_object must be true or false, empty array given
bool(true)
array(0) {
}
TypeError {closure}(): Argument #2 ($fd) must be of type int, Rotor\Server\Event given
close 1
TypeError {closure}(): Argument #2 ($fd) must be of type int, Rotor\Server\Event given
close 2
int(1)
