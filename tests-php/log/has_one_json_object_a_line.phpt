--TEST--
With log_format 'json' each line is one object with time, level, who, pid and event, and with the facts of its event
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'log_format' => 'json', 'log_level' => Rotor\Server::LOG_INFO]);
    $server->on('workerStart', fn ($server, $id) => note('pid ' . getmypid()));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $data === 'die' ? posix_kill(getmypid(), SIGKILL) : $server->send($fd, $data));
    $server->start();
    PHP);
// The helper reads these lines, too.
$server->expectLog('/"level":"error".*killed by SIGKILL/');
echo $server->request('hello'), "\n";
$client = $server->connect();
$client->write('die');
$client->readToEnd();
$server->waitFor(fn () => count($server->notes()) === 2, 'the next worker');
$server->stop();

$lines = explode("\n", trim($server->log()));
$objects = array_map(fn ($line) => json_decode($line, true, flags: JSON_THROW_ON_ERROR), $lines);
$keys = array_map(fn ($object) => array_slice(array_keys($object), 0, 5), $objects);
var_dump(count(array_unique($keys, SORT_REGULAR)), $keys[0]);
var_dump(array_filter($objects, fn ($object) => DateTimeImmutable::createFromFormat('Y-m-d\TH:i:s.uP', $object['time']) === false));
$find = function (string $event, string $who) use ($objects): array {
    foreach ($objects as $object) {
        if ($object['who'] === $who && str_contains($object['event'], $event)) {
            return $object;
        }
    }
    return ['event' => "no $event"];
};
$pid = (int) substr($server->notes()[0], 4);
$spawned = $find('spawned', 'worker=0');
var_dump($spawned['event'], $spawned['level'], $spawned['generation'], $spawned['pid'] === $pid);
$killed = $find('killed', 'worker=0');
var_dump($killed['level'], $killed['session'], $killed['pid'] === $pid);
var_dump($find('serving on', 'master')['level'], $find('from 127.0.0.1', 'master')['level'], $find('closed', 'reactor=0')['level']);
?>
--EXPECT--
hello
int(1)
array(5) {
  [0]=>
  string(4) "time"
  [1]=>
  string(5) "level"
  [2]=>
  string(3) "who"
  [3]=>
  string(3) "pid"
  [4]=>
  string(5) "event"
}
array(0) {
}
string(7) "spawned"
string(6) "notice"
int(2)
bool(true)
string(5) "error"
int(2)
bool(true)
string(6) "notice"
string(4) "info"
string(4) "info"
