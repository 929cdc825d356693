--TEST--
The functions of the Swoole names answer
--EXTENSIONS--
rotor
--INI--
rotor.swoole_aliases=1
--FILE--
<?php
var_dump(swoole_cpu_num() >= 1, swoole_strerror(2), swoole_strerror(1005), swoole_strerror(1009, SWOOLE_STRERROR_SWOOLE));
var_dump(is_string(swoole_strerror(-2, SWOOLE_STRERROR_GAI)), swoole_strerror(1 << 40), swoole_strerror(2, 99));
var_dump(swoole_set_process_name('rotor-test-title'), cli_get_process_title());
foreach (swoole_get_local_ip() as $interface => $ip) {
    is_string($interface) && filter_var($ip, FILTER_VALIDATE_IP, FILTER_FLAG_IPV4) || print("$interface $ip\n");
}
var_dump(is_int(swoole_errno()));
?>
--EXPECT--
bool(true)
string(25) "no such file or directory"
string(22) "session does not exist"
string(22) "output buffer overflow"
bool(true)
string(27) "unknown error 1099511627776"
string(15) "unknown error 2"
bool(true)
string(16) "rotor-test-title"
bool(true)
