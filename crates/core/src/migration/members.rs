//! The classes: methods, and properties with their `$`. A class is named without `Swoole\` or `Rotor\`.

use super::Fate::{self, Differs, Later, New, Refused, Same};

/// A class of the peer, or of Rotor alone.
pub struct Class {
    /// Its name.
    pub name: &'static str,
    /// Its methods and properties, in the order of the page.
    pub members: &'static [(&'static str, Fate)],
}

/// All classes whose members are told of.
pub static CLASSES: &[Class] = &[
    Class { name: "Server", members: SERVER },
    Class { name: "Server\\Port", members: PORT },
    Class { name: "Server\\Event", members: EVENT },
    Class { name: "Server\\Packet", members: PACKET },
    Class { name: "Server\\StatusInfo", members: STATUS_INFO },
    Class { name: "Connection\\Iterator", members: ITERATOR },
    Class { name: "Process", members: PROCESS },
    Class { name: "Exception", members: &[] },
    Class { name: "SettingException", members: &[] },
    Class { name: "Error", members: &[] },
];

const SERVER: &[(&str, Fate)] = &[
    (
        "__construct",
        Differs(
            "`$mode` is `SWOOLE_PROCESS` where it is left out; for `SWOOLE_BASE` it warns and takes that, and throws \
             without `rotor.swoole_aliases`. An address that cannot be had throws a `Rotor\\Exception` with the errno as \
             its code. `::` takes IPv4 as well, as there, but only under Swoole's names.",
        ),
    ),
    (
        "set",
        Differs(
            "Checks each value, see above. `null` puts a setting back to its default, and a call that throws has \
             changed nothing.",
        ),
    ),
    ("on", Differs("An unknown event throws; under Swoole's names it is a warning and false.")),
    ("getCallback", Same),
    (
        "listen",
        Differs(
            "An address that cannot be had throws instead of a warning and false. `::` takes IPv4 as well only under Swoole's names.",
        ),
    ),
    ("addlistener", Differs("As `listen()`.")),
    (
        "addProcess",
        Differs(
            "A process that keeps ending early is started again with growing delay. At a stop it is ended after the \
             workers. `reload_user_processes` has reloads replace it.",
        ),
    ),
    ("addCommand", Later("commands for the administrator")),
    ("start", Differs("What cannot work throws, instead of a fatal error, or a warning and false.")),
    (
        "send",
        Differs(
            "A client whose output queue is full makes it return false (1009), or wait for `send_timeout`; no coroutine is \
             suspended.",
        ),
    ),
    (
        "sendto",
        Differs(
            "`$server_socket` is the place of a port in `$ports`, as `onPacket` has it, and no descriptor. Too much data \
             for a datagram is false with 90.",
        ),
    ),
    (
        "sendfile",
        Differs(
            "The caller opens the file, at once: what is put in its place later changes nothing, and what is wrong is false \
             with a warning. Nothing is sent of an empty file, without an error. A file that gets shorter while it is sent \
             resets the connection. 64 files may wait for a client.",
        ),
    ),
    ("sendwait", Later("BASE mode, the only one in which Swoole has it")),
    ("exists", Same),
    ("exist", Same),
    (
        "close",
        Differs(
            "`onClose` runs after the callback that calls it, and behind the connection's last message, not inside. What was \
             sent before arrives also at a client that half-closes or still sends.",
        ),
    ),
    ("protect", Same),
    ("pause", Same),
    ("resume", Same),
    ("confirm", Same),
    ("bind", Same),
    (
        "getClientInfo",
        Differs(
            "Without `websocket_status`; with `proxy_ip`, `proxy_port`, `ssl_protocol`, `ssl_cipher` and `ssl_alpn_protocol` \
             where these are known. `server_fd` is the port's place in `$ports`; `remote_ip` of a unix socket's client is empty. \
             `getLastError()` tells whether the connection has gone or was never there.",
        ),
    ),
    ("connection_info", Differs("As `getClientInfo()`.")),
    ("getClientList", Differs("A page may begin behind a connection that has gone meanwhile.")),
    ("connection_list", Differs("As `getClientList()`.")),
    ("heartbeat", Differs("Closes where the argument is left out, as its signature says; Swoole then only lists.")),
    ("task", Later("task workers")),
    ("taskwait", Later("task workers")),
    ("taskWaitMulti", Later("task workers")),
    ("taskCo", Refused("Rotor has no coroutines.")),
    ("finish", Later("task workers")),
    ("sendMessage", Later("messages between workers; `Process::write()` reaches user processes")),
    (
        "reload",
        Differs(
            "No connection is closed and no message lost; the code of the next processes is the one on the disk by then, \
             whatever opcache has kept. `$only_task` does nothing yet.",
        ),
    ),
    (
        "stop",
        Differs(
            "The worker serves on until its successor is ready. There is no `$waitEvent`. A user process can be ended so, too.",
        ),
    ),
    ("shutdown", Differs("Every complete message that has come is answered first.")),
    ("command", Later("commands for the administrator")),
    (
        "stats",
        Differs(
            "Without the counters of tasks; with many of its own, see the stub. `session_round` is the id of the newest \
             connection.",
        ),
    ),
    ("getWorkerId", Same),
    ("getWorkerPid", Same),
    ("getWorkerStatus", Same),
    ("getMasterPid", Same),
    ("getManagerPid", Same),
    (
        "getSocket",
        Differs(
            "There where the extension sockets is loaded, however PHP was built: before `start()`, and then in the master \
             alone.",
        ),
    ),
    ("getLastError", Same),
    ("trace", New("What a worker does at this moment, with its PHP stack.")),
    ("broadcast", New("The same bytes for many connections, of all workers, from one copy.")),
    ("extendTimeout", New("More time for this callback than `request_timeout` gives.")),
    (
        "$setting",
        Differs(
            "Each setting under its own name, and as its own type: `max_connection` where `max_conn` was set, true where `1` was.",
        ),
    ),
    ("$connections", Same),
    ("$host", Same),
    ("$port", Same),
    ("$type", Same),
    ("$ssl", Same),
    ("$mode", Same),
    ("$ports", Same),
    ("$master_pid", Same),
    ("$manager_pid", Same),
    ("$worker_id", Same),
    ("$taskworker", Differs("Always false: there are no task workers yet.")),
    ("$worker_pid", Same),
    ("$stats_timer", Later("a file of statistics")),
    ("$admin_server", Later("an HTTP server for the administrator")),
];

const PORT: &[(&str, Fate)] = &[
    (
        "set",
        Differs(
            "Checks each value as the server's does. Settings that are the whole server's throw; under Swoole's names each \
             is a warning and false. As there, a port whose `set()` was called has defaults for the rest, and not the \
             server's settings; `dispatch_func` alone holds for all ports.",
        ),
    ),
    (
        "on",
        Differs(
            "An event that is unknown, or one of the whole server, throws; under Swoole's names it is a warning and false.",
        ),
    ),
    ("getCallback", Same),
    ("getSocket", Differs("As the server's.")),
    ("$host", Same),
    ("$port", Same),
    ("$type", Same),
    ("$sock", Differs("The port's place in `$server->ports`, and no descriptor.")),
    ("$ssl", Same),
    ("$setting", Differs("What its own `set()` was told, and not what it has from the server.")),
    ("$connections", Same),
];

const EVENT: &[(&str, Fate)] = &[
    ("$reactor_id", Differs("In `onClose` -1 whenever the server closed.")),
    ("$fd", Same),
    ("$dispatch_time", Same),
    ("$data", Same),
];

const PACKET: &[(&str, Fate)] = &[
    ("$server_socket", Differs("The port's place in `$server->ports`, and no descriptor.")),
    ("$server_port", Same),
    ("$dispatch_time", Same),
    ("$address", Same),
    ("$port", Same),
    ("$data", Same),
];

const STATUS_INFO: &[(&str, Fate)] = &[
    ("$worker_id", Same),
    ("$worker_pid", Same),
    ("$status", Same),
    ("$exit_code", Same),
    ("$signal", Same),
    ("$fd", New("The connection whose message was in the worker's hand, or 0.")),
];

const ITERATOR: &[(&str, Fate)] = &[
    ("rewind", Same),
    ("next", Same),
    ("valid", Same),
    ("current", Differs("False behind the last. Each `foreach` has a position of its own.")),
    ("key", Same),
    ("count", Same),
    ("offsetExists", Same),
    ("offsetGet", Differs("As `getClientInfo()`.")),
    ("offsetSet", Same),
    ("offsetUnset", Same),
];

const PROCESS: &[(&str, Fate)] = &[
    ("__construct", Differs("`$enable_coroutine` has to be false: true throws.")),
    ("start", Differs("The child ends as a script does, with shutdown functions and destructors.")),
    ("name", Same),
    ("exit", Same),
    ("write", Same),
    ("read", Same),
    ("close", Same),
    ("setTimeout", Same),
    ("setBlocking", Same),
    ("kill", Same),
    ("wait", Differs("Not in a server's master and manager, which wait for their children themselves.")),
    (
        "signal",
        Differs(
            "The callback runs at the next safe point of the running code, not in an event loop. Signals that the server \
             uses in this process are refused with a warning.",
        ),
    ),
    ("daemon", Differs("There is no `$pipes`. Not within a running server.")),
    ("alarm", Refused("PHP's `pcntl_alarm()` is it for whole seconds.")),
    ("exec", Refused("PHP's `pcntl_exec()` is it.")),
    ("useQueue", Refused(QUEUE)),
    ("statQueue", Refused(QUEUE)),
    ("freeQueue", Refused(QUEUE)),
    ("push", Refused(QUEUE)),
    ("pop", Refused(QUEUE)),
    ("setPriority", Refused("PHP's `pcntl_setpriority()` is it.")),
    ("getPriority", Refused("PHP's `pcntl_getpriority()` is it.")),
    ("setAffinity", Refused("`taskset` sets it for a command; `open_cpu_affinity` is the server's.")),
    ("set", Refused("It is for coroutines, and Rotor has none.")),
    ("exportSocket", Refused("It gives a socket for coroutines, and Rotor has none.")),
    ("$pid", Same),
    ("$id", Same),
    ("$pipe", Same),
    ("$msgQueueId", Refused(QUEUE)),
    ("$msgQueueKey", Refused(QUEUE)),
];

const QUEUE: &str =
    "PHP's `msg_send()` and `msg_receive()` (sysvmsg) are queues; the pipe of a process is one as well.";
