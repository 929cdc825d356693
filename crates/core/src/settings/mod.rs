//! What a server can be told. One table, [`ROWS`], says everything about each setting; what is accepted, the
//! messages, the array shape of the stubs and the settings page of the docs all come from it.
//!
//! The way of a value: PHP array → [`Value`]s → [`SettingsInput::merge`], once per `set()`, which checks each
//! against its row → [`SettingsInput::resolve`], at `start()`, which knows all of them and the machine, and
//! gives the [`Settings`] that the rest of the core reads. [`ABSENT`] is the other table: settings of the
//! peer that Rotor knows and does not have.

mod absent;
mod error;
mod identity;
mod input;
mod log;
mod machine;
mod page;
mod resolve;
mod row;
mod socket;
mod table;
#[cfg(test)]
mod tests;
mod value;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::dispatch;
use crate::framer::Framing;
use crate::network::Network;
use crate::tls;

pub use absent::{ABSENT, Absence, AbsentRow, Harmless};
pub use error::{Fault, SettingError, Warning};
pub use identity::Identity;
pub use input::SettingsInput;
pub use log::{DateFormat, LogFormat, LogRotation, Time};
pub use machine::Machine;
pub use page::{array_shape, settings_page};
pub use row::{Kind, Limit, Preset, Range, Row, Scope, Unit};
pub use socket::{KeepAlive, SocketSettings};
pub use table::{Key, ROWS};
pub use value::Value;

/// Everything a server was told, with nothing left open.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Event workers; at least 1.
    pub worker_num: u32,
    /// Reactor threads; 1 to `worker_num`.
    pub reactor_num: u32,
    /// Connections at once, and entries of the session table; the descriptors for them are there.
    pub max_connection: u32,
    /// What becomes of clients above it.
    pub max_connection_policy: AtMost,
    /// The id of the first connection; not 0.
    pub start_session_id: u64,
    /// How the worker of a message is chosen.
    pub dispatch_mode: dispatch::Mode,
    /// Whether there may be events of connections where those have no worker of their own.
    pub enable_unsafe_event: bool,
    /// Whether messages of connections that have ended are dropped where those have no worker of their own.
    pub discard_timeout_request: bool,
    /// Whether callbacks get what they are told as objects.
    pub event_object: bool,
    /// Whether `start()` leaves the terminal.
    pub daemonize: bool,
    /// Where the master writes its pid; absolute.
    pub pid_file: Option<PathBuf>,
    /// Where the log goes instead of standard output; absolute.
    pub log_file: Option<PathBuf>,
    /// The lowest level that is logged.
    pub log_level: LogLevel,
    /// How a line looks.
    pub log_format: LogFormat,
    /// How the date of a line looks.
    pub log_date_format: DateFormat,
    /// Whether microseconds follow it.
    pub log_date_with_microseconds: bool,
    /// How often the log goes on in a new file.
    pub log_rotation: LogRotation,
    /// How long a process that was asked to leave may take; `None` is for ever.
    pub max_wait_time: Option<Duration>,
    /// How long the server goes on serving after it was asked to stop.
    pub shutdown_delay: Duration,
    /// The longest delay before a slot's next process.
    pub respawn_max_delay: Duration,
    /// Whether a reload replaces workers side by side instead of one after the other.
    pub reload_async: bool,
    /// How many slots may be replacing their process at once; 1 to `worker_num`.
    pub reload_concurrency: u32,
    /// Whether a reload replaces user processes, too.
    pub reload_user_processes: bool,
    /// Messages after which a worker asks for a successor.
    pub max_request: Option<u64>,
    /// Up to so many more, by chance.
    pub max_request_grace: u64,
    /// Resident memory, in bytes, above which a worker asks for a successor.
    pub max_memory: Option<u64>,
    /// The age at which a worker asks for a successor.
    pub max_lifetime: Option<Duration>,
    /// What workers and user processes become.
    pub identity: Identity,
    /// Whether a process that has become another user may dump core.
    pub process_dumpable: bool,
    /// Whether reactors and event workers are pinned to CPUs.
    pub open_cpu_affinity: bool,
    /// CPUs that nothing is pinned to; sorted, each once.
    pub cpu_affinity_ignore: Vec<u32>,
    /// Half the time that a client may be silent, where its port was not told; zero: no heartbeat at all.
    pub heartbeat_check_interval: Option<Duration>,
    /// Whether a new connection is read only once somebody says so.
    pub enable_delay_receive: bool,
    /// How many bytes of a connection may wait for its worker before it is read no more.
    pub max_queued_bytes: Option<u64>,
    /// How long a `send` waits for a full output queue.
    pub send_timeout: Option<Duration>,
    /// The largest single `send`, in bytes.
    pub output_buffer_size: u64,
    /// Where spill files are made; absolute, and a directory when `start()` looked.
    pub task_tmpdir: PathBuf,
    /// What lanes and payload blocks may take of the segment, in bytes.
    pub ipc_memory: u64,
    /// Whether the connection in hand is closed when its callback fails.
    pub close_on_worker_error: bool,
    /// The time in hand from which on a message is slow.
    pub request_slowlog_timeout: Option<Duration>,
    /// Where slow messages are told of instead of the log; absolute.
    pub request_slowlog_file: Option<PathBuf>,
    /// Whether event workers are looked at.
    pub trace_event_worker: bool,
    /// The time in hand after which a worker is killed.
    pub request_timeout: Option<Duration>,
    /// The settings of the ports; the first is the primary one's.
    pub ports: Vec<PortSettings>,
}

impl Settings {
    /// Whether user code is in the way of any port's messages.
    pub fn asks_user_code(&self) -> bool {
        self.ports.iter().any(PortSettings::asks_user_code)
    }

    /// The settings of a port.
    pub fn port(&self, place: usize) -> &PortSettings {
        &self.ports[place.min(self.ports.len() - 1)]
    }

    /// The number of the reactor that has a port's datagram socket: one of the threads, or the main thread's, where user
    /// code chooses the workers.
    pub fn reactor_of_datagrams(&self, place: u16) -> usize {
        let threads = self.reactor_num as usize;
        if self.port(place.into()).dispatch_func { threads } else { dispatch::reactor_of_port(place, threads).into() }
    }

    /// How long a client of a port may be silent.
    pub fn heartbeat_after(&self, place: usize) -> Option<Duration> {
        let is_off = self.heartbeat_check_interval.is_some_and(|interval| interval.is_zero());
        let by_interval = self.heartbeat_check_interval.map(|interval| 2 * interval);
        let told = self.port(place).heartbeat_idle_time.or(by_interval);
        told.filter(|idle| !is_off && !idle.is_zero())
    }
}

/// Everything a port was told.
#[derive(Clone, Debug, PartialEq)]
pub struct PortSettings {
    /// The permissions of a unix socket's file; `None`: as the umask leaves them.
    pub unix_socket_mode: Option<u32>,
    /// The number of the user that it belongs to; `None`: whoever starts the server.
    pub unix_socket_owner: Option<u32>,
    /// The number of the group that it belongs to.
    pub unix_socket_group: Option<u32>,
    /// Connections that the kernel keeps for `accept`.
    pub backlog: u32,
    /// What the kernel is told of its sockets.
    pub socket: SocketSettings,
    /// Connections that one client may have at once.
    pub max_connections_per_ip: Option<u32>,
    /// Connections that one client may make in a second.
    pub accept_rate_per_ip: Option<f64>,
    /// Whose headers of the PROXY protocol are believed; `None`: connections have none.
    pub proxy_trusted: Option<Vec<Network>>,
    /// The largest output queue of a connection, in bytes.
    pub socket_buffer_size: u64,
    /// The worker is told when so many bytes are queued.
    pub buffer_high_watermark: u64,
    /// It is told again when no more than so many are; less than the high watermark.
    pub buffer_low_watermark: u64,
    /// How long a client may be silent, where the port was told; zero: for ever.
    pub heartbeat_idle_time: Option<Duration>,
    /// How long a connection may have neither input nor output.
    pub max_idle_time: Option<Duration>,
    /// How long a client may take to finish what it has begun.
    pub message_timeout: Option<Duration>,
    /// Whether user code is asked which worker gets a message.
    pub dispatch_func: bool,
    /// How the bytes of a connection become messages.
    pub framing: Framing,
    /// The largest message, in bytes.
    pub package_max_length: u64,
    /// How it speaks TLS, if it does.
    pub tls: tls::Options,
}

impl PortSettings {
    /// Whether user code is in the way of its messages, so that its connections belong to the main thread.
    pub fn asks_user_code(&self) -> bool {
        self.framing == Framing::Asked || self.dispatch_func
    }

    /// Whether a client with this address may connect, where proxies alone may.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.proxy_trusted.as_ref().is_none_or(|networks| networks.iter().any(|network| network.contains(peer)))
    }
}

/// What becomes of clients that come when there are as many connections as there may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtMost {
    /// They are refused at once.
    #[default]
    Refuse,
    /// They wait in the kernel's queue until somebody has gone.
    Hold,
}

impl AtMost {
    /// What the setting takes, each at the place of its number.
    pub const NAMES: &'static [&'static str] = &["refuse", "hold"];

    /// The policy with this name.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        let place = Self::NAMES.iter().position(|known| known.as_bytes() == name)?;
        [Self::Refuse, Self::Hold].get(place).copied()
    }
}

/// How much a log line matters. The numbers are those of `SWOOLE_LOG_*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Each record.
    Debug = 0,
    /// What led to a decision.
    Trace = 1,
    /// Connections.
    Info = 2,
    /// The life of processes.
    #[default]
    Notice = 3,
    /// It works, but not as asked.
    Warning = 4,
    /// Somebody must act.
    Error = 5,
    /// As a setting: nothing is logged.
    None = 6,
}

impl LogLevel {
    /// All levels, each at the place of its number.
    pub const ALL: [Self; 7] =
        [Self::Debug, Self::Trace, Self::Info, Self::Notice, Self::Warning, Self::Error, Self::None];

    /// The level with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|place| Self::ALL.get(place).copied())
    }

    /// The word of a log line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Trace => "trace",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::None => "none",
        }
    }
}

/// Whose manners are in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Names {
    /// Rotor's: what cannot be honoured is an error.
    #[default]
    Rotor,
    /// The peer's (`rotor.swoole_aliases`): what an application can live without is a warning.
    Swoole,
}
