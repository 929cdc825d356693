--TEST--
Rotor\Error has a constant for each code of the peer, under the peer's number
--EXTENSIONS--
rotor
--FILE--
<?php
$class = new ReflectionClass(Rotor\Error::class);
$codes = $class->getConstants();
var_dump(count($codes), count(array_unique($codes)), $class->isFinal(), $class->isInstantiable());
asort($codes);
var_dump($codes === $class->getConstants());
foreach ([501, 505, 509, 550, 700, 703, 720, 724, 800, 803, 1001, 1010, 1020, 1201, 1204, 2001, 2003, 9001, 9016, 9101, 9103] as $code) {
    echo $code, ' ', array_search($code, $codes, true), "\n";
}
try {
    new Rotor\Error();
} catch (Error $error) {
    echo $error->getMessage(), "\n";
}
?>
--EXPECT--
int(69)
int(69)
bool(true)
bool(false)
bool(true)
501 MALLOC_FAIL
505 INVALID_PARAMS
509 WRONG_OPERATION
550 NO_PAYLOAD
700 FILE_NOT_EXIST
703 DIR_NOT_EXIST
720 BAD_IPV6_ADDRESS
724 BAD_SOCKET_TYPE
800 EVENT_REMOVE_FAILED
803 EVENT_UNKNOWN_DATA
1001 SESSION_CLOSED_BY_SERVER
1010 OUTPUT_SEND_YIELD
1020 SSL_CREATE_SESSION_FAILED
1201 PACKAGE_LENGTH_TOO_LARGE
1204 PACKAGE_MALFORMED_DATA
2001 TASK_PACKAGE_TOO_BIG
2003 TASK_TIMEOUT
9001 SERVER_MUST_CREATED_BEFORE_CLIENT
9016 SERVER_UNRELATED_THREAD
9101 SERVER_WORKER_EXIT_TIMEOUT
9103 SERVER_WORKER_UNPROCESSED_DATA
Call to private Rotor\Error::__construct() from global scope
