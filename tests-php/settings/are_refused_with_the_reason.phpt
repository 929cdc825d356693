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
    ['max_wait_time' => 1.5],
    ['socket_buffer_size' => '8 MB'],
    ['user' => 33],
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
Rotor\Server::set(): worker_num must be %s empty array given; it has to be an integer
Rotor\Server::set(): max_wait_time must be 0 (for ever) to 4294967295 seconds, 1.5 given; it has to be an integer
Rotor\Server::set(): socket_buffer_size must be 1 to 4294967295 bytes, "8 MB" given; it has to be an integer, or a string such as "64K", "8M" or "1G"
Rotor\Server::set(): user must be a string, 33 given
Rotor\Server::set(): worker_num must be %s object given; it has to be an integer
Rotor\Server::set(): daemonize must be true or false, "yes" given; give it without quotes, or as 1 or 0
Rotor\Server::set(): package_eof must be %s given
Rotor\Server::set(): package_length_type must be %s given%S
Rotor\Server::set(): cpu_affinity_ignore must be %s given
Rotor\Server::set(): dispatch_mode must be %s given%S
Rotor\Server::set(): enable_coroutine must be %s given%S
Rotor\Server::set(): unknown setting "a\0b"
NULL
