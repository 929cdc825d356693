use std::collections::BTreeSet;

use super::members::CLASSES;
use super::*;
use crate::host::{ABSENT_EVENTS, EVENTS};
use crate::settings::{ABSENT, ROWS};

const STUB: &str = include_str!("../../../../php-stubs/rotor.stub.php");
const SWOOLE_STUB: &str = include_str!("../../../../php-stubs/swoole.stub.php");

/// What the peer's documents list, version 6.2: all but `package_body_start` and the like, which are other names.
const SETTINGS_OF_THE_PEER: &[&str] = &[
    // Process and scheduling.
    "worker_num",
    "reactor_num",
    "single_thread",
    "task_worker_num",
    "max_request",
    "task_max_request",
    "max_request_grace",
    "task_max_request_grace",
    "max_wait_time",
    "reload_async",
    "max_connection",
    "max_conn",
    "max_concurrency",
    "worker_max_concurrency",
    "dispatch_mode",
    "dispatch_func",
    "enable_coroutine",
    "max_coroutine",
    "max_coro_num",
    "task_enable_coroutine",
    "task_object",
    "task_use_object",
    "event_object",
    "task_ipc_mode",
    "message_queue_key",
    "task_tmpdir",
    "daemonize",
    "pid_file",
    "user",
    "group",
    "chroot",
    "open_cpu_affinity",
    "cpu_affinity_ignore",
    "start_session_id",
    "enable_unsafe_event",
    "discard_timeout_request",
    "enable_delay_receive",
    "enable_reuse_port",
    "bootstrap",
    "init_arguments",
    "enable_signalfd",
    "debug_mode",
    // Logging and system.
    "log_file",
    "log_level",
    "log_date_format",
    "log_date_with_microseconds",
    "log_rotation",
    "trace_flags",
    "display_errors",
    "print_backtrace_on_error",
    "dns_server",
    "socket_dns_timeout",
    "socket_connect_timeout",
    "socket_read_timeout",
    "socket_recv_timeout",
    "socket_write_timeout",
    "socket_send_timeout",
    "socket_timeout",
    "socket_buffer_size",
    "aio_core_worker_num",
    "aio_worker_num",
    "aio_max_wait_time",
    "aio_max_idle_time",
    "iouring_entries",
    "iouring_workers",
    "iouring_flag",
    "enable_deadlock_check",
    "hook_flags",
    "enable_preemptive_scheduler",
    "c_stack_size",
    "stack_size",
    "name_resolver",
    "dns_cache_expire",
    "dns_cache_capacity",
    "stats_file",
    "stats_timer_interval",
    "admin_server",
    // Connections and buffers.
    "heartbeat_check_interval",
    "heartbeat_idle_time",
    "max_idle_time",
    "send_timeout",
    "send_yield",
    "output_buffer_size",
    "buffer_output_size",
    "input_buffer_size",
    "buffer_input_size",
    "max_queued_bytes",
    "buffer_high_watermark",
    "buffer_low_watermark",
    "backlog",
    "open_tcp_nodelay",
    "tcp_defer_accept",
    "tcp_fastopen",
    "open_tcp_keepalive",
    "tcp_keepidle",
    "tcp_keepinterval",
    "tcp_keepcount",
    "tcp_user_timeout",
    "kernel_socket_recv_buffer_size",
    "kernel_socket_send_buffer_size",
    // Framing.
    "open_eof_check",
    "open_eof_split",
    "package_eof",
    "open_length_check",
    "package_length_type",
    "package_length_offset",
    "package_body_offset",
    "package_body_start",
    "package_length_func",
    "package_max_length",
    "open_http_protocol",
    "open_http2_protocol",
    "open_websocket_protocol",
    "open_mqtt_protocol",
    "open_redis_protocol",
    // TLS.
    "ssl_cert_file",
    "ssl_key_file",
    "ssl_sni_certs",
    "ssl_protocols",
    "ssl_ciphers",
    "ssl_prefer_server_ciphers",
    "ssl_ecdh_curve",
    "ssl_dhparam",
    "ssl_verify_peer",
    "ssl_allow_self_signed",
    "ssl_client_cert_file",
    "ssl_cafile",
    "ssl_capath",
    "ssl_verify_depth",
    "ssl_compress",
    // HTTP and WebSocket.
    "http_parse_cookie",
    "http_parse_post",
    "http_parse_files",
    "http_compression",
    "http_compression_level",
    "compression_level",
    "http_gzip_level",
    "compression_min_length",
    "http_compression_types",
    "upload_tmp_dir",
    "upload_max_filesize",
    "enable_static_handler",
    "document_root",
    "static_handler_locations",
    "http_autoindex",
    "http_index_files",
    "url_rewrite_rules",
    "websocket_subprotocol",
    "websocket_compression",
    "websocket_mask",
    "open_websocket_close_frame",
    "open_websocket_ping_frame",
    "open_websocket_pong_frame",
    "http2_header_table_size",
    "http2_enable_push",
    "http2_max_concurrent_streams",
    "http2_init_window_size",
    "http2_max_frame_size",
    "http2_max_header_list_size",
    // What it has no more, and people still set.
    "request_slowlog_timeout",
    "request_slowlog_file",
    "trace_event_worker",
    "enable_message_bus",
    "timeout",
    "poll_thread_num",
    "writer_num",
];

const EVENTS_OF_THE_PEER: &[&str] = &[
    "Start",
    "BeforeShutdown",
    "Shutdown",
    "ManagerStart",
    "ManagerStop",
    "BeforeReload",
    "AfterReload",
    "WorkerStart",
    "WorkerStop",
    "WorkerExit",
    "WorkerError",
    "Connect",
    "Receive",
    "Packet",
    "Close",
    "BufferFull",
    "BufferEmpty",
    "Task",
    "Finish",
    "PipeMessage",
    "Request",
    "Handshake",
    "BeforeHandshakeResponse",
    "Open",
    "Message",
    "Disconnect",
];

#[test]
fn the_page_of_the_docs_is_the_one_that_the_tables_make() {
    assert!(
        include_str!("../../../../docs/migration.md") == migration_page(),
        "docs/migration.md is stale: cargo run -p rotor-core --example migration_page > docs/migration.md"
    );
}

#[test]
fn every_setting_of_the_peer_is_told_of_and_no_other_is_taken_for_one_of_its() {
    let here = ROWS.iter().filter(|row| settings::fate(row.key).is_of_the_peer());
    let here = here.flat_map(|row| std::iter::once(row.name).chain(row.aliases.iter().copied()));
    let told: BTreeSet<_> = here.chain(ABSENT.iter().flat_map(|row| row.names.iter().copied())).collect();
    assert_eq!(told, SETTINGS_OF_THE_PEER.iter().copied().collect());
}

#[test]
fn every_event_of_the_peer_is_told_of_and_no_other_is_taken_for_one_of_its() {
    let here = EVENTS.iter().filter(|(kind, _)| events::fate(*kind).is_of_the_peer()).map(|(_, name)| *name);
    let told: BTreeSet<_> = here.chain(ABSENT_EVENTS.iter().map(|(name, _)| *name)).collect();
    assert_eq!(told, EVENTS_OF_THE_PEER.iter().copied().collect());
}

#[test]
fn the_members_that_are_here_are_those_of_the_stub() {
    for class in CLASSES {
        let here = class.members.iter().filter(|(_, fate)| is_here(*fate)).map(|(name, _)| (*name).to_owned());
        let told: BTreeSet<String> = here.collect();
        let mut declared = members_in_the_stub(class.name).expect(class.name);
        // Nobody can call it.
        if !told.contains("__construct") {
            declared.remove("__construct");
        }
        assert_eq!(told, declared, "{}", class.name);
    }
}

#[test]
fn the_classes_that_are_here_are_those_of_the_stub() {
    let declared: BTreeSet<_> = classes_in_the_stub().into_iter().map(|(name, _)| name).collect();
    let told: BTreeSet<_> = CLASSES.iter().map(|class| class.name.to_owned()).collect();
    assert_eq!(told, declared);
    for (name, fate) in names::CLASSES {
        assert!(!is_here(*fate), "{name} has a table of its own");
        let bare = name.strip_prefix("Swoole\\").expect(name);
        assert!(!declared.contains(bare), "{name} is in the stub");
    }
}

#[test]
fn the_functions_that_are_here_are_those_of_the_stub() {
    let declared = names_behind("    function ", '(');
    assert!(!declared.is_empty());
    let told = names::FUNCTIONS.iter().filter(|(_, fate)| is_here(*fate)).map(|(name, _)| *name).collect();
    assert_eq!(declared, told);
}

#[test]
fn the_constants_that_are_here_are_those_of_the_stub() {
    let declared = names_behind("    const ", ' ');
    let mut met = BTreeSet::new();
    for constant in declared {
        let fitting = names::CONSTANTS.iter().filter(|(beginning, _)| constant.starts_with(beginning));
        let (beginning, fate) = fitting.max_by_key(|(beginning, _)| beginning.len()).expect(constant);
        assert!(is_here(*fate), "{constant} is in the stub");
        met.insert(*beginning);
    }
    let told: BTreeSet<_> = names::CONSTANTS.iter().filter(|(_, fate)| is_here(*fate)).map(|(name, _)| *name).collect();
    assert_eq!(met, told);
}

#[test]
fn nothing_is_told_of_twice() {
    for class in CLASSES {
        assert_eq!(class.members.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len(), class.members.len());
    }
    for table in [names::CLASSES, names::FUNCTIONS, names::CONSTANTS] {
        assert_eq!(table.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len(), table.len());
    }
}

#[test]
fn texts_are_sentences() {
    let members = CLASSES.iter().flat_map(|class| class.members.iter().map(|(_, fate)| *fate));
    let names = [names::CLASSES, names::FUNCTIONS, names::CONSTANTS].into_iter().flatten().map(|(_, fate)| *fate);
    let settings = ROWS.iter().map(|row| settings::fate(row.key));
    let events = EVENTS.iter().map(|(kind, _)| events::fate(*kind));
    for fate in members.chain(names).chain(settings).chain(events) {
        match fate {
            Fate::Differs(text) | Fate::Refused(text) => assert!(text.ends_with('.'), "{text}"),
            Fate::Later(text) => assert!(!text.is_empty() && !text.ends_with('.'), "{text}"),
            Fate::Same | Fate::New(_) => {}
        }
        assert!(!fate.text().contains(['|', '\n']), "{}", fate.text());
    }
}

fn is_here(fate: Fate) -> bool {
    matches!(fate, Fate::Same | Fate::Differs(_) | Fate::New(_))
}

/// The classes of the stub, without `Rotor\`, and what each declares.
fn classes_in_the_stub() -> Vec<(String, BTreeSet<String>)> {
    let mut classes: Vec<(String, BTreeSet<String>)> = Vec::new();
    let mut namespace = "";
    for line in STUB.lines().map(str::trim_start) {
        if let Some(name) = line.strip_prefix("namespace Rotor") {
            namespace = name.trim_start_matches('\\').trim_end_matches([' ', '{']);
        } else if let Some(name) = line.trim_start_matches("final ").strip_prefix("class ") {
            let bare = name.split(' ').next().unwrap_or_default();
            let name = if namespace.is_empty() { bare.into() } else { format!("{namespace}\\{bare}") };
            classes.push((name, BTreeSet::new()));
        } else if let Some(member) = member_of(line)
            && let Some((_, members)) = classes.last_mut()
        {
            members.insert(member);
        }
    }
    classes
}

/// What a line of the stub declares, constants aside.
fn member_of(line: &str) -> Option<String> {
    let rest = line.strip_prefix("public ").or_else(|| line.strip_prefix("private "))?;
    let rest = rest.strip_prefix("static ").unwrap_or(rest).trim_start_matches("readonly ");
    match rest.strip_prefix("function ") {
        Some(method) => method.split_once('(').map(|(name, _)| name.into()),
        None => rest.split([' ', ';']).find(|word| word.starts_with('$')).map(Into::into),
    }
}

fn members_in_the_stub(class: &str) -> Option<BTreeSet<String>> {
    classes_in_the_stub().into_iter().find(|(name, _)| name == class).map(|(_, members)| members)
}

/// What the stub of the peer's names declares in lines that begin so.
fn names_behind(beginning: &str, end: char) -> BTreeSet<&'static str> {
    SWOOLE_STUB.lines().filter_map(|line| line.strip_prefix(beginning)?.split(end).next()).collect()
}
