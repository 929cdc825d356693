<?php

/**
 * The public API of Rotor, for editors and analysers. It is never loaded with the extension.
 *
 * A test compares it with what the extension declares. Which process a callback runs in is said at `on()`.
 *
 * Under `rotor.swoole_aliases=1` (php.ini) the classes that the Swoole extension has, too, are also there under its names
 * (`Swoole\Server`, `Swoole\Server\Event`, `Swoole\Exception`, ...), and so are the constants and functions; unknown
 * settings and events, and values out of range, are then warnings, and surplus arguments are ignored.
 */

namespace Rotor {

    /**
     * The base of all exceptions of Rotor: a server that cannot be set up or run, or an API used in a way that cannot
     * work. The code is the errno of the system call that failed, else 0.
     */
    class Exception extends \RuntimeException
    {
    }

    /**
     * A setting that is unknown, of a wrong type, out of range, or at odds with another. The message names the setting,
     * what was expected and what was given.
     */
    class SettingException extends Exception
    {
    }

    /**
     * The codes that `getLastError()` gives beside errnos (below 500), that `ProtocolError` is told, and that the log and
     * `close_errno` in `getClientInfo()` have of TLS. Names and numbers are those of `SWOOLE_ERROR_…`, so that applications can
     * go on comparing with them.
     */
    final class Error
    {
        /** Memory could not be had. Nothing gives it here. */
        public const MALLOC_FAIL = 501;
        /** A system call has failed. Nothing gives it here. */
        public const SYSTEM_CALL_FAIL = 502;
        /** PHP has failed. Nothing gives it here. */
        public const PHP_FATAL_ERROR = 503;
        /** A path is longer than the kernel takes. */
        public const NAME_TOO_LONG = 504;
        /** An argument makes no sense. */
        public const INVALID_PARAMS = 505;
        /** The way to a reactor is full; later there is room again. */
        public const QUEUE_FULL = 506;
        /** Something that it needs is not there. */
        public const OPERATION_NOT_SUPPORT = 507;
        /** What was received breaks the rules of its protocol. Nothing gives it here. */
        public const PROTOCOL_ERROR = 508;
        /** Not possible in this process or at this time. */
        public const WRONG_OPERATION = 509;
        /** There are no bytes. Nothing gives it here. */
        public const NO_PAYLOAD = 550;
        /** There is no such file. Nothing gives it here. */
        public const FILE_NOT_EXIST = 700;
        /** A file is too large. Nothing gives it here. */
        public const FILE_TOO_LARGE = 701;
        /** A file is empty. Nothing gives it here. */
        public const FILE_EMPTY = 702;
        /** There is no such directory. Nothing gives it here. */
        public const DIR_NOT_EXIST = 703;
        /** Not an IPv6 address. Nothing gives it here. */
        public const BAD_IPV6_ADDRESS = 720;
        /** A signal has no callback. Nothing gives it here. */
        public const UNREGISTERED_SIGNAL = 721;
        /** Not an address. Nothing gives it here. */
        public const BAD_HOST_ADDR = 722;
        /** Not a port number. Nothing gives it here. */
        public const BAD_PORT = 723;
        /** Not a type of socket. Nothing gives it here. */
        public const BAD_SOCKET_TYPE = 724;
        /** A socket could not be taken out of the event loop. Nothing gives it here. */
        public const EVENT_REMOVE_FAILED = 800;
        /** A socket could not be put into the event loop. Nothing gives it here. */
        public const EVENT_ADD_FAILED = 801;
        /** What the event loop waits for could not be changed. Nothing gives it here. */
        public const EVENT_UPDATE_FAILED = 802;
        /** The event loop has met something unknown. Nothing gives it here. */
        public const EVENT_UNKNOWN_DATA = 803;
        /** The server has closed the connection. Nothing gives it here. */
        public const SESSION_CLOSED_BY_SERVER = 1001;
        /** The client has closed the connection. Nothing gives it here. */
        public const SESSION_CLOSED_BY_CLIENT = 1002;
        /** The connection is being closed. */
        public const SESSION_CLOSING = 1003;
        /** The connection is closed. */
        public const SESSION_CLOSED = 1004;
        /** No connection has had this session id. */
        public const SESSION_NOT_EXIST = 1005;
        /** Session ids are positive numbers. */
        public const SESSION_INVALID_ID = 1006;
        /** A message was dropped because its connection has gone. Nothing gives it here. */
        public const SESSION_DISCARD_TIMEOUT_DATA = 1007;
        /** A message was dropped. Nothing gives it here. */
        public const SESSION_DISCARD_DATA = 1008;
        /** The connection's output queue is at `socket_buffer_size`. */
        public const OUTPUT_BUFFER_OVERFLOW = 1009;
        /** A coroutine waits for the output queue. Nothing gives it here. */
        public const OUTPUT_SEND_YIELD = 1010;
        /** The TLS handshake is not over. */
        public const SSL_NOT_READY = 1011;
        /** A file cannot be sent over TLS. Nothing gives it here. */
        public const SSL_CANNOT_USE_SENDFILE = 1012;
        /** A client that has to show a certificate shows none. */
        public const SSL_EMPTY_PEER_CERTIFICATE = 1013;
        /** A client's certificate is not taken. */
        public const SSL_VERIFY_FAILED = 1014;
        /** What a client sends is no TLS. */
        public const SSL_BAD_CLIENT = 1015;
        /** A client breaks the rules of TLS. */
        public const SSL_BAD_PROTOCOL = 1016;
        /** A connection has ended without the end that TLS has. */
        public const SSL_RESET = 1017;
        /** A TLS handshake has failed for another reason. */
        public const SSL_HANDSHAKE_FAILED = 1018;
        /** TLS could not be prepared. Nothing gives it here. */
        public const SSL_CREATE_CONTEXT_FAILED = 1019;
        /** A TLS connection cannot go on. */
        public const SSL_CREATE_SESSION_FAILED = 1020;
        /** A message is larger than `package_max_length`. */
        public const PACKAGE_LENGTH_TOO_LARGE = 1201;
        /** The end or the length of a message was not found within `package_max_length`. */
        public const PACKAGE_LENGTH_NOT_FOUND = 1202;
        /** More bytes than `output_buffer_size` lets one call send, or than memory_limit has room for. */
        public const DATA_LENGTH_TOO_LARGE = 1203;
        /** The length of a message makes no sense. */
        public const PACKAGE_MALFORMED_DATA = 1204;
        /** A task is too large. Nothing gives it here. */
        public const TASK_PACKAGE_TOO_BIG = 2001;
        /** A task could not be handed over. Nothing gives it here. */
        public const TASK_DISPATCH_FAIL = 2002;
        /** A task was not done in time. Nothing gives it here. */
        public const TASK_TIMEOUT = 2003;
        /** A client was made before the server. Nothing gives it here. */
        public const SERVER_MUST_CREATED_BEFORE_CLIENT = 9001;
        /** There are too many sockets. Nothing gives it here. */
        public const SERVER_TOO_MANY_SOCKET = 9002;
        /** A worker has ended. Nothing gives it here. */
        public const SERVER_WORKER_TERMINATED = 9003;
        /** A port cannot be listened on. Nothing gives it here. */
        public const SERVER_INVALID_LISTEN_PORT = 9004;
        /** There are too many ports. Nothing gives it here. */
        public const SERVER_TOO_MANY_LISTEN_PORT = 9005;
        /** The pipe to a worker is full. Nothing gives it here. */
        public const SERVER_PIPE_BUFFER_FULL = 9006;
        /** No worker is idle. Nothing gives it here. */
        public const SERVER_NO_IDLE_WORKER = 9007;
        /** There is a server already. Nothing gives it here. */
        public const SERVER_ONLY_START_ONE = 9008;
        /** The master cannot send this. Nothing gives it here. */
        public const SERVER_SEND_IN_MASTER = 9009;
        /** A request is wrong. Nothing gives it here. */
        public const SERVER_INVALID_REQUEST = 9010;
        /** A connection could not be made. Nothing gives it here. */
        public const SERVER_CONNECT_FAIL = 9011;
        /** There is no such command. Nothing gives it here. */
        public const SERVER_INVALID_COMMAND = 9012;
        /** Not a regular file. */
        public const SERVER_IS_NOT_REGULAR_FILE = 9013;
        /** A worker does not take what is sent to it. Nothing gives it here. */
        public const SERVER_SEND_TO_WORKER_TIMEOUT = 9014;
        /** A callback is missing or wrong. Nothing gives it here. */
        public const SERVER_INVALID_CALLBACK = 9015;
        /** A thread is none of the server's. Nothing gives it here. */
        public const SERVER_UNRELATED_THREAD = 9016;
        /** A worker does not leave in time. Nothing gives it here. */
        public const SERVER_WORKER_EXIT_TIMEOUT = 9101;
        /** A worker was sent something that makes no sense. Nothing gives it here. */
        public const SERVER_WORKER_ABNORMAL_PIPE_DATA = 9102;
        /** A worker has ended with something in hand. Nothing gives it here. */
        public const SERVER_WORKER_UNPROCESSED_DATA = 9103;

        /**
         * There is nothing to make.
         */
        private function __construct()
        {
        }
    }

    /**
     * A server of several processes for streams and datagrams: a master whose reactor threads own the sockets, a manager
     * that keeps the workers alive, and event workers that run the callbacks.
     *
     * Methods that need a running server warn and return false before `start()` and after the server has stopped.
     * Methods that fail return false; `getLastError()` tells why. A process that a callback has forked is no part of
     * the server: there they throw a Rotor\Exception.
     */
    #[\AllowDynamicProperties]
    class Server
    {
        /** One process per worker, each with its own connections. It does not exist yet: the constructor throws, or warns and
         *  takes MODE_PROCESS under the Swoole names. */
        public const MODE_BASE = 1;
        /** Reactor threads in the master own the connections, workers run the callbacks. */
        public const MODE_PROCESS = 2;

        /** TCP over IPv4. */
        public const SOCK_TCP = 1;
        /** UDP over IPv4. */
        public const SOCK_UDP = 2;
        /** TCP over IPv6. */
        public const SOCK_TCP6 = 3;
        /** UDP over IPv6. */
        public const SOCK_UDP6 = 4;
        /** Stream socket of the unix domain. */
        public const SOCK_UNIX_STREAM = 5;
        /** Datagram socket of the unix domain. */
        public const SOCK_UNIX_DGRAM = 6;
        /** TLS, added to a type of stream socket. */
        public const SSL = 512;

        /** Values of the setting `ssl_protocols`, to be added up: TLS 1.2. */
        public const SSL_TLSv1_2 = 32;
        /** TLS 1.3. */
        public const SSL_TLSv1_3 = 64;

        /** Values of the setting `dispatch_mode`: each message to the next worker. */
        public const DISPATCH_ROUND = 1;
        /** The worker is chosen by session id: a connection keeps its worker. */
        public const DISPATCH_FDMOD = 2;
        /** Each message to a worker that has nothing to do; held back while there is none. For callbacks that block. */
        public const DISPATCH_IDLE_WORKER = 3;
        /** By the client's address: all connections of a host have the same worker. */
        public const DISPATCH_IPMOD = 4;
        /** By the user id of `bind()`, by session id until there is one. */
        public const DISPATCH_UIDMOD = 5;
        /** As `dispatch_func` says; what that leaves open goes to a worker that has nothing to do. */
        public const DISPATCH_USERFUNC = 6;
        /** As DISPATCH_IDLE_WORKER. */
        public const DISPATCH_STREAM = 7;
        /** The worker with the fewest connections; a connection keeps it. */
        public const DISPATCH_CO_CONN_LB = 8;
        /** Each message to the worker with the fewest messages that wait or run. */
        public const DISPATCH_CO_REQ_LB = 9;
        /** As DISPATCH_CO_REQ_LB. */
        public const DISPATCH_CONCURRENT_LB = 10;

        /** What `dispatch_func` may return instead of a worker: what it was asked about is dropped. */
        public const DISPATCH_RESULT_DISCARD_PACKET = -1;
        /** The connection is closed; what it sent before is answered. */
        public const DISPATCH_RESULT_CLOSE_CONNECTION = -2;
        /** `dispatch_mode` chooses. */
        public const DISPATCH_RESULT_USERFUNC_FALLBACK = -3;

        /** Answers of `getWorkerStatus()`: in a callback. */
        public const WORKER_BUSY = 1;
        /** Waiting for work. */
        public const WORKER_IDLE = 2;
        /** Leaving, or asked to leave. */
        public const WORKER_EXIT = 3;

        /** Values of the setting `log_level`: each record. */
        public const LOG_DEBUG = 0;
        /** What led to a decision. */
        public const LOG_TRACE = 1;
        /** Connections. */
        public const LOG_INFO = 2;
        /** The life of processes; the default. */
        public const LOG_NOTICE = 3;
        /** It works, but not as asked. */
        public const LOG_WARNING = 4;
        /** Somebody must act. */
        public const LOG_ERROR = 5;
        /** Nothing is logged. */
        public const LOG_NONE = 6;

        /** Values of the setting `log_rotation`: one file; the default. */
        public const LOG_ROTATION_SINGLE = 0;
        /** A file for each month, `log_file` with `.YYYYMM` behind it. */
        public const LOG_ROTATION_MONTHLY = 1;
        /** For each day, `.YYYYMMDD`. */
        public const LOG_ROTATION_DAILY = 2;
        /** For each hour, `.YYYYMMDDHH`. */
        public const LOG_ROTATION_HOURLY = 3;
        /** For each minute, `.YYYYMMDDHHMM`. */
        public const LOG_ROTATION_EVERY_MINUTE = 4;

        /** @var array<string, mixed>|null what has been set, under each setting's own name; null before the first `set()`. In
         *  callbacks also `worker_num`, `task_worker_num`, `output_buffer_size` and `max_connection`: where they were not set,
         *  what holds */
        public $setting = null;
        /** @var Connection\Iterator all connections */
        public $connections = null;
        /** @var string the address given to the constructor */
        public $host = '';
        /** @var int the port number; the kernel's choice when 0 was asked for */
        public $port = 0;
        /** @var int the type of socket, a SOCK_ constant */
        public $type = 0;
        /** @var bool whether the port speaks TLS */
        public $ssl = false;
        /** @var int a MODE_ constant */
        public $mode = 0;
        /** @var list<Server\Port> the ports; the first is the primary one, which the constructor made */
        public $ports = null;
        /** @var int the master's pid; 0 before `start()` */
        public $master_pid = 0;
        /** @var int the manager's pid; 0 before `start()` */
        public $manager_pid = 0;
        /** @var int the id of this worker, from 0, or of this user process, behind those of the workers; -1 in other processes */
        public $worker_id = -1;
        /** @var bool whether this process is a task worker */
        public $taskworker = false;
        /** @var int the pid of this worker or user process; 0 in other processes */
        public $worker_pid = 0;

        /**
         * Binds the socket at once; connections are taken once the server has started. There is one server per process,
         * and only under the CLI.
         *
         * @param string $host an IP address of this machine; '0.0.0.0' are all of IPv4 and '::' all of IPv6, under the Swoole
         *     names those of IPv4 as well; for a unix socket its path,
         *     where a socket that nobody listens on is replaced; 'SYSTEMD' with port 0: all sockets that systemd has opened,
         *     each as a port, whatever `$sock_type` says but for SSL, which those for streams then have
         * @param int $port 0 to 65535; 0: the kernel chooses, and `$port` tells
         * @param int $mode MODE_PROCESS
         * @param int $sock_type a SOCK_ constant, with or without SSL where it is a stream
         * @throws Exception when the address cannot be had (the code is the errno), or for what does not exist yet
         */
        public function __construct(string $host = '0.0.0.0', int $port = 0, int $mode = self::MODE_PROCESS, int $sock_type = self::SOCK_TCP)
        {
        }

        /**
         * Takes settings, before `start()`. Of several calls the later value wins; null puts a setting back to its default.
         * Numbers may be numeric strings, flags 0 and 1, sizes in bytes or such as "8M" (powers of 1024), times are seconds.
         * Of one call either all settings are taken, or none. docs/settings.md describes each.
         *
         * @param array{
         *     worker_num?: int,
         *     reactor_num?: int,
         *     max_connection?: int,
         *     max_conn?: int,
         *     max_connection_policy?: string,
         *     start_session_id?: int,
         *     dispatch_mode?: int,
         *     dispatch_func?: callable(Rotor\Server, int, int, string=): int,
         *     enable_unsafe_event?: bool,
         *     discard_timeout_request?: bool,
         *     event_object?: bool,
         *     daemonize?: bool,
         *     pid_file?: string,
         *     log_file?: string,
         *     log_level?: int,
         *     log_format?: string,
         *     log_date_format?: string,
         *     log_date_with_microseconds?: bool,
         *     log_rotation?: int,
         *     max_wait_time?: int,
         *     shutdown_delay?: int|float,
         *     respawn_max_delay?: int|float,
         *     reload_async?: bool,
         *     reload_concurrency?: int,
         *     reload_user_processes?: bool,
         *     max_request?: int,
         *     max_request_grace?: int,
         *     max_memory?: int|string,
         *     max_lifetime?: int|float,
         *     user?: string,
         *     group?: string,
         *     chroot?: string,
         *     process_dumpable?: bool,
         *     open_cpu_affinity?: bool,
         *     cpu_affinity_ignore?: list<int>,
         *     heartbeat_check_interval?: int,
         *     enable_delay_receive?: bool,
         *     max_queued_bytes?: int|string,
         *     send_timeout?: int|float,
         *     output_buffer_size?: int|string,
         *     buffer_output_size?: int|string,
         *     task_tmpdir?: string,
         *     ipc_memory?: int|string,
         *     close_on_worker_error?: bool,
         *     request_timeout?: int|float,
         *     request_slowlog_timeout?: int|float,
         *     request_slowlog_file?: string,
         *     trace_event_worker?: bool,
         *     unix_socket_mode?: int|string,
         *     unix_socket_owner?: string,
         *     unix_socket_group?: string,
         *     backlog?: int,
         *     open_tcp_nodelay?: bool,
         *     tcp_defer_accept?: int,
         *     tcp_fastopen?: bool,
         *     open_tcp_keepalive?: bool,
         *     tcp_keepidle?: int,
         *     tcp_keepinterval?: int,
         *     tcp_keepcount?: int,
         *     tcp_user_timeout?: int,
         *     kernel_socket_recv_buffer_size?: int|string,
         *     kernel_socket_send_buffer_size?: int|string,
         *     max_connections_per_ip?: int,
         *     accept_rate_per_ip?: int|float,
         *     open_proxy_protocol?: bool,
         *     proxy_trusted?: list<string>,
         *     socket_buffer_size?: int|string,
         *     buffer_high_watermark?: int|string,
         *     buffer_low_watermark?: int|string,
         *     heartbeat_idle_time?: int,
         *     max_idle_time?: int|float,
         *     message_timeout?: int|float,
         *     open_eof_check?: bool,
         *     open_eof_split?: bool,
         *     package_eof?: string,
         *     open_length_check?: bool,
         *     package_length_type?: string,
         *     package_length_offset?: int|string,
         *     package_body_offset?: int|string,
         *     package_body_start?: int|string,
         *     package_length_func?: callable(string): int,
         *     package_max_length?: int|string,
         *     ssl_cert_file?: string,
         *     ssl_key_file?: string,
         *     ssl_sni_certs?: array<string, array{ssl_cert_file: string, ssl_key_file: string}>,
         *     ssl_protocols?: int,
         *     ssl_ciphers?: string,
         *     ssl_prefer_server_ciphers?: bool,
         *     ssl_ecdh_curve?: string,
         *     ssl_verify_peer?: bool,
         *     ssl_allow_self_signed?: bool,
         *     ssl_client_cert_file?: string,
         *     ssl_cafile?: string,
         *     ssl_capath?: string,
         *     ssl_verify_depth?: int,
         *     ssl_alpn_protocols?: list<string>,
         *     ssl_session_tickets?: bool,
         * } $settings
         * @return bool false, with a warning, when the server has started (509), and under the Swoole names when a setting was
         *     ignored (505)
         * @throws SettingException for the first setting that is not known or not taken
         */
        public function set(array $settings): bool
        {
        }

        /**
         * Registers the callback of an event, before `start()`; a second one replaces the first. Names have no "on", and
         * their case does not matter.
         *
         * In the master: `Start($server)`, connections are accepted once it returns, and where it throws the start has failed;
         * `BeforeShutdown($server)`, connections are still served; `Shutdown($server)`, all other processes have ended.
         *
         * In the manager: `ManagerStart($server)`, `ManagerStop($server)`, `BeforeReload($server)`,
         * `AfterReload($server, bool $success)`, false when a successor did not get ready;
         * `WorkerError($server, int $workerId, int $pid, int $exitCode, int $signal, int $fd)` for a worker or a user process
         * that ended with a code or by a signal, `$fd` being the session in its hand or 0;
         * `RequestTimeout($server, int $workerId, int $fd, float $seconds)` for a callback that took longer than
         * `request_timeout`: its worker was killed and replaced, its connection closed.
         *
         * In an event worker: `WorkerStart($server, int $workerId)`; `WorkerStop($server, int $workerId)` on an orderly end
         * only; `WorkerExit($server, int $workerId)` once while it leaves, and again and
         * again as long as something is pending: an alarm (`pcntl_alarm()`), which it lets go there;
         * `Connect($server, int $fd, int $reactorId)`; `Receive($server, int $fd, int $reactorId, string $data)`, one message
         * as the framing settings cut it; `ProtocolError($server, int $fd, int $reactorId, int $code, string $reason)` for what
         * a client sent and no message can be cut from: too large (1201), without a length (1202), malformed (1204), or a
         * message that memory_limit has no room for (1203); its connection is closed next;
         * `Close($server, int $fd, int $reactorId)`, with -1 for a reactor when the server closed. For one connection they
         * come in this order, all in one worker. Between them `BufferFull($server, int $fd)` once `buffer_high_watermark` is
         * reached, and `BufferEmpty($server, int $fd)` once what waits is down at `buffer_low_watermark`, by turns.
         *
         * On a datagram port: `Packet($server, string $data, array $client)`, one datagram; `$client` has `address` and `port`
         * for `sendto()` (a unix socket's path and 0; `''` for a peer that has none, which cannot be answered), the port that
         * it came in by (`server_socket`, its place in `$ports`, and `server_port`, its number) and `dispatch_time`, when it
         * was received. A peer keeps its worker, by its address and port, where `dispatch_mode` has connections keep theirs
         * (in mode 4 by its address); in modes 1, 9 and 10 each datagram goes to another.
         *
         * With `event_object` these get one object beside the server: `Connect`, `Receive` and `Close` a `Rotor\Server\Event`,
         * `Packet` a `Rotor\Server\Packet`, `WorkerError` a `Rotor\Server\StatusInfo`.
         *
         * An uncaught exception is reported as PHP does it and the process goes on. `exit()` ends the worker with its code,
         * and another takes its place; in master and manager it stops the server, which answers what it has received and ends
         * with that code.
         *
         * @return bool false, with a warning, when the server has started (509), and under the Swoole names for an unknown event
         *     (505)
         * @throws Exception for an unknown event, naming the nearest one
         * @throws \TypeError for a callback that cannot be called
         */
        public function on(string $event, callable $callback): bool
        {
        }

        /**
         * The callback of an event as it was registered; null when none was.
         */
        public function getCallback(string $event): \Closure|string|array|null
        {
        }

        /**
         * Listens on another address as well. It is bound at once.
         *
         * @param string $host an IP address of this machine, or the path of a unix socket
         * @param int $port 0 to 65535; 0: the kernel chooses, and the port's `$port` tells
         * @param int $sock_type a SOCK_ constant, with or without SSL
         * @return Server\Port|false false when the server has started
         * @throws Exception when the address cannot be had
         */
        public function listen(string $host, int $port, int $sock_type): Server\Port|false
        {
        }

        /**
         * The same as `listen()`.
         */
        public function addlistener(string $host, int $port, int $sock_type): Server\Port|false
        {
        }

        /**
         * Has the server run a process of the script's own, before `start()`. The manager starts it with the workers, starts
         * it again whenever it ends, and ends it by SIGTERM when the workers have stopped. In it all methods of the server
         * work; its worker id comes after those of the workers. A reload replaces it with `reload_user_processes` only.
         *
         * One that ends within a second is started again at once, the second time in a row after 0.1 seconds, then after
         * twice as long each time, up to `respawn_max_delay`.
         *
         * @return int|false its number, from 0; false for one that was added or started before, and when the server has
         *     started
         */
        public function addProcess(Process $process): int|false
        {
        }

        /**
         * Runs the server, and returns in the master once it has stopped. In the other processes it does not return: they
         * end as a script does, with shutdown functions and destructors. A time limit of the script (`set_time_limit()`,
         * `max_execution_time`) ends here; one that a callback sets holds for its process.
         *
         * @return bool true after an orderly stop; false when it was called before
         * @throws Exception when a port has no callback for what its clients send (`Receive`; `Packet` where they send
         *     datagrams) or the server cannot run (the code is the errno)
         * @throws SettingException when settings do not work together or on this machine
         */
        public function start(): bool
        {
        }

        /**
         * Queues bytes for a client, in any process of the server. What one process sends to a client arrives in that order.
         *
         * @param int|string $fd a session id; a string may hold the number, or be the path of a unix socket, beginning with
         *     `/`, to which a datagram goes as by `sendto()`
         * @param string $data 1 byte to `output_buffer_size`; any bytes
         * @param int $serverSocket for a datagram, see `sendto()`
         * @return bool true when it was queued, which is not yet received; false for a session that is closed (1004),
         *     closing (1003) or unknown (1005), one whose output queue is at `socket_buffer_size` (1009), and when the way
         *     to the reactor is full (506); with a warning for an id below 1 (1006), no data (505) and too much data (1203)
         */
        public function send(int|string $fd, string $data, int $serverSocket = -1): bool
        {
        }

        /**
         * Queues the same bytes for many clients, in any process of the server, whichever workers they belong to. There is one
         * copy for all of them, and one call costs this process about what a `send()` does, and some ten nanoseconds for
         * each client.
         *
         * Who gets them is decided when it is called: connections that are open and that nobody has closed, each once
         * however often it is listed. One whose output queue is at `socket_buffer_size` is skipped; `send_timeout` does not
         * apply. If this process is killed in the call, each of them still gets all of the bytes or none. What one process
         * sends and broadcasts to a client arrives in that order.
         *
         * @param string $data 1 byte to `output_buffer_size`; any bytes
         * @param iterable<int|string>|null $fds session ids, as an array, a generator or any other `Traversable`; those of
         *     sessions that are closed or never were are passed over. `null` or `$server->connections`: the connections of
         *     all ports, at no cost for a walk; `$port->connections`: those of one. Datagram ports have none.
         * @param int ...$except session ids that get nothing
         * @return int how many connections it was queued for, which is not yet received: those it was meant for less those
         *     that are closed, closing, skipped, not done with the handshake of TLS or the header of a proxy, or whose reactor
         *     the way is full to (manager and master do not wait for room; a worker does). 0 with a warning for no data (505)
         *     and too much data (1203), 0 and 506 when the way to all reactors is full or the data fits nowhere
         * @throws \TypeError when a list has anything but integers and strings that are integers; nothing is sent. Nor is it
         *     when an iterator throws.
         */
        public function broadcast(string $data, ?iterable $fds = null, int ...$except): int
        {
        }

        /**
         * Queues a datagram, in any process of the server, for whoever is there: that it was sent before is not needed.
         * What one process sends to one peer leaves in that order.
         *
         * @param string $ip an IPv4 address; an IPv6 address, behind whose `%` the interface of a link-local one stands; or the
         *     path of a unix socket as the master sees it
         * @param int $port 1 to 65535; without meaning for a unix socket
         * @param string $data up to 65,507 bytes over IPv4, 65,527 over IPv6, 65,536 to a unix socket; none is a datagram, too
         * @param int $server_socket the place in `$ports` of the port whose socket sends it, as `Packet` has it in
         *     `$client['server_socket']`; -1: the first of the address's family
         * @return bool true when it was queued; false when the way to the reactor is full (506); with a warning for an address
         *     that is none and where no port is of its family (505), and for too much data (90). What the network, the kernel or
         *     a peer that does not read refuses later is counted: `datagrams_unsent` in `stats()`.
         */
        public function sendto(string $ip, int $port, string $data, int $server_socket = -1): bool
        {
        }

        /**
         * Queues a file, or a part of one, for a client, in any process of the server: behind what was sent before, ahead of
         * what is sent later, with TLS as well. A close that comes behind it waits until it is out.
         *
         * The caller opens the file: what is put in its place later, or that it is removed, changes nothing. It must not be
         * written to while it is being sent; put another one in its place instead (`rename()`). If it gets shorter, the
         * connection is reset and the log says so. A file does not count for `socket_buffer_size` and the watermarks, but no
         * more than 64 of those that are larger than 64 KiB wait for one client.
         *
         * @param string $file the path of a regular file, as the caller sees it
         * @param int $offset where the part begins, up to the size of the file
         * @param int $length how many bytes it has; 0: all up to the end, which may be none
         * @return bool true when it was queued, or there is nothing to send; false for a session that is closed (1004),
         *     closing (1003) or unknown (1005), one with too much in its output queue (1009), and when the way to the
         *     reactor is full (506); with a warning for an id below 1 (1006), an offset or length beyond the end or below 0
         *     (505), what is no regular file (9013), a path that is too long (504), one that `open_basedir` does not allow
         *     (1), and with the errno for a file that cannot be opened
         */
        public function sendfile(int $fd, string $file, int $offset = 0, int $length = 0): bool
        {
        }

        /**
         * Closes a connection, in any process of the server: queued output is sent first. `Close` then runs in the
         * connection's worker, with the reactor id -1.
         *
         * @param bool $reset drop queued output and reset the connection at once
         * @return bool false when it is closed (1004), closing already (1003) or unknown (1005); with a warning for an id
         *     below 1 (1006)
         */
        public function close(int $fd, bool $reset = false): bool
        {
        }

        /**
         * Binds a user id, 1 to 4294967295, to a connection: by it `dispatch_mode` 5 chooses the worker of the messages
         * that come from then on, and `getClientInfo()` shows it. In any process of the server.
         *
         * @return bool false when the connection has a user id already (509), is closed (1004), closing (1003) or unknown (1005);
         *     with a warning for a uid out of range (505) and an id below 1 (1006)
         */
        public function bind(int $fd, int $uid): bool
        {
        }

        /**
         * Has a connection read no more, until `resume()`: what its client sends stays in the kernel, and then with the
         * client. What was read before is still delivered, as far as it has been posted to the worker. Meanwhile the end of
         * the client is not seen unless it resets, and neither `heartbeat_idle_time` nor `max_idle_time` apply. In any
         * process of the server.
         *
         * @return bool false when it is closed (1004), closing (1003) or unknown (1005); with a warning for an id below 1 (1006)
         */
        public function pause(int $fd): bool
        {
        }

        /**
         * Has a connection read again after `pause()`, or for the first time with `enable_delay_receive`. In any process of
         * the server.
         *
         * @return bool as `pause()`
         */
        public function resume(int $fd): bool
        {
        }

        /**
         * The same as `resume()`.
         */
        public function confirm(int $fd): bool
        {
        }

        /**
         * Exempts a connection from `heartbeat_idle_time` and `max_idle_time`, or no longer. In any process of the server.
         *
         * @return bool false when it is closed (1004), closing (1003) or unknown (1005); with a warning for an id below 1 (1006)
         */
        public function protect(int $fd, bool $on = true): bool
        {
        }

        /**
         * The connections, of all workers and ports, that have sent nothing for `heartbeat_idle_time` and are not protected;
         * reactors close them by themselves. It looks at every connection.
         *
         * @param bool $close close them at once; `Close` gets the reactor id -1
         * @return list<int>|false session ids; false when no port has a heartbeat (509)
         */
        public function heartbeat(bool $close = true): array|false
        {
        }

        /**
         * Whether a connection is open and nobody has closed it. In any process of the server.
         */
        public function exists(int $fd): bool
        {
        }

        /**
         * The same as `exists()`.
         */
        public function exist(int $fd): bool
        {
        }

        /**
         * Asks for an orderly stop of the server, as SIGTERM to the master does: no message that has come is left
         * unanswered. In any process of the server; it returns at once.
         */
        public function shutdown(): bool
        {
        }

        /**
         * Asks for new workers, which run the code that `WorkerStart` loads; no connection is closed and no message lost.
         * In any process of the server; it returns at once.
         *
         * @param bool $only_task only task workers, of which there are none yet
         * @return bool false while a reload is under way, or once the server drains (509)
         */
        public function reload(bool $only_task = false): bool
        {
        }

        /**
         * Asks for a successor of one worker, or ends a user process, after which the next one starts. In any process of the
         * server; it returns at once.
         *
         * @param int $workerId -1: the worker or user process that calls
         * @return bool false outside workers without an id (509); with a warning for an id that no worker has (505)
         */
        public function stop(int $workerId = -1): bool
        {
        }

        /**
         * Counters of the whole server since its start, and with `worker_` in front those of the worker that calls. In any
         * process of the server.
         *
         * `start_time`, seconds since 1970. Connections: `connection_num`, those that are open; `accept_count`, `close_count`;
         * `session_round`, the last session id; `min_fd` and `max_fd`, the lowest and the highest descriptor that a connection
         * has had. Messages: `dispatch_count`, those that were handed to workers, datagrams among them (as
         * `pipe_packet_msg_id`, too); `request_count`, those whose callback has returned; `response_count`, what was sent;
         * `total_recv_bytes`, `total_send_bytes`; `concurrency`, those that are in a callback now. Processes: `worker_num`,
         * `task_worker_num`, `user_worker_num`, `idle_worker_num`. In a worker or user process `worker_dispatch_count`,
         * `worker_request_count`, `worker_response_count` and `worker_concurrency`, since it has begun but for the first.
         * `coroutine_num` and `coroutine_peek_num` are 0.
         *
         * Of workers and reloads: `generation`, 1 and one more with each reload that began; `last_reload_success`, 1 or 0, -1
         * before the first reload has ended; `reload_count`, reloads that began, and `failed_reload_count`, those that have
         * failed; `recycle_count`, workers that asked for a successor because of `max_request`, `max_memory` or `max_lifetime`,
         * and `max_request_overshoot`, the messages that they took until it was ready; `respawn_count`, `crash_count`, and
         * `lost_messages`, those that workers had in hand when they died; `exceptions`, callbacks that threw;
         * `slow_request_count` (`request_slowlog_timeout`) and `request_timeout_count` (`request_timeout`);
         * `slots_backing_off`, slots that wait with their next process; `degraded`, 1 while the processes of a slot keep dying.
         *
         * Of connections that were refused: `abort_count`, all of them; of these `refused_max_connection`, `refused_per_ip`
         * (`max_connections_per_ip`), `refused_rate` (`accept_rate_per_ip`), `refused_untrusted` (`proxy_trusted`) and
         * `refused_unwatched`, for want of the kernel's memory. `accept_holds`: times that accepting waited at
         * `max_connection` (`max_connection_policy`); `accept_pauses`: times that it waited for want of descriptors.
         *
         * Of connections that the server has closed: `protocol_errors`, for what their clients sent; `heartbeat_close_count`
         * (`heartbeat_idle_time`), `idle_close_count` (`max_idle_time`), `message_timeout_count` (`message_timeout`), and
         * `stalled_close_count`, those that did not take what was left for them (`message_timeout`).
         *
         * Of what waits, and what was dropped: `read_pauses`, times that a connection was not read since its worker had too
         * much to do; `lane_waits`, times that a worker waited for a reactor; `send_wait_count`, calls of `send()` and
         * `sendfile()` that waited for a client (`send_timeout`), and `send_overflow_count`, those that found its output queue
         * full (1009); `dropped_records`, what was meant for connections that had gone, or was discarded by `dispatch_func`;
         * `refused_messages`, larger than memory_limit had room for. Of shared memory: `blocks_in_use`, pieces for large
         * messages that are taken now, and `spilled_messages`, those that went by a file in `task_tmpdir`. Of the log:
         * `log_lines_suppressed`, one of many like them, and `log_lines_dropped`, which could not be written.
         *
         * Of datagrams: `datagrams_received`; `datagrams_sent`, which the kernel has taken; `datagrams_unsent`, dropped because
         * the network or the peer did not take them; `datagrams_truncated`, dropped because they were larger than 64 KiB, which
         * only a unix socket can bring; `datagrams_missed`, which the kernel had no room for before they were read, as it says
         * with the next one.
         *
         * Of TLS: `ssl_handshakes`, those that were completed, and `ssl_resumptions`, those among them that a ticket made short;
         * `ssl_failed_handshakes`; `ssl_truncations`, connections that ended without saying so.
         *
         * @return array<string, int>|false
         */
        public function stats(): array|false
        {
        }

        /**
         * What is known of a connection, in any process of the server; also while its `Close` callback runs. Times are
         * seconds since 1970, 0 where nothing has happened yet.
         *
         * @param int $reactor_id without meaning
         * @param bool $ignoreError without meaning
         * @return array{server_port: int, server_fd: int, socket_fd: int, socket_type: int, remote_port: int,
         *     remote_ip: string, reactor_id: int, worker_id: int, connect_time: int, last_time: int, last_recv_time: float,
         *     last_send_time: float, last_dispatch_time: float, close_errno: int, recv_queued_bytes: int, send_queued_bytes: int,
         *     uid?: int, proxy_ip?: string, proxy_port?: int, ssl_protocol?: string, ssl_cipher?: string,
         *     ssl_alpn_protocol?: string, ssl_client_cert?: string}|false `server_fd` is the port's place in `$ports`;
         *     `socket_fd` the descriptor in the master; `worker_id` the connection's worker (in modes of `dispatch_mode` without
         *     one, what its id alone would choose); `recv_queued_bytes` the messages that wait for a worker, beside what the
         *     reactor holds back; `send_queued_bytes` the output that waits for the client; `close_errno` the errno that broke
         *     the connection, or the code of `Rotor\Error` for what TLS broke at; the uid where one was bound; `proxy_` where a proxy has
         *     said who the client is; `ssl_` on a port with TLS: its version, the cipher suite, the protocol that the client has
         *     chosen (`ssl_alpn_protocols`), and its certificate in PEM form (`ssl_verify_peer`); false when there is no such
         *     connection any more (1004) or yet (1005; 1011 before its TLS handshake is over), and for an id below 1 (1006)
         */
        public function getClientInfo(int $fd, int $reactor_id = -1, bool $ignoreError = false): array|false
        {
        }

        /**
         * The same as `getClientInfo()`.
         *
         * @return array<string, int|float|string>|false
         */
        public function connection_info(int $fd, int $reactor_id = -1, bool $ignoreError = false): array|false
        {
        }

        /**
         * A page of the session ids of all connections, of all workers, in no particular order: what `foreach` over
         * `$connections` gives, in pieces. Each connection that is open throughout is on one page, and on no other; the one
         * that a page began behind may have gone.
         *
         * @param int $start_fd 0: the first page; else the last id of the page before
         * @param int $count 1 to 100
         * @return list<int>|false false behind the last page; for an id that no connection has had (1005); with a warning for a
         *     `$count` out of range (505) and a negative id (1006)
         */
        public function getClientList(int $start_fd = 0, int $count = 10): array|false
        {
        }

        /**
         * The same as `getClientList()`.
         *
         * @return list<int>|false
         */
        public function connection_list(int $start_fd = 0, int $count = 10): array|false
        {
        }

        /**
         * The id of the worker or user process that calls; false in other processes (509).
         */
        public function getWorkerId(): int|false
        {
        }

        /**
         * The pid of a worker or user process, in any process of the server.
         *
         * @param int $id -1: the one that calls
         * @return int|false false for an id that nobody has (505), and while there is no such process, or -1 means none (509)
         */
        public function getWorkerPid(int $id = -1): int|false
        {
        }

        /**
         * What a worker or user process is doing, a WORKER_ constant, in any process of the server.
         *
         * @param int $id -1: the one that calls
         * @return int|false false as `getWorkerPid()`
         */
        public function getWorkerStatus(int $id = -1): int|false
        {
        }

        /**
         * The master's pid.
         */
        public function getMasterPid(): int|false
        {
        }

        /**
         * The manager's pid.
         */
        public function getManagerPid(): int|false
        {
        }

        /**
         * What a worker is doing at this moment, for the master, the manager and user processes: a line with the time, the
         * pid, the worker id, the session in its hand (0: none) and for how many seconds it has been there, then its PHP
         * calls, innermost first, as `#0 function() file:line`. The worker goes on unharmed.
         *
         * @return string|false false with a warning when there is no such process, or this one may not look into it
         */
        public function trace(int $workerId): string|false
        {
        }

        /**
         * In the callbacks for connections and datagrams: this one may take until so many seconds from now, whatever
         * `request_timeout` says. The next one has the setting's time again.
         *
         * @param float $seconds greater than 0
         * @return bool false when no such callback runs (509); with a warning for what is no time (505)
         */
        public function extendTimeout(float $seconds): bool
        {
        }

        /**
         * The socket of a port, for what Rotor has no setting for. It is a second descriptor of the same socket: what is told
         * to it, the server's own is told; closing it closes nothing else. Before `start()`, and then in the master alone
         * (`onStart`), until a stop has closed the port.
         *
         * @param int $port the number of a port; 0: the primary one. `$server->ports[...]->getSocket()` asks by place
         * @return \Socket|false false, with a warning, in other processes (509), for a number that no port has (505), and where
         *     the extension sockets is not loaded (507)
         */
        public function getSocket(int $port = 0): \Socket|false
        {
        }

        /**
         * Why the last method that failed in this process did: an errno below 500, else a code as named at the method, which is a
         * constant of `Rotor\Error`. Methods that succeed leave it as it is, and so do the questions `exists()` and `isset`.
         */
        public function getLastError(): int
        {
        }
    }
}

namespace Rotor\Server {

    /**
     * What `Connect`, `Receive` and `Close` are told with the setting `event_object`.
     */
    class Event
    {
        /** the reactor of the connection; in `Close` -1 when the server closed */
        public int $reactor_id = 0;

        /** the session id */
        public int $fd = 0;

        /** when the message was received, the connection was taken or its end was seen; seconds since 1970 */
        public float $dispatch_time = 0.0;

        /** @var mixed the message, a string; null in `Connect` and `Close`. What the script makes of it may take its place */
        public mixed $data = null;
    }

    /**
     * What `Packet` is told with the setting `event_object`: a datagram, and whom it comes from.
     */
    class Packet
    {
        /** the place in `$ports` of the port that it came in by: the `$server_socket` of `sendto()` */
        public int $server_socket = 0;

        /** the number of that port; 0 for a unix socket */
        public int $server_port = 0;

        /** when it was received; seconds since 1970 */
        public float $dispatch_time = 0.0;

        /** the sender's address, or the path of its unix socket; `''` for one that has none, which cannot be answered */
        public string $address = '';

        /** the sender's port number; 0 for a unix socket */
        public int $port = 0;

        /** @var mixed the datagram, a string. What the script makes of it may take its place */
        public mixed $data = null;
    }

    /**
     * What `WorkerError` is told with the setting `event_object`: how a worker or a user process has ended.
     */
    class StatusInfo
    {
        /** the worker id */
        public int $worker_id = 0;

        /** the process number */
        public int $worker_pid = 0;

        /** both of the following, as `pcntl_waitpid()` gives them and `pcntl_wifsignaled()` takes them */
        public int $status = 0;

        /** the exit code; 0 when a signal ended it */
        public int $exit_code = 0;

        /** the signal that ended it; 0 when it exited */
        public int $signal = 0;

        /** the session that was in its hand, whose message is lost; 0: none */
        public int $fd = 0;
    }

    /**
     * An address that a server listens on, made by `listen()`. What it was told by its own `set()` is all that holds for
     * it; one that was told nothing has the primary port's settings. An event for which it has no callback goes to the
     * primary port's.
     */
    class Port
    {
        /** @var string the address, or the path of a unix socket */
        public $host = '';
        /** @var int the port number; the kernel's choice when 0 was asked for; 0 for a unix socket */
        public $port = 0;
        /** @var int the type of socket, a SOCK_ constant */
        public $type = 0;
        /** @var int its place in `$server->ports`, from 0: what `getClientInfo()` has in `server_fd` */
        public $sock = -1;
        /** @var bool whether the port speaks TLS */
        public $ssl = false;
        /** @var array<string, mixed>|null what has been set by `set()` of this object, under each setting's own name */
        public $setting = null;
        /** @var \Rotor\Connection\Iterator the connections of this port */
        public $connections = null;

        /**
         * Nobody makes one but the server.
         */
        private function __construct()
        {
        }

        /**
         * Settings of a port, before the server starts. On the primary port they are the server's too.
         *
         * @param array<string, mixed> $settings those that docs/settings.md lists under "A port"
         * @return bool false, with a warning, when the server has started (509), and under the Swoole names when a setting was
         *     not taken (505)
         * @throws \Rotor\SettingException for a setting that is unknown, the whole server's, or not taken
         */
        public function set(array $settings): bool
        {
        }

        /**
         * Registers the callback for an event of a port (`Connect`, `Receive`, `ProtocolError`, `Close`, `BufferFull`, `BufferEmpty`,
         * `Packet`), before the server starts.
         *
         * @return bool false, with a warning, when the server has started (509), and under the Swoole names for an event that is
         *     none of a port (505)
         * @throws \Rotor\Exception for an event that is unknown, or one of the whole server
         * @throws \TypeError for a callback that cannot be called
         */
        public function on(string $event, callable $callback): bool
        {
        }

        /**
         * What `on()` of this object has registered for an event.
         */
        public function getCallback(string $event): \Closure|string|array|null
        {
        }

        /**
         * The socket of this port, as `$server->getSocket()` gives it.
         *
         * @return \Socket|false
         */
        public function getSocket(): \Socket|false
        {
        }
    }
}

namespace Rotor {

    /**
     * A process of the script's own: run by a server (`$server->addProcess()`), or started by hand (`start()`).
     *
     * It has a pipe of two sockets. Every process of a server has both ends, so that with the object any of them can
     * `write()` to it and `read()` what it writes: whoever reads first gets it. What is written while it does not run waits
     * for the next one. In a server nothing waits for a process but who calls `read()` or `write()`.
     */
    class Process
    {
        /** What `close()` closes: the end of all other processes. */
        public const PIPE_MASTER = 1;
        /** The end of the process itself. */
        public const PIPE_WORKER = 2;
        /** Reading, for all that have this side's end. */
        public const PIPE_READ = 3;
        /** Writing, for all that have this side's end. */
        public const PIPE_WRITE = 4;

        /** @var int|null the process's pid: in the process itself, and where `start()` was called */
        public $pid = null;
        /** @var int|null its number among those of the server, from 0 */
        public $id = null;
        /** @var int|null the descriptor of this side's end of the pipe; null without a pipe */
        public $pipe = null;

        /**
         * @param callable $callback what the process does: `function (Process $process)`. It ends with code 0 when this
         *     returns, with 255 after an uncaught exception, and as `exit()` says
         * @param bool $redirect_stdin_and_stdout make the process's end of the pipe its standard input and output; the pipe is
         *     a stream then
         * @param int $pipe_type 0 none, 1 a stream, 2 datagrams: each `write()` is one `read()`
         * @param bool $enable_coroutine false; there are none
         * @throws Exception for what does not exist, and when the pipe cannot be made
         */
        public function __construct(callable $callback, bool $redirect_stdin_and_stdout = false, int $pipe_type = 2, bool $enable_coroutine = false)
        {
        }

        /**
         * Forks the process, outside a server's own. The child runs the callback and ends as a script does, with shutdown
         * functions and destructors. Each side keeps its own end of the pipe, so that a stream ends with either.
         *
         * @return int|false the child's pid; false, with a warning, while it runs already and for a process of a server
         */
        public function start(): int|false
        {
        }

        /**
         * Sets the title of the process that calls, as `ps` shows it.
         */
        public function name(string $process_name): bool
        {
        }

        /**
         * Ends the process as `exit()` does. In the process itself; elsewhere it warns.
         *
         * @param int $exit_code 0 to 255
         */
        public function exit(int $exit_code = 0): void
        {
        }

        /**
         * Writes to the other side: from the process to all others, from these to the process. Waits for room.
         *
         * @param string $data 1 byte or more; as datagram no more than the system allows, some 200 KB
         * @return int|false how many bytes went out, which is all of them unless a time limit ended a stream's; false, without
         *     a warning, after the time limit, or when a signal with a callback came first
         */
        public function write(string $data): int|false
        {
        }

        /**
         * Reads what the other side has written, and waits for it.
         *
         * @param int $size at most so many bytes; the rest of a longer datagram is lost
         * @return string|false the empty string when the other side of a stream has ended; false, without a warning, after the
         *     time limit, or when a signal with a callback came first
         */
        public function read(int $size = 8192): string|false
        {
        }

        /**
         * Closes the pipe in the process that calls.
         *
         * @param int $which 0 both ends, or a PIPE_ constant
         */
        public function close(int $which = 0): bool
        {
        }

        /**
         * How long `read()` and `write()` may wait in the process that calls.
         *
         * @param float $seconds 0: for ever
         */
        public function setTimeout(float $seconds): bool
        {
        }

        /**
         * Whether `read()` and `write()` wait at all in the process that calls.
         */
        public function setBlocking(bool $blocking): bool
        {
        }

        /**
         * Sends a signal to a process.
         *
         * @param int $signal_no 0 only asks whether there is such a process
         */
        public static function kill(int $pid, int $signal_no = 15): bool
        {
        }

        /**
         * Waits for the end of a child of the process that calls. Not in a server's master and manager, which wait for their
         * children themselves.
         *
         * @param bool $blocking false: only look
         * @return array{pid: int, code: int, signal: int}|false false when there is none, or a signal came first
         */
        public static function wait(bool $blocking = true): array|false
        {
        }

        /**
         * Calls back with its number when a signal comes: at the next safe point of the running code, or between two
         * callbacks of a worker.
         *
         * @param callable|null $callback null: what was before the first callback
         * @return bool false, with a warning, for a signal that the server itself uses in this process
         */
        public static function signal(int $signal_no, ?callable $callback = null): bool
        {
        }

        /**
         * Goes on as a daemon: in a child, without the terminal. Before a server runs.
         *
         * @param bool $nochdir false: in the root directory
         * @param bool $noclose false: with /dev/null for standard input, output and error
         */
        public static function daemon(bool $nochdir = true, bool $noclose = true): bool
        {
        }
    }
}

namespace Rotor\Connection {

    /**
     * All connections of a server, as `$server->connections`. `foreach` gives the session ids in no particular order, each
     * that is open throughout once, whoever comes and goes meanwhile; each loop has a position of its own, beside the one that
     * these methods move. `[$fd]` is `getClientInfo($fd)`, `isset` is `exists`. Empty before `start()`. To walk over all takes
     * as long as looking at each place of the table once (`max_connection` and a quarter, and some more).
     *
     * @implements \Iterator<int, int>
     * @implements \ArrayAccess<int, array<string, int|float|string>|false>
     */
    class Iterator implements \Iterator, \Countable, \ArrayAccess
    {
        /**
         * Nobody makes one but the server.
         */
        private function __construct()
        {
        }

        /**
         * Begins again.
         */
        public function rewind(): void
        {
        }

        /**
         * Goes to the next connection.
         */
        public function next(): void
        {
        }

        /**
         * Whether there is a connection at this place.
         */
        public function valid(): bool
        {
        }

        /**
         * The session id at this place; false behind the last.
         */
        public function current(): int|false
        {
        }

        /**
         * The number of the step, from 0.
         */
        public function key(): int
        {
        }

        /**
         * How many connections are open.
         */
        public function count(): int
        {
        }

        /**
         * Whether a connection is open and nobody has closed it.
         */
        public function offsetExists(mixed $fd): bool
        {
        }

        /**
         * What is known of a connection; false as `getClientInfo()`, and for one of another port (1005).
         *
         * @return array<string, int|float|string>|false
         */
        public function offsetGet(mixed $fd): array|false
        {
        }

        /**
         * Does nothing: connections are the clients' doing.
         */
        public function offsetSet(mixed $fd, mixed $value): void
        {
        }

        /**
         * Does nothing; `close()` ends a connection.
         */
        public function offsetUnset(mixed $fd): void
        {
        }
    }
}
