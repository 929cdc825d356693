//! Settings of the peer that Rotor knows and does not have. Each is taken at the values that ask for nothing,
//! so that an application which spells out its defaults runs unchanged, and refused with the reason at
//! others.
//!
//! A switch whose default is on in the peer is taken both ways: on asks for nothing that would not be there
//! by itself, and off is how Rotor is.

use super::error::Fault;
use super::value::Value;

/// A setting of the peer that Rotor does not have.
#[derive(Clone, Copy, Debug)]
pub struct AbsentRow {
    /// Its names; the first is the peer's own.
    pub names: &'static [&'static str],
    /// The values that are taken.
    pub harmless: Harmless,
    /// In which way it is absent.
    pub absence: Absence,
    /// What it belongs to ([`Absence::Later`]), or why it is not there: a clause for the message.
    pub about: &'static str,
}

/// In which way a setting is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// It asks for coroutines.
    Coroutines,
    /// It tunes something that is not there and is not missed.
    Meaningless,
    /// It belongs to something that this version does not have yet.
    Later,
}

/// Values that ask for nothing. `null` is one everywhere.
#[derive(Clone, Copy, Debug)]
pub enum Harmless {
    /// These.
    Flags(&'static [bool]),
    /// These; a switch that is off counts as 0.
    Numbers(&'static [i64]),
    /// These.
    Texts(&'static [&'static str]),
    /// An empty string, an empty array, or false.
    Empty,
}

impl AbsentRow {
    /// `value` as the peer's type, if it asks for nothing.
    pub(super) fn check(&self, value: &Value) -> Result<Value, Fault> {
        let taken = match (self.harmless, value) {
            (Harmless::Flags(flags), _) => value.as_flag().filter(|flag| flags.contains(flag)).map(Value::Bool),
            (Harmless::Numbers(numbers), Value::Bool(false)) if numbers.contains(&0) => Some(Value::Int(0)),
            (Harmless::Numbers(numbers), _) => {
                value.as_size().filter(|number| numbers.contains(number)).map(Value::Int)
            }
            (Harmless::Texts(texts), Value::Str(bytes)) => {
                texts.iter().any(|text| text.as_bytes() == bytes).then(|| value.clone())
            }
            (Harmless::Empty, Value::Bool(false)) => Some(value.clone()),
            (Harmless::Empty, Value::Str(bytes)) => bytes.is_empty().then(|| value.clone()),
            (Harmless::Empty, Value::List(items)) => items.is_empty().then(|| value.clone()),
            (Harmless::Texts(_) | Harmless::Empty, _) => None,
        };
        taken.ok_or(Fault::Absent(self.absence))
    }

    /// The words for the values that are taken.
    pub fn expected(&self) -> String {
        match self.harmless {
            Harmless::Flags(flags) => either(flags),
            Harmless::Numbers(numbers) => either(numbers),
            Harmless::Texts(texts) => either(&texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>()),
            Harmless::Empty => "empty or left out".into(),
        }
    }

    /// Why other values are not taken.
    pub fn because(&self) -> String {
        match self.absence {
            Absence::Coroutines => "Rotor has no coroutines; callbacks run one after the other in each worker".into(),
            Absence::Meaningless => self.about.into(),
            Absence::Later => format!("it does not exist in this version of Rotor yet ({})", self.about),
        }
    }
}

fn either(values: &[impl ToString]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

/// All of them, in the order of the docs.
pub static ABSENT: &[AbsentRow] = &[
    // Processes and scheduling.
    later(&["task_worker_num"], ZERO, TASKS),
    later(&["task_max_request"], ZERO, TASKS),
    later(&["task_max_request_grace"], ZERO, TASKS),
    later(&["task_object", "task_use_object"], OFF, TASKS),
    later(&["task_ipc_mode"], Harmless::Numbers(&[1]), TASKS),
    later(&["message_queue_key"], ZERO, TASKS),
    later(&["enable_reuse_port"], OFF, "BASE mode"),
    coroutines(&["enable_coroutine"], OFF),
    coroutines(&["task_enable_coroutine"], OFF),
    coroutines(&["enable_preemptive_scheduler"], OFF),
    coroutines(&["hook_flags"], ZERO),
    meaningless(&["single_thread"], OFF, "reactors are threads of their own; set reactor_num to 1 to have one of them"),
    meaningless(&["enable_signalfd"], ON, "how signals are taken cannot be chosen"),
    meaningless(&["bootstrap"], Harmless::Empty, NO_THREADS),
    meaningless(&["init_arguments"], Harmless::Empty, NO_THREADS),
    meaningless(&["debug_mode"], OFF, "set log_level to 0 to see each record"),
    // Limits of coroutines and of what serves them.
    meaningless(&["max_coroutine", "max_coro_num"], Harmless::Numbers(&[0, 100_000]), NO_COROUTINES),
    meaningless(&["c_stack_size", "stack_size"], Harmless::Numbers(&[0, 2 << 20]), NO_COROUTINES),
    meaningless(&["enable_deadlock_check"], EITHER, NO_COROUTINES),
    meaningless(&["name_resolver"], Harmless::Empty, NO_COROUTINES),
    meaningless(&["dns_server"], Harmless::Empty, NO_COROUTINES),
    meaningless(&["dns_cache_expire"], ZERO, NO_COROUTINES),
    meaningless(&["dns_cache_capacity"], ZERO, NO_COROUTINES),
    meaningless(&["socket_dns_timeout"], Harmless::Numbers(&[0, 60]), NO_COROUTINES),
    meaningless(&["socket_connect_timeout"], Harmless::Numbers(&[0, 10]), NO_COROUTINES),
    meaningless(&["socket_read_timeout", "socket_recv_timeout"], Harmless::Numbers(&[0, 60]), NO_COROUTINES),
    meaningless(&["socket_write_timeout", "socket_send_timeout"], Harmless::Numbers(&[0, 60]), NO_COROUTINES),
    meaningless(&["socket_timeout"], ZERO, NO_COROUTINES),
    meaningless(&["aio_core_worker_num"], ZERO, NO_AIO),
    meaningless(&["aio_worker_num"], ZERO, NO_AIO),
    meaningless(&["aio_max_wait_time"], ZERO, NO_AIO),
    meaningless(&["aio_max_idle_time"], ZERO, NO_AIO),
    meaningless(&["iouring_entries"], ZERO, NO_AIO),
    meaningless(&["iouring_workers"], ZERO, NO_AIO),
    meaningless(&["iouring_flag"], ZERO, NO_AIO),
    // Logging and system.
    later(&["stats_file"], Harmless::Empty, "a file of statistics"),
    later(&["stats_timer_interval"], Harmless::Numbers(&[0, 1000]), "a file of statistics"),
    later(&["admin_server"], Harmless::Empty, "an HTTP server for the administrator"),
    meaningless(&["trace_flags"], ZERO, "set log_level to 1 to see what led to a decision"),
    meaningless(&["display_errors"], ON, "warnings are PHP's; error_reporting() decides about them"),
    meaningless(&["print_backtrace_on_error"], OFF, "an exception has the backtrace"),
    // Connections and buffers.
    meaningless(
        &["send_yield"],
        OFF,
        "there are no coroutines to suspend; set send_timeout to have send() wait for a slow client",
    ),
    meaningless(
        &["input_buffer_size", "buffer_input_size"],
        Harmless::Numbers(&[0, 2 << 20]),
        "package_max_length is the limit of a message",
    ),
    // Framing and protocols.
    later(&["open_http_protocol"], OFF, "HTTP"),
    later(&["open_http2_protocol"], OFF, "HTTP/2"),
    later(&["open_websocket_protocol"], OFF, "WebSocket"),
    later(&["open_mqtt_protocol"], OFF, "MQTT"),
    later(&["open_redis_protocol"], OFF, "the Redis protocol"),
    // TLS.
    meaningless(&["ssl_dhparam"], Harmless::Empty, "keys are exchanged over elliptic curves alone; see ssl_ecdh_curve"),
    meaningless(&["ssl_compress"], OFF, "compression tells what was encrypted, and TLS 1.3 has none"),
    // HTTP and WebSocket.
    later(&["max_concurrency"], UNLIMITED, "HTTP"),
    later(&["worker_max_concurrency"], UNLIMITED, "HTTP"),
    later(&["http_parse_cookie"], EITHER, "HTTP"),
    later(&["http_parse_post"], EITHER, "HTTP"),
    later(&["http_parse_files"], OFF, "HTTP"),
    later(&["http_compression"], EITHER, "HTTP"),
    later(&["http_compression_level", "compression_level", "http_gzip_level"], Harmless::Numbers(&[0, 1]), "HTTP"),
    later(&["http_compression_types"], Harmless::Empty, "HTTP"),
    later(&["compression_min_length"], Harmless::Numbers(&[0, 20]), "HTTP"),
    later(&["upload_tmp_dir"], Harmless::Texts(&["", "/tmp"]), "HTTP"),
    later(&["upload_max_filesize"], ZERO, "HTTP"),
    later(&["enable_static_handler"], OFF, "HTTP"),
    later(&["document_root"], Harmless::Empty, "HTTP"),
    later(&["static_handler_locations"], Harmless::Empty, "HTTP"),
    later(&["http_autoindex"], OFF, "HTTP"),
    later(&["http_index_files"], Harmless::Empty, "HTTP"),
    later(&["url_rewrite_rules"], Harmless::Empty, "HTTP"),
    later(&["websocket_subprotocol"], Harmless::Empty, "WebSocket"),
    later(&["websocket_compression"], OFF, "WebSocket"),
    later(&["websocket_mask"], OFF, "WebSocket"),
    later(&["open_websocket_close_frame"], OFF, "WebSocket"),
    later(&["open_websocket_ping_frame"], OFF, "WebSocket"),
    later(&["open_websocket_pong_frame"], OFF, "WebSocket"),
    later(&["http2_header_table_size"], Harmless::Numbers(&[4096]), "HTTP/2"),
    later(&["http2_enable_push"], ZERO, "HTTP/2"),
    later(&["http2_max_concurrent_streams"], UNLIMITED, "HTTP/2"),
    later(&["http2_init_window_size"], Harmless::Numbers(&[65_535]), "HTTP/2"),
    later(&["http2_max_frame_size"], Harmless::Numbers(&[16_384]), "HTTP/2"),
    later(&["http2_max_header_list_size"], UNLIMITED, "HTTP/2"),
    // What the peer itself has no more.
    meaningless(&["enable_message_bus"], OFF, REMOVED),
    meaningless(&["timeout"], ZERO, REMOVED),
    meaningless(&["poll_thread_num"], ZERO, "Swoole has removed it; set reactor_num instead"),
    meaningless(&["writer_num"], ZERO, REMOVED),
];

const fn later(names: &'static [&'static str], harmless: Harmless, about: &'static str) -> AbsentRow {
    AbsentRow { names, harmless, absence: Absence::Later, about }
}

const fn coroutines(names: &'static [&'static str], harmless: Harmless) -> AbsentRow {
    AbsentRow { names, harmless, absence: Absence::Coroutines, about: "" }
}

const fn meaningless(names: &'static [&'static str], harmless: Harmless, about: &'static str) -> AbsentRow {
    AbsentRow { names, harmless, absence: Absence::Meaningless, about }
}

const OFF: Harmless = Harmless::Flags(&[false]);
const ON: Harmless = Harmless::Flags(&[true]);
const EITHER: Harmless = Harmless::Flags(&[true, false]);
const ZERO: Harmless = Harmless::Numbers(&[0]);
/// The peer's way of writing it.
const UNLIMITED: Harmless = Harmless::Numbers(&[u32::MAX as i64]);

const NO_AIO: &str = "Rotor has no thread pool for the files of coroutines";
const NO_COROUTINES: &str = "Rotor has no coroutines that it could apply to";
const NO_THREADS: &str = "Rotor has no mode in which workers are threads";
const REMOVED: &str = "Swoole has removed it; leave it out";
const TASKS: &str = "task workers";
