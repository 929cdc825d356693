//! The settings that Rotor has. Those of the peer that it does not have are in [`ABSENT`](crate::settings::ABSENT).

use super::Fate::{self, Differs, New, Same};
use crate::settings::Key;

/// What becomes of a setting. What a new one is for is in its own row.
pub fn fate(key: Key) -> Fate {
    match key {
        // The server.
        Key::WorkerNum | Key::ReactorNum => Same,
        Key::MaxConnection => Differs(
            "Who comes above it is reset at once and counted, and accepting does not pause for a second; \
             `max_connection_policy` can have clients wait instead.",
        ),
        Key::StartSessionId => Same,
        Key::DispatchMode => Differs(
            "Mode 2 goes by session id and not by descriptor; 3 and 7 hold a message back until a worker has nothing to \
             do, instead of giving it to a busy one; 8 counts connections, 9 and 10 messages, not coroutines.",
        ),
        Key::DispatchFunc => Differs(
            "The reactor threads stay: only connections of ports that have the function are served on the main thread. \
             It must return an int; after an exception `dispatch_mode` decides; \
             `SWOOLE_DISPATCH_RESULT_CLOSE_CONNECTION` closes. It may be set for a single port. Of a datagram it is told \
             `ip2long()` of the sender, or a CRC-32.",
        ),
        Key::EnableUnsafeEvent => Differs(
            "Without it callbacks for connections in modes 1, 3, 5, 6, 7, 9 and 10 are refused at `start()`; under \
             Swoole's names they are removed with a warning, as there. With it `onClose` comes behind all messages of \
             its connection.",
        ),
        Key::DiscardTimeoutRequest | Key::Daemonize | Key::EnableDelayReceive | Key::MaxQueuedBytes => Same,
        Key::EventObject => Differs("`StatusInfo` has the connection in hand, too, as `fd`."),
        Key::PidFile => {
            Differs("The file is locked while the server lives: a second one with the same file is refused.")
        }
        Key::LogFile => Differs("The lines look different, see [log.md](log.md)."),
        Key::LogLevel => Differs("The default is notice (3) instead of info (2): info has lines for each connection."),
        Key::LogDateFormat | Key::LogDateWithMicroseconds | Key::LogRotation => Same,
        Key::MaxWaitTime => Differs(
            "30 seconds by default instead of 3, counted from the request to leave or to stop; who is left is killed a \
             second later, also at a stop.",
        ),
        Key::ReloadAsync => Differs(
            "On or off, the successor is ready before the old worker hands over. On replaces \
             `reload_concurrency` workers at once, not all; off one after the other.",
        ),
        Key::MaxRequest => Differs(
            "The worker serves on until its successor is ready, so it may take a few more (`max_request_overshoot` in \
             `stats()`).",
        ),
        Key::MaxRequestGrace | Key::OpenCpuAffinity | Key::CpuAffinityIgnore => Same,
        Key::User | Key::Group => Differs(
            "A name that nobody has and a right that is missing are an exception at `start()`; the manager keeps its \
             rights; workers have the user's supplementary groups.",
        ),
        Key::Chroot => {
            Differs("A directory that is not there and a right that is missing are an exception at `start()`.")
        }
        Key::HeartbeatCheckInterval => Differs(
            "Nothing is checked at intervals, each connection has its own timer: it switches the heartbeat on, and \
             says what `heartbeat_idle_time` is where that is not set.",
        ),
        Key::SendTimeout => Differs(
            "It is what `send()` waits for a client whose output queue is full, without coroutines: the worker does \
             nothing else meanwhile.",
        ),
        Key::OutputBufferSize => Same,
        Key::TaskTmpdir => Differs(
            "Messages that do not fit into shared memory go there, by files that no name leads to; it has to exist at \
             `start()`.",
        ),
        Key::RequestSlowlogTimeout => Differs(
            "Swoole has it no more. Here it is for connections' callbacks, in seconds and fractions, and the worker goes \
             on unharmed.",
        ),
        Key::RequestSlowlogFile => Differs("Swoole has it no more. Without it slow callbacks are told of in the log."),
        Key::TraceEventWorker => Differs("Swoole has it no more. It is on by default."),

        // A port.
        Key::Backlog
        | Key::TcpDeferAccept
        | Key::TcpFastopen
        | Key::OpenTcpKeepalive
        | Key::TcpKeepidle
        | Key::TcpKeepinterval
        | Key::TcpKeepcount
        | Key::TcpUserTimeout => Same,
        Key::OpenTcpNodelay => {
            Differs("A later `set()` of the port without it leaves it as it is, instead of switching it on again.")
        }
        Key::KernelSocketRecvBufferSize | Key::KernelSocketSendBufferSize => {
            Differs("When the kernel grants less than was asked for, the log has a warning.")
        }
        Key::SocketBufferSize => Differs(
            "Above it `send()` returns false with 1009, or waits for `send_timeout`; no coroutine is suspended. On a \
             datagram port it bounds what waits for peers that do not read.",
        ),
        Key::BufferHighWatermark | Key::BufferLowWatermark => Same,
        Key::HeartbeatIdleTime => Differs("`onClose` gets the reactor id -1, as always when the server closed."),
        Key::MaxIdleTime => Differs("It measures idleness: traffic in either direction begins it anew."),
        Key::OpenEofCheck | Key::OpenEofSplit | Key::PackageEof => Same,
        Key::OpenLengthCheck | Key::PackageLengthType | Key::PackageLengthOffset | Key::PackageBodyOffset => Same,
        Key::PackageLengthFunc => Differs(
            "The reactor threads stay: only connections of ports that have the function are served on the main thread. \
             It must return an int; an exception in it closes the connection alone.",
        ),
        Key::PackageMaxLength => Differs(
            "Values below 64 KiB hold as they are. A client that begins a larger message is told of by \
             `onProtocolError`, and closed.",
        ),
        Key::SslCertFile | Key::SslKeyFile | Key::SslSniCerts => Differs(
            "Read at `start()`, and again at each reload, for the connections that come then; a new file that cannot be \
             used leaves the old one in force.",
        ),
        Key::SslProtocols => Differs("TLS 1.2 and 1.3 alone; 0 is both. Older versions are refused."),
        Key::SslCiphers => Differs(
            "Suites of TLS 1.2 with ECDHE and AES-GCM or ChaCha20 alone: of others that are named beside them `start()` \
             warns, and a string that leaves none is refused.",
        ),
        Key::SslEcdhCurve => Differs("X25519, P-256 and P-384 alone."),
        Key::SslPreferServerCiphers | Key::SslVerifyPeer | Key::SslAllowSelfSigned => Same,
        Key::SslClientCertFile | Key::SslCafile => Same,
        Key::SslCapath => Differs("All files of the folder count, whatever their names: no hashed links are needed."),
        Key::SslVerifyDepth => Differs("More than six certificates are never taken."),

        Key::MaxConnectionPolicy
        | Key::LogFormat
        | Key::ShutdownDelay
        | Key::RespawnMaxDelay
        | Key::ReloadConcurrency
        | Key::ReloadUserProcesses
        | Key::MaxMemory
        | Key::MaxLifetime
        | Key::ProcessDumpable
        | Key::IpcMemory
        | Key::CloseOnWorkerError
        | Key::RequestTimeout
        | Key::UnixSocketMode
        | Key::UnixSocketOwner
        | Key::UnixSocketGroup
        | Key::MaxConnectionsPerIp
        | Key::AcceptRatePerIp
        | Key::OpenProxyProtocol
        | Key::ProxyTrusted
        | Key::MessageTimeout
        | Key::SslAlpnProtocols
        | Key::SslSessionTickets => New(""),
    }
}
