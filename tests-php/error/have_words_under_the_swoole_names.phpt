--TEST--
Under the Swoole names each code is a constant, too, and swoole_strerror() has words for it
--EXTENSIONS--
rotor
--INI--
rotor.swoole_aliases=1
--FILE--
<?php
$own = (new ReflectionClass(Rotor\Error::class))->getConstants();
$peer = array_filter(get_defined_constants(), fn ($name) => str_starts_with($name, 'SWOOLE_ERROR_'), ARRAY_FILTER_USE_KEY);
var_dump(array_values($own) === array_values($peer));
foreach (array_diff(array_keys($peer), array_map(fn ($name) => "SWOOLE_ERROR_$name", array_keys($own))) as $name) {
    echo $name, ' ', $peer[$name], "\n";
}
$words = array_map(swoole_strerror(...), $peer);
var_dump(count(array_unique($words)), array_search('unknown error', $words, true), swoole_strerror(999));

$server = new Swoole\Server('127.0.0.1');
$said = function (mixed $result): void {
    echo json_encode($result), ' ', swoole_last_error(), "\n";
    swoole_clear_error();
};
$said(@$server->on('nonsense', 'strlen'));
$said(@$server->set(['nonsense' => 1]));
$said(@$server->ports[0]->on('start', 'strlen'));
$said(@$server->ports[0]->set(['nonsense' => 1]));
$said($server->set(['worker_num' => 1]));
$said(@$server->send(1, 'x'));
?>
--EXPECT--
bool(true)
SWOOLE_ERROR_SSL_CANNOT_USE_SENFILE 1012
SWOOLE_ERROR_SERVER_SEND_TO_WOKER_TIMEOUT 9014
int(69)
bool(false)
string(13) "unknown error"
false 505
false 505
false 505
false 505
true 0
false 509
