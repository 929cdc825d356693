<?php

/**
 * What `rotor.swoole_aliases=1` (php.ini) adds to rotor.stub.php, for editors and analysers: the names of the Swoole
 * extension, for what Rotor has. It is never loaded with the extension.
 */

namespace {

    const SWOOLE_BASE = 1;
    const SWOOLE_PROCESS = 2;
    const SWOOLE_SOCK_TCP = 1;
    const SWOOLE_SOCK_UDP = 2;
    const SWOOLE_SOCK_TCP6 = 3;
    const SWOOLE_SOCK_UDP6 = 4;
    const SWOOLE_SOCK_UNIX_STREAM = 5;
    const SWOOLE_SOCK_UNIX_DGRAM = 6;
    const SWOOLE_SSL = 512;
    const SWOOLE_SSL_TLSv1_2 = 32;
    const SWOOLE_SSL_TLSv1_3 = 64;
    const SWOOLE_DISPATCH_ROUND = 1;
    const SWOOLE_DISPATCH_FDMOD = 2;
    const SWOOLE_DISPATCH_IDLE_WORKER = 3;
    const SWOOLE_DISPATCH_IPMOD = 4;
    const SWOOLE_DISPATCH_UIDMOD = 5;
    const SWOOLE_DISPATCH_USERFUNC = 6;
    const SWOOLE_DISPATCH_STREAM = 7;
    const SWOOLE_DISPATCH_CO_CONN_LB = 8;
    const SWOOLE_DISPATCH_CO_REQ_LB = 9;
    const SWOOLE_DISPATCH_CONCURRENT_LB = 10;
    const SWOOLE_DISPATCH_RESULT_DISCARD_PACKET = -1;
    const SWOOLE_DISPATCH_RESULT_CLOSE_CONNECTION = -2;
    const SWOOLE_DISPATCH_RESULT_USERFUNC_FALLBACK = -3;
    const SWOOLE_WORKER_BUSY = 1;
    const SWOOLE_WORKER_IDLE = 2;
    const SWOOLE_WORKER_EXIT = 3;
    const SWOOLE_LOG_DEBUG = 0;
    const SWOOLE_LOG_TRACE = 1;
    const SWOOLE_LOG_INFO = 2;
    const SWOOLE_LOG_NOTICE = 3;
    const SWOOLE_LOG_WARNING = 4;
    const SWOOLE_LOG_ERROR = 5;
    const SWOOLE_LOG_NONE = 6;
    const SWOOLE_LOG_ROTATION_SINGLE = 0;
    const SWOOLE_LOG_ROTATION_MONTHLY = 1;
    const SWOOLE_LOG_ROTATION_DAILY = 2;
    const SWOOLE_LOG_ROTATION_HOURLY = 3;
    const SWOOLE_LOG_ROTATION_EVERY_MINUTE = 4;
    const SWOOLE_VERSION_ID = 60202;
    const SWOOLE_MAJOR_VERSION = 6;
    const SWOOLE_MINOR_VERSION = 2;
    const SWOOLE_RELEASE_VERSION = 2;
    const SWOOLE_TCP = 1;
    const SWOOLE_UDP = 2;
    const SWOOLE_TCP6 = 3;
    const SWOOLE_UDP6 = 4;
    const SWOOLE_UNIX_STREAM = 5;
    const SWOOLE_UNIX_DGRAM = 6;
    const SWOOLE_SSL_SSLv2 = 2;
    const SWOOLE_SSL_SSLv3 = 4;
    const SWOOLE_SSL_TLSv1 = 8;
    const SWOOLE_SSL_TLSv1_1 = 16;
    const SWOOLE_SSL_DTLS = 128;
    const SWOOLE_STRERROR_SYSTEM = 0;
    const SWOOLE_STRERROR_GAI = 1;
    const SWOOLE_STRERROR_SWOOLE = 9;
    const SWOOLE_ERROR_MALLOC_FAIL = 501;
    const SWOOLE_ERROR_SYSTEM_CALL_FAIL = 502;
    const SWOOLE_ERROR_PHP_FATAL_ERROR = 503;
    const SWOOLE_ERROR_NAME_TOO_LONG = 504;
    const SWOOLE_ERROR_INVALID_PARAMS = 505;
    const SWOOLE_ERROR_QUEUE_FULL = 506;
    const SWOOLE_ERROR_OPERATION_NOT_SUPPORT = 507;
    const SWOOLE_ERROR_PROTOCOL_ERROR = 508;
    const SWOOLE_ERROR_WRONG_OPERATION = 509;
    const SWOOLE_ERROR_NO_PAYLOAD = 550;
    const SWOOLE_ERROR_FILE_NOT_EXIST = 700;
    const SWOOLE_ERROR_FILE_TOO_LARGE = 701;
    const SWOOLE_ERROR_FILE_EMPTY = 702;
    const SWOOLE_ERROR_DIR_NOT_EXIST = 703;
    const SWOOLE_ERROR_BAD_IPV6_ADDRESS = 720;
    const SWOOLE_ERROR_UNREGISTERED_SIGNAL = 721;
    const SWOOLE_ERROR_BAD_HOST_ADDR = 722;
    const SWOOLE_ERROR_BAD_PORT = 723;
    const SWOOLE_ERROR_BAD_SOCKET_TYPE = 724;
    const SWOOLE_ERROR_EVENT_REMOVE_FAILED = 800;
    const SWOOLE_ERROR_EVENT_ADD_FAILED = 801;
    const SWOOLE_ERROR_EVENT_UPDATE_FAILED = 802;
    const SWOOLE_ERROR_EVENT_UNKNOWN_DATA = 803;
    const SWOOLE_ERROR_SESSION_CLOSED_BY_SERVER = 1001;
    const SWOOLE_ERROR_SESSION_CLOSED_BY_CLIENT = 1002;
    const SWOOLE_ERROR_SESSION_CLOSING = 1003;
    const SWOOLE_ERROR_SESSION_CLOSED = 1004;
    const SWOOLE_ERROR_SESSION_NOT_EXIST = 1005;
    const SWOOLE_ERROR_SESSION_INVALID_ID = 1006;
    const SWOOLE_ERROR_SESSION_DISCARD_TIMEOUT_DATA = 1007;
    const SWOOLE_ERROR_SESSION_DISCARD_DATA = 1008;
    const SWOOLE_ERROR_OUTPUT_BUFFER_OVERFLOW = 1009;
    const SWOOLE_ERROR_OUTPUT_SEND_YIELD = 1010;
    const SWOOLE_ERROR_SSL_NOT_READY = 1011;
    const SWOOLE_ERROR_SSL_CANNOT_USE_SENFILE = 1012;
    const SWOOLE_ERROR_SSL_EMPTY_PEER_CERTIFICATE = 1013;
    const SWOOLE_ERROR_SSL_VERIFY_FAILED = 1014;
    const SWOOLE_ERROR_SSL_BAD_CLIENT = 1015;
    const SWOOLE_ERROR_SSL_BAD_PROTOCOL = 1016;
    const SWOOLE_ERROR_SSL_RESET = 1017;
    const SWOOLE_ERROR_SSL_HANDSHAKE_FAILED = 1018;
    const SWOOLE_ERROR_SSL_CREATE_CONTEXT_FAILED = 1019;
    const SWOOLE_ERROR_SSL_CREATE_SESSION_FAILED = 1020;
    const SWOOLE_ERROR_PACKAGE_LENGTH_TOO_LARGE = 1201;
    const SWOOLE_ERROR_PACKAGE_LENGTH_NOT_FOUND = 1202;
    const SWOOLE_ERROR_DATA_LENGTH_TOO_LARGE = 1203;
    const SWOOLE_ERROR_PACKAGE_MALFORMED_DATA = 1204;
    const SWOOLE_ERROR_TASK_PACKAGE_TOO_BIG = 2001;
    const SWOOLE_ERROR_TASK_DISPATCH_FAIL = 2002;
    const SWOOLE_ERROR_TASK_TIMEOUT = 2003;
    const SWOOLE_ERROR_SERVER_MUST_CREATED_BEFORE_CLIENT = 9001;
    const SWOOLE_ERROR_SERVER_TOO_MANY_SOCKET = 9002;
    const SWOOLE_ERROR_SERVER_WORKER_TERMINATED = 9003;
    const SWOOLE_ERROR_SERVER_INVALID_LISTEN_PORT = 9004;
    const SWOOLE_ERROR_SERVER_TOO_MANY_LISTEN_PORT = 9005;
    const SWOOLE_ERROR_SERVER_PIPE_BUFFER_FULL = 9006;
    const SWOOLE_ERROR_SERVER_NO_IDLE_WORKER = 9007;
    const SWOOLE_ERROR_SERVER_ONLY_START_ONE = 9008;
    const SWOOLE_ERROR_SERVER_SEND_IN_MASTER = 9009;
    const SWOOLE_ERROR_SERVER_INVALID_REQUEST = 9010;
    const SWOOLE_ERROR_SERVER_CONNECT_FAIL = 9011;
    const SWOOLE_ERROR_SERVER_INVALID_COMMAND = 9012;
    const SWOOLE_ERROR_SERVER_IS_NOT_REGULAR_FILE = 9013;
    const SWOOLE_ERROR_SERVER_SEND_TO_WOKER_TIMEOUT = 9014;
    const SWOOLE_ERROR_SERVER_INVALID_CALLBACK = 9015;
    const SWOOLE_ERROR_SERVER_UNRELATED_THREAD = 9016;
    const SWOOLE_ERROR_SERVER_WORKER_EXIT_TIMEOUT = 9101;
    const SWOOLE_ERROR_SERVER_WORKER_ABNORMAL_PIPE_DATA = 9102;
    const SWOOLE_ERROR_SERVER_WORKER_UNPROCESSED_DATA = 9103;
    const SWOOLE_VERSION = '6.2.2';
    const SWOOLE_EXTRA_VERSION = '';

    class_alias(\Rotor\Server::class, 'Swoole\Server');
    class_alias(\Rotor\Server\Port::class, 'Swoole\Server\Port');
    class_alias(\Rotor\Server\Event::class, 'Swoole\Server\Event');
    class_alias(\Rotor\Server\Packet::class, 'Swoole\Server\Packet');
    class_alias(\Rotor\Server\StatusInfo::class, 'Swoole\Server\StatusInfo');
    class_alias(\Rotor\Process::class, 'Swoole\Process');
    class_alias(\Rotor\Exception::class, 'Swoole\Exception');
    class_alias(\Rotor\Connection\Iterator::class, 'Swoole\Connection\Iterator');

    /**
     * The version of Swoole whose behaviour is followed.
     */
    function swoole_version(): string
    {
    }

    /**
     * The CPUs of the machine, also those that this process may not use.
     */
    function swoole_cpu_num(): int
    {
    }

    /**
     * Why the last method that failed in this process did; the same as `Rotor\Server::getLastError()`.
     */
    function swoole_last_error(): int
    {
    }

    /**
     * Sets what `swoole_last_error()` gives to 0.
     */
    function swoole_clear_error(): void
    {
    }

    /**
     * The errno of the last system call that failed.
     */
    function swoole_errno(): int
    {
    }

    /**
     * The meaning of an error number.
     *
     * @param int $error_type SWOOLE_STRERROR_SYSTEM: an errno, or from 500 a code of `swoole_last_error()`;
     *     SWOOLE_STRERROR_SWOOLE: such a code; SWOOLE_STRERROR_GAI: a code of the resolver
     */
    function swoole_strerror(int $errno, int $error_type = SWOOLE_STRERROR_SYSTEM): string
    {
    }

    /**
     * Sets what `ps` shows for this process.
     */
    function swoole_set_process_name(string $process_name): bool
    {
    }

    /**
     * IPv4 addresses of this machine by interface, without the loopback.
     *
     * @return array<string, string>
     */
    function swoole_get_local_ip(): array
    {
    }
}
