//! The settings that Rotor has.

use super::AtMost;
use super::log::LogFormat;
use super::machine::Machine;
use super::row::{Kind, Limit, Preset, Range, Row, Scope, Unit};

/// Makes the rows, and a key for each, so that a row cannot be asked for that is not there.
macro_rules! rows {
    ($($key:ident = $name:literal { $($field:ident: $value:expr),+ $(,)? })+) => {
        /// A setting, for code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "the row has the line for the docs")]
        pub enum Key { $($key),+ }

        /// All settings, in the order of the docs.
        #[allow(clippy::needless_update, reason = "one row says everything itself")]
        pub static ROWS: &[Row] = &[$(Row { key: Key::$key, name: $name, $($field: $value,)+ ..PLAIN }),+];
    };
}

rows! {
    WorkerNum = "worker_num" {
        kind: Kind::Int,
        range: Range::Ints { min: 0, min_means: "one per CPU", max: Limit::PerCpu(1000), max_means: "" },
        preset: Preset::Int(0),
        doc: "Event workers: processes that run the callbacks of connections.",
    }
    ReactorNum = "reactor_num" {
        kind: Kind::Int,
        range: Range::Ints { min: 0, min_means: "one per CPU", max: Limit::Fixed(65_535), max_means: "" },
        preset: Preset::Machine { of: |machine| i64::from(machine.cpus.min(8)), words: "one per CPU, at most 8" },
        doc: "Reactors: threads of the master that read and write the sockets. Lowered to `worker_num` and to 4 per CPU.",
    }
    MaxConnection = "max_connection" {
        aliases: &["max_conn"],
        kind: Kind::Int,
        range: Range::Ints { min: 1, min_means: "", max: Limit::Fixed(16_777_216), max_means: "" },
        preset: Preset::Int(100_000),
        doc: "Connections at once. Lowered to what the limit of descriptors (`ulimit -Hn`) leaves beside the server's own.",
    }
    MaxConnectionPolicy = "max_connection_policy" {
        kind: Kind::Text,
        range: Range::OneOf(AtMost::NAMES),
        preset: Preset::Text("refuse"),
        doc: "What becomes of clients above `max_connection`: they are refused at once, or wait in the kernel's queue (`backlog`) until another one has gone.",
    }
    StartSessionId = "start_session_id" {
        kind: Kind::Int,
        range: Range::Ints { min: 0, min_means: "as 1", max: Limit::Fixed(U32_MAX), max_means: "" },
        preset: Preset::Int(0),
        doc: "The session id of the first connection; each of the later ones has a higher one.",
    }
    DispatchMode = "dispatch_mode" {
        kind: Kind::Int,
        range: Range::Ints { min: 1, min_means: "", max: Limit::Fixed(10), max_means: "" },
        preset: Preset::Int(2),
        doc: "How the worker for a message is picked: 1 one after the other, 2 by session id, 3, 6 and 7 one that has nothing \
              to do (while there is none, messages are held back), 4 by the client's address, 5 by the user id of `bind()`, 8 the one with the fewest connections, 9 and 10 the one with the fewest messages \
              that wait or run. In modes 2, 4 and 8 a connection keeps its worker.",
    }
    DispatchFunc = "dispatch_func" {
        scope: Scope::Port,
        kind: Kind::Callable("callable(Rotor\\Server, int, int, string=): int"),
        preset: Preset::Nothing,
        doc: "A function that says which worker gets a message, by its id: from the session id, the type (0 message, 1 \
              datagram, 4 end, 5 beginning of a connection) and, if it has a fourth parameter, the first 8 KiB of the \
              message; of a datagram it has a number of the sender's address instead of a session. Or it returns \
              `DISPATCH_RESULT_DISCARD_PACKET`, `DISPATCH_RESULT_CLOSE_CONNECTION`, `DISPATCH_RESULT_USERFUNC_FALLBACK` \
              (as `dispatch_mode` says). It runs on the master's main thread, and its port is served there. The server's holds for all ports; `false` exempts one.",
    }
    EnableUnsafeEvent = "enable_unsafe_event" {
        doc: "Let there be callbacks for connections (connect, close, bufferFull, bufferEmpty) in modes of `dispatch_mode` in which a connection has \
              no worker of its own: they run in any worker, connect also beside or after the first message.",
    }
    DiscardTimeoutRequest = "discard_timeout_request" {
        doc: "In modes of `dispatch_mode` in which a connection has no worker of its own, drop messages whose connection \
              has ended before a worker took them. In the other modes they are dropped anyway.",
    }
    EventObject = "event_object" {
        doc: "Callbacks for connections, messages, datagrams and dead workers get one object beside the server instead of \
              several arguments: `Rotor\\Server\\Event` (connect, receive, close), `Rotor\\Server\\Packet` (packet), \
              `Rotor\\Server\\StatusInfo` (workerError).",
    }
    Daemonize = "daemonize" {
        doc: "Leave the terminal at `start()`.",
    }
    PidFile = "pid_file" {
        kind: Kind::Path,
        preset: Preset::Nothing,
        doc: "File that holds the master's pid, locked while the server lives.",
    }
    LogFile = "log_file" {
        kind: Kind::Path,
        preset: Preset::Nothing,
        doc: "File for the log, instead of standard output.",
    }
    LogLevel = "log_level" {
        kind: Kind::Int,
        range: Range::Ints { min: 0, min_means: "debug", max: Limit::Fixed(6), max_means: "none" },
        preset: Preset::Int(3),
        doc: "Lowest level that is logged: 0 debug, 1 trace, 2 info, 3 notice, 4 warning, 5 error, 6 none.",
    }
    LogFormat = "log_format" {
        kind: Kind::Text,
        range: Range::OneOf(LogFormat::NAMES),
        preset: Preset::Text("text"),
        doc: "Shape of a log line: for people, or one JSON object with `time`, `level`, `who`, `pid`, `event` and the facts of the event.",
    }
    LogDateFormat = "log_date_format" {
        kind: Kind::Text,
        range: Range::DateFormat,
        preset: Preset::Text(DEFAULT_DATE),
        doc: "How the time of a text line looks, in the letters of `strftime()`. JSON lines have RFC 3339.",
    }
    LogDateWithMicroseconds = "log_date_with_microseconds" {
        doc: "Put microseconds behind the time of a text line.",
    }
    LogRotation = "log_rotation" {
        kind: Kind::Int,
        range: Range::Ints { min: 0, min_means: "never", max: Limit::Fixed(4), max_means: "every minute" },
        preset: Preset::Int(0),
        doc: "How often `log_file` goes on in a new file, named by the period: 1 monthly (`.YYYYMM`), 2 daily (`.YYYYMMDD`), 3 hourly, 4 every minute.",
    }
    MaxWaitTime = "max_wait_time" {
        kind: Kind::Int,
        unit: Unit::Seconds,
        range: Range::Ints { min: 0, min_means: "for ever", max: Limit::Fixed(U32_MAX), max_means: "" },
        preset: Preset::Int(30),
        doc: "How long a worker that was asked to leave, or a server that was asked to stop, may take before it is ended by force.",
    }
    ShutdownDelay = "shutdown_delay" {
        kind: Kind::Float,
        unit: Unit::Seconds,
        range: Range::Ints { min: 0, min_means: "", max: Limit::Fixed(86_400), max_means: "" },
        preset: Preset::Int(0),
        doc: "How long the server goes on accepting and serving after it was asked to stop, so that a load balancer can learn of it. `max_wait_time` counts from its end.",
    }
    RespawnMaxDelay = "respawn_max_delay" {
        kind: Kind::Float,
        unit: Unit::Seconds,
        range: Range::Ints { min: 0, min_means: "", max: Limit::Fixed(86_400), max_means: "" },
        preset: Preset::Int(5),
        doc: "The longest delay before a worker is started again that keeps dying; the delays begin with 0.1 and double.",
    }
    ReloadAsync = "reload_async" {
        preset: Preset::Flag(true),
        doc: "Reload workers side by side; false: one after the other.",
    }
    ReloadConcurrency = "reload_concurrency" {
        kind: Kind::Int,
        range: Range::Ints { min: 0, min_means: "half of worker_num", max: Limit::PerCpu(1000), max_means: "" },
        preset: Preset::Int(0),
        doc: "How many workers are replaced at once, by a reload or for `max_request`, `max_memory` and `max_lifetime`: each has two processes meanwhile.",
    }
    ReloadUserProcesses = "reload_user_processes" {
        preset: Preset::Flag(false),
        doc: "Replace user processes in a reload, too: each is ended, by SIGTERM, before the next one starts.",
    }
    MaxRequest = "max_request" {
        kind: Kind::Int,
        range: Range::Ints { min: 0, min_means: "no limit", max: Limit::Fixed(U32_MAX), max_means: "" },
        preset: Preset::Int(0),
        doc: "Messages after which a worker is replaced. It serves on until its successor is ready; `max_request_overshoot` in `stats()` says how many it took meanwhile. No slot has more than ten replaced in a second.",
    }
    MaxRequestGrace = "max_request_grace" {
        kind: Kind::Int,
        range: Range::Ints { min: 0, min_means: "max_request is exact", max: Limit::Fixed(U32_MAX), max_means: "" },
        preset: Preset::Machine { of: |_| 0, words: "half of `max_request` if that is above 10, else 0" },
        doc: "Each worker process adds up to so many to `max_request`, by chance, so that they are not all replaced at once.",
    }
    MaxMemory = "max_memory" {
        kind: Kind::Int,
        unit: Unit::Bytes,
        range: Range::Ints { min: 0, min_means: "no limit", max: Limit::Fixed(1 << 50), max_means: "" },
        preset: Preset::Int(0),
        doc: "Resident memory of a worker (RSS, as `ps` shows it) above which it is replaced. Looked at between messages, at most ten times a second, and not in a worker's first second. Less than what a worker has before its first message is warned of and replaces nobody.",
    }
    MaxLifetime = "max_lifetime" {
        kind: Kind::Float,
        unit: Unit::Seconds,
        range: Range::Ints { min: 0, min_means: "no limit", max: Limit::Fixed(U32_MAX), max_means: "" },
        preset: Preset::Int(0),
        doc: "Age at which a worker is replaced, between two messages; not in its first second as a ready one.",
    }
    User = "user" {
        kind: Kind::Text,
        preset: Preset::Nothing,
        doc: "User, by name or number, whose rights workers and user processes have; master and manager keep theirs. \
              Needs root, or to be that user already.",
    }
    Group = "group" {
        kind: Kind::Text,
        preset: Preset::Nothing,
        doc: "Group, by name or number, of the same processes; without it the user's own. The supplementary groups are \
              the user's.",
    }
    Chroot = "chroot" {
        kind: Kind::Path,
        preset: Preset::Nothing,
        doc: "Directory that becomes `/` for workers and user processes. Needs root.",
    }
    ProcessDumpable = "process_dumpable" {
        preset: Preset::Flag(true),
        doc: "Let processes that have become another user dump core, and be traced by that user.",
    }
    OpenCpuAffinity = "open_cpu_affinity" {
        doc: "Pin each reactor and its event workers to one CPU.",
    }
    CpuAffinityIgnore = "cpu_affinity_ignore" {
        kind: Kind::IntList,
        range: Range::Ints { min: 0, min_means: "", max: Limit::Fixed(1023), max_means: "" },
        preset: Preset::Nothing,
        doc: "CPUs to which nothing is pinned.",
    }
    HeartbeatCheckInterval = "heartbeat_check_interval" {
        kind: Kind::Int,
        unit: Unit::Seconds,
        range: Range::Ints { min: 0, min_means: "no heartbeat", max: Limit::Fixed(U32_MAX), max_means: "" },
        preset: Preset::Machine { of: |_| 0, words: "0, or half of `heartbeat_idle_time` where that is set" },
        doc: "Switches the heartbeat on: half of what `heartbeat_idle_time` is where that is not set. Each connection has a \
              timer of its own, so nothing is checked at intervals.",
    }
    EnableDelayReceive = "enable_delay_receive" {
        doc: "Read a new connection only once `confirm()` or `resume()` is called for it.",
    }
    MaxQueuedBytes = "max_queued_bytes" {
        kind: Kind::Int,
        unit: Unit::Bytes,
        range: Range::Ints { min: 0, min_means: "no limit", max: Limit::Fixed(1 << 50), max_means: "" },
        preset: Preset::Int(0),
        doc: "A connection of which more than this waits for its worker is not read until the worker has taken enough.",
    }
    SendTimeout = "send_timeout" {
        kind: Kind::Float,
        unit: Unit::Seconds,
        range: Range::Ints { min: 0, min_means: "does not wait", max: Limit::Fixed(86_400), max_means: "" },
        preset: Preset::Int(0),
        doc: "How long a `send()` of a worker or user process waits for a client whose output queue is at \
              `socket_buffer_size`, before it returns false. Nothing else runs in that process meanwhile.",
    }
    OutputBufferSize = "output_buffer_size" {
        aliases: &["buffer_output_size"],
        kind: Kind::Int,
        unit: Unit::Bytes,
        range: Range::Ints { min: 1, min_means: "", max: Limit::Fixed(U32_MAX), max_means: "" },
        preset: Preset::Int(U32_MAX),
        doc: "Largest single `send()`.",
    }
    TaskTmpdir = "task_tmpdir" {
        kind: Kind::Path,
        preset: Preset::Text("/tmp"),
        doc: "Directory for the files of messages that do not fit into shared memory. It has to exist.",
    }
    IpcMemory = "ipc_memory" {
        kind: Kind::Int,
        unit: Unit::Bytes,
        range: Range::Ints { min: 1 << 20, min_means: "", max: Limit::Fixed(1 << 40), max_means: "" },
        preset: Preset::Machine {
            of: default_ipc_memory,
            words: "256M, or a quarter of the memory of the machine or cgroup if that is less",
        },
        doc: "Shared memory between reactors and workers. It is not taken from the machine before it is used.",
    }
    CloseOnWorkerError = "close_on_worker_error" {
        preset: Preset::FlagByNames { rotor: true, swoole: false },
        doc: "Close a connection whose callback threw or whose worker died in it.",
    }
    RequestTimeout = "request_timeout" {
        kind: Kind::Float,
        unit: Unit::Seconds,
        range: Range::Ints { min: 0, min_means: "no limit", max: Limit::Fixed(U32_MAX), max_means: "" },
        preset: Preset::Int(0),
        doc: "A callback for a connection or a datagram that takes longer is ended by force, with its worker; its connection is closed.",
    }
    RequestSlowlogTimeout = "request_slowlog_timeout" {
        kind: Kind::Float,
        unit: Unit::Seconds,
        range: Range::Ints { min: 0, min_means: "never", max: Limit::Fixed(U32_MAX), max_means: "" },
        preset: Preset::Int(0),
        doc: "A callback for a connection or a datagram that takes longer is told of, once, with its PHP stack. The log has ten of them a second at most and a count of the others, `request_slowlog_file` has all.",
    }
    RequestSlowlogFile = "request_slowlog_file" {
        kind: Kind::Path,
        preset: Preset::Nothing,
        doc: "File for what `request_slowlog_timeout` finds, instead of the log. A pipe needs a reader; what that has no room for goes to the log.",
    }
    TraceEventWorker = "trace_event_worker" {
        preset: Preset::Flag(true),
        doc: "Apply `request_slowlog_timeout` to event workers.",
    }
    UnixSocketMode = "unix_socket_mode" {
        scope: Scope::Port,
        kind: Kind::Int,
        unit: Unit::Mode,
        range: Range::Ints { min: 0, min_means: "", max: Limit::Fixed(0o777), max_means: "" },
        preset: Preset::Nothing,
        doc: "Permissions of a unix socket's file, such as `0660`, or `'0660'` as a string; else the umask decides.",
    }
    UnixSocketOwner = "unix_socket_owner" {
        scope: Scope::Port,
        kind: Kind::Text,
        preset: Preset::Nothing,
        doc: "User, by name or number, that a unix socket's file belongs to; else whoever starts the server. Another than that needs root or CAP_CHOWN.",
    }
    UnixSocketGroup = "unix_socket_group" {
        scope: Scope::Port,
        kind: Kind::Text,
        preset: Preset::Nothing,
        doc: "Group, by name or number, that a unix socket's file belongs to. One that whoever starts the server is no member of needs root or CAP_CHOWN.",
    }
    Backlog = "backlog" {
        scope: Scope::Port,
        kind: Kind::Int,
        range: Range::Ints { min: 1, min_means: "", max: Limit::Fixed(1_048_576), max_means: "" },
        preset: Preset::Int(512),
        doc: "Connections that wait for being accepted; the kernel lowers it to `net.core.somaxconn`.",
    }
    OpenTcpNodelay = "open_tcp_nodelay" {
        scope: Scope::Port,
        preset: Preset::Flag(true),
        doc: "Send small answers at once instead of waiting for more; TCP only (TCP_NODELAY).",
    }
    TcpDeferAccept = "tcp_defer_accept" {
        scope: Scope::Port,
        kind: Kind::Int,
        unit: Unit::Seconds,
        range: Range::Ints { min: 0, min_means: "off", max: Limit::Fixed(3600), max_means: "" },
        preset: Preset::Int(0),
        doc: "How long a connection that sends nothing stays the kernel's before the server takes it; about so long, and only TCP (TCP_DEFER_ACCEPT).",
    }
    TcpFastopen = "tcp_fastopen" {
        scope: Scope::Port,
        doc: "Let clients send their first bytes with their first packet; TCP only. The kernel has to allow it: `sysctl net.ipv4.tcp_fastopen=3` (TCP_FASTOPEN).",
    }
    OpenTcpKeepalive = "open_tcp_keepalive" {
        scope: Scope::Port,
        doc: "Have the kernel ask a silent peer whether it is still there, and end the connection when it is not; TCP only (SO_KEEPALIVE).",
    }
    TcpKeepidle = "tcp_keepidle" {
        scope: Scope::Port,
        kind: Kind::Int,
        unit: Unit::Seconds,
        range: Range::Ints { min: 1, min_means: "", max: Limit::Fixed(32_767), max_means: "" },
        preset: Preset::Int(3600),
        doc: "With `open_tcp_keepalive`: the silence before it asks for the first time (TCP_KEEPIDLE).",
    }
    TcpKeepinterval = "tcp_keepinterval" {
        scope: Scope::Port,
        kind: Kind::Int,
        unit: Unit::Seconds,
        range: Range::Ints { min: 1, min_means: "", max: Limit::Fixed(32_767), max_means: "" },
        preset: Preset::Int(60),
        doc: "With `open_tcp_keepalive`: how long after that it asks again (TCP_KEEPINTVL).",
    }
    TcpKeepcount = "tcp_keepcount" {
        scope: Scope::Port,
        kind: Kind::Int,
        range: Range::Ints { min: 1, min_means: "", max: Limit::Fixed(127), max_means: "" },
        preset: Preset::Int(5),
        doc: "With `open_tcp_keepalive`: how often it asks in vain before the connection is over (TCP_KEEPCNT).",
    }
    TcpUserTimeout = "tcp_user_timeout" {
        scope: Scope::Port,
        kind: Kind::Int,
        unit: Unit::Milliseconds,
        range: Range::Ints { min: 0, min_means: "the kernel's", max: Limit::Fixed(I32_MAX), max_means: "" },
        preset: Preset::Int(0),
        doc: "How long sent bytes may stay unconfirmed before the connection is over; TCP only (TCP_USER_TIMEOUT).",
    }
    KernelSocketRecvBufferSize = "kernel_socket_recv_buffer_size" {
        scope: Scope::Port,
        kind: Kind::Int,
        unit: Unit::Bytes,
        range: Range::Ints { min: 0, min_means: "the kernel's", max: Limit::Fixed(1 << 30), max_means: "" },
        preset: Preset::Int(0),
        doc: "The kernel's buffer for what a connection has received (SO_RCVBUF). Setting it ends the kernel's own tuning; `net.core.rmem_max` is the most.",
    }
    KernelSocketSendBufferSize = "kernel_socket_send_buffer_size" {
        scope: Scope::Port,
        kind: Kind::Int,
        unit: Unit::Bytes,
        range: Range::Ints { min: 0, min_means: "the kernel's", max: Limit::Fixed(1 << 30), max_means: "" },
        preset: Preset::Int(0),
        doc: "The kernel's buffer for what a connection has still to send (SO_SNDBUF). Setting it ends the kernel's own tuning; `net.core.wmem_max` is the most.",
    }
    MaxConnectionsPerIp = "max_connections_per_ip" {
        scope: Scope::Port,
        kind: Kind::Int,
        range: Range::Ints { min: 0, min_means: "no limit", max: Limit::Fixed(16_777_215), max_means: "" },
        preset: Preset::Int(0),
        doc: "Connections that one client may have to the port at once; more are refused. A client is an IPv4 address, or an IPv6 network of 64 bits.",
    }
    AcceptRatePerIp = "accept_rate_per_ip" {
        scope: Scope::Port,
        kind: Kind::Float,
        range: Range::Ints { min: 0, min_means: "no limit", max: Limit::Fixed(1_000_000), max_means: "" },
        preset: Preset::Int(0),
        doc: "Connections that one client may make to the port in a second, and as many at once; more are refused. 0.1 is one in ten seconds.",
    }
    OpenProxyProtocol = "open_proxy_protocol" {
        scope: Scope::Port,
        doc: "Each connection begins with a header of the PROXY protocol, version 1 or 2, that says who the client is. Only proxies of `proxy_trusted` may connect.",
    }
    ProxyTrusted = "proxy_trusted" {
        scope: Scope::Port,
        kind: Kind::TextList,
        range: Range::Networks,
        preset: Preset::Nothing,
        doc: "Proxies that are believed, by address or network; whoever else connects to a port with `open_proxy_protocol` is refused. To a unix socket connects who its file lets in.",
    }
    SocketBufferSize = "socket_buffer_size" {
        scope: Scope::Port,
        kind: Kind::Int,
        unit: Unit::Bytes,
        range: Range::Ints { min: 1, min_means: "", max: Limit::Fixed(U32_MAX), max_means: "" },
        preset: Preset::Int(8 << 20),
        doc: "Output that waits for a slow client; once there is so much `send()` returns false, or waits for `send_timeout`. On a datagram port: all that waits for peers that do not read, each with up to a quarter of it; what is beyond is dropped and counted.",
    }
    BufferHighWatermark = "buffer_high_watermark" {
        scope: Scope::Port,
        kind: Kind::Int,
        unit: Unit::Bytes,
        range: Range::Ints { min: 0, min_means: "the default", max: Limit::Fixed(U32_MAX), max_means: "" },
        preset: Preset::Machine { of: |_| 0, words: "four fifths of `socket_buffer_size`" },
        doc: "Once so much output waits for a client, `BufferFull` is called.",
    }
    BufferLowWatermark = "buffer_low_watermark" {
        scope: Scope::Port,
        kind: Kind::Int,
        unit: Unit::Bytes,
        range: Range::Ints { min: 0, min_means: "", max: Limit::Fixed(U32_MAX), max_means: "" },
        preset: Preset::Int(0),
        doc: "After a `BufferFull`, once no more than this waits, `BufferEmpty` is called. Less than the high watermark.",
    }
    HeartbeatIdleTime = "heartbeat_idle_time" {
        scope: Scope::Port,
        kind: Kind::Int,
        unit: Unit::Seconds,
        range: Range::Ints { min: 0, min_means: "for ever", max: Limit::Fixed(U32_MAX), max_means: "" },
        preset: Preset::Machine { of: |_| 0, words: "twice `heartbeat_check_interval`" },
        doc: "A client that sends nothing for so long is closed; `protect()` exempts one.",
    }
    MaxIdleTime = "max_idle_time" {
        scope: Scope::Port,
        kind: Kind::Float,
        unit: Unit::Seconds,
        range: Range::Ints { min: 0, min_means: "for ever", max: Limit::Fixed(U32_MAX), max_means: "" },
        preset: Preset::Int(0),
        doc: "A connection on which nothing comes and nothing is sent for so long is closed; `protect()` exempts one.",
    }
    MessageTimeout = "message_timeout" {
        scope: Scope::Port,
        kind: Kind::Float,
        unit: Unit::Seconds,
        range: Range::Ints { min: 0, min_means: "no limit", max: Limit::Fixed(U32_MAX), max_means: "" },
        preset: Preset::Int(60),
        doc: "How long a client may take for what it has begun: to send all of a message from its first byte on, and, once \
              its connection is to be closed, to take some of the output that waits. Then it is closed.",
    }
    OpenEofCheck = "open_eof_check" {
        scope: Scope::Port,
        doc: "A message is what has come when it ends with `package_eof`; there may be several in it.",
    }
    OpenEofSplit = "open_eof_split" {
        scope: Scope::Port,
        doc: "A message ends with each `package_eof`; implies `open_eof_check`.",
    }
    PackageEof = "package_eof" {
        scope: Scope::Port,
        kind: Kind::Text,
        range: Range::Length { min: 1, max: 8 },
        preset: Preset::Text("\r\n\r\n"),
        doc: "What ends a message; it is part of it.",
    }
    OpenLengthCheck = "open_length_check" {
        scope: Scope::Port,
        doc: "A message says its length in its header. The eof settings win over it.",
    }
    PackageLengthType = "package_length_type" {
        scope: Scope::Port,
        kind: Kind::Text,
        range: Range::PackLetter,
        preset: Preset::Text("N"),
        doc: "How the length is written, as a letter of `pack()`.",
    }
    PackageLengthOffset = "package_length_offset" {
        scope: Scope::Port,
        kind: Kind::Int,
        unit: Unit::Bytes,
        range: Range::Ints { min: 0, min_means: "", max: Limit::Fixed(65_535), max_means: "" },
        preset: Preset::Int(0),
        doc: "Where the length stands in a message.",
    }
    PackageBodyOffset = "package_body_offset" {
        aliases: &["package_body_start"],
        scope: Scope::Port,
        kind: Kind::Int,
        unit: Unit::Bytes,
        range: Range::Ints { min: 0, min_means: "", max: Limit::Fixed(65_535), max_means: "" },
        preset: Preset::Int(4),
        doc: "Bytes of a message that the length does not count; 0 when it counts all.",
    }
    PackageLengthFunc = "package_length_func" {
        scope: Scope::Port,
        kind: Kind::Callable("callable(string): int"),
        preset: Preset::Nothing,
        doc: "A function that is shown the beginning of what has come and says how long the first message is: 0 when more has \
              to come first, less than 0 to close the connection. It runs on the master's main thread, and the connections \
              of its port are served there. Implies `open_length_check`.",
    }
    PackageMaxLength = "package_max_length" {
        scope: Scope::Port,
        kind: Kind::Int,
        unit: Unit::Bytes,
        range: Range::Ints { min: 1, min_means: "", max: Limit::Fixed(U32_MAX), max_means: "" },
        preset: Preset::Int(2 << 20),
        doc: "Largest message; a connection that begins a larger one is closed.",
    }
    SslCertFile = "ssl_cert_file" {
        scope: Scope::Port,
        kind: Kind::Path,
        preset: Preset::Nothing,
        doc: "The certificate of a port with TLS (`SSL` in its `$sock_type`) in PEM form, and behind it those between it and a root. Read at `start()` and again at each reload, for the connections that come then; a file that cannot be used then is told of in the log, and the old one holds.",
    }
    SslKeyFile = "ssl_key_file" {
        scope: Scope::Port,
        kind: Kind::Path,
        preset: Preset::Nothing,
        doc: "The private key of the certificate, in PEM form, without a passphrase.",
    }
    SslSniCerts = "ssl_sni_certs" {
        scope: Scope::Port,
        kind: Kind::Certificates,
        preset: Preset::Nothing,
        doc: "Other certificates, by the host that a client asks for; who asks for another one, or for none, gets `ssl_cert_file`.",
    }
    SslProtocols = "ssl_protocols" {
        scope: Scope::Port,
        kind: Kind::Int,
        range: Range::Numbers {
            values: &[0, 32, 64, 96],
            because: "32 is TLS 1.2 and 64 is TLS 1.3, 0 is both; older versions have known holes, and there are none here",
        },
        preset: Preset::Int(0),
        doc: "The versions of TLS: a sum of `SSL_TLSv1_2` and `SSL_TLSv1_3`.",
    }
    SslCiphers = "ssl_ciphers" {
        scope: Scope::Port,
        kind: Kind::Text,
        range: Range::Ciphers,
        preset: Preset::Text("EECDH+AESGCM:EDH+AESGCM:AES256+EECDH:AES256+EDH"),
        doc: "The cipher suites of TLS 1.2, of those with ECDHE and AES-GCM or ChaCha20: there are no others, and a string that leaves none of them is refused. Of named ones that there are not `start()` warns. Suites of TLS 1.3 are all there unless some are named.",
    }
    SslPreferServerCiphers = "ssl_prefer_server_ciphers" {
        scope: Scope::Port,
        preset: Preset::Flag(true),
        doc: "The order of `ssl_ciphers` counts, and not the client's.",
    }
    SslEcdhCurve = "ssl_ecdh_curve" {
        scope: Scope::Port,
        kind: Kind::Text,
        range: Range::Groups,
        preset: Preset::Text("auto"),
        doc: "The groups for the key exchange: X25519, prime256v1 (P-256), secp384r1 (P-384).",
    }
    SslVerifyPeer = "ssl_verify_peer" {
        scope: Scope::Port,
        doc: "A client has to show a certificate that leads to one of `ssl_client_cert_file`, `ssl_cafile` or `ssl_capath`, or is one of them. `getClientInfo()` has it as `ssl_client_cert`.",
    }
    SslAllowSelfSigned = "ssl_allow_self_signed" {
        scope: Scope::Port,
        doc: "With `ssl_verify_peer`: a certificate that has signed itself is taken too, whosever it is.",
    }
    SslClientCertFile = "ssl_client_cert_file" {
        scope: Scope::Port,
        kind: Kind::Path,
        preset: Preset::Nothing,
        doc: "Certificates, in PEM form, that clients' have to lead to, and whose names clients are told.",
    }
    SslCafile = "ssl_cafile" {
        scope: Scope::Port,
        kind: Kind::Path,
        preset: Preset::Nothing,
        doc: "More of them.",
    }
    SslCapath = "ssl_capath" {
        scope: Scope::Port,
        kind: Kind::Path,
        preset: Preset::Nothing,
        doc: "Folder with files of more of them, whatever their names.",
    }
    SslVerifyDepth = "ssl_verify_depth" {
        scope: Scope::Port,
        kind: Kind::Int,
        range: Range::Ints { min: 0, min_means: "no limit of its own", max: Limit::Fixed(100), max_means: "" },
        preset: Preset::Int(0),
        doc: "The most certificates between a client's and a trusted one. More than six are never taken.",
    }
    SslAlpnProtocols = "ssl_alpn_protocols" {
        scope: Scope::Port,
        kind: Kind::TextList,
        range: Range::Length { min: 1, max: 255 },
        preset: Preset::Nothing,
        doc: "Protocols that a client may choose from, the best first (ALPN); a client that offers none of them is refused, one that offers nothing is not. `getClientInfo()` has the choice as `ssl_alpn_protocol`.",
    }
    SslSessionTickets = "ssl_session_tickets" {
        scope: Scope::Port,
        preset: Preset::Flag(true),
        doc: "Clients get tickets, by which they come back with less work. The keys of tickets change every few hours, and with `ssl_verify_peer` at each reload.",
    }
}

impl Key {
    /// The key's row.
    pub fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }
}

/// As `date '+%F %T'` prints it.
pub(super) const DEFAULT_DATE: &str = "%F %T";

/// 256 MiB, or a quarter of the memory if that is less.
fn default_ipc_memory(machine: &Machine) -> i64 {
    let quarter = machine.memory_bytes.map_or(i64::MAX, |bytes| i64::try_from(bytes / 4).unwrap_or(i64::MAX));
    quarter.clamp(1 << 20, 256 << 20)
}

/// What most rows have in common: a switch of the server that is off.
const PLAIN: Row = Row {
    key: Key::WorkerNum,
    name: "",
    aliases: &[],
    scope: Scope::Server,
    kind: Kind::Flag,
    unit: Unit::Count,
    range: Range::Any,
    preset: Preset::Flag(false),
    doc: "",
};

/// One byte less than 4 GiB: the peer's end for sizes, and far above what a PHP string should be.
const U32_MAX: i64 = u32::MAX as i64;
/// The largest number of a socket option.
const I32_MAX: i64 = i32::MAX as i64;
