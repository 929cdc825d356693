--TEST--
A setting that is unknown, of a wrong type or out of range throws, and none of that call is taken
--EXTENSIONS--
rotor
--FILE--
<?php
$server = new Rotor\Server('127.0.0.1');
$recursive = [];
$recursive[] = &$recursive;
foreach ([
    ['worker_nums' => 2],
    ['WORKER_NUM' => 2],
    [5 => 2],
    ['backlog' => 10, 'worker_num' => -3],
    ['worker_num' => []],
    ['worker_num' => new stdClass],
    ['daemonize' => 'yes'],
    ['package_eof' => ''],
    ['open_length_check' => true, 'package_length_type' => 'x'],
    ['cpu_affinity_ignore' => $recursive],
    ['dispatch_mode' => 11],
    ['enable_coroutine' => true],
    ["a\0b" => 1],
] as $settings) {
    try {
        $server->set($settings);
        echo "taken\n";
    } catch (Rotor\SettingException $exception) {
        echo $exception->getMessage(), "\n";
    }
}
var_dump($server->setting);
?>
--EXPECTF--
Rotor\Server::set(): unknown setting "worker_nums"; did you mean "worker_num"?
Rotor\Server::set(): unknown setting "WORKER_NUM"; did you mean "worker_num"?
Rotor\Server::set(): unknown setting "5"
Rotor\Server::set(): worker_num must be 0 (one per CPU) to %d (1000 per CPU), -3 given
Rotor\Server::set(): worker_num must be %s given
Rotor\Server::set(): worker_num must be %s object given
Rotor\Server::set(): daemonize must be %s, "yes" given
Rotor\Server::set(): package_eof must be %s given
Rotor\Server::set(): package_length_type must be %s given%S
Rotor\Server::set(): cpu_affinity_ignore must be %s given
Rotor\Server::set(): dispatch_mode must be %s given%S
Rotor\Server::set(): enable_coroutine must be %s given%S
Rotor\Server::set(): unknown setting "a\0b"
NULL
