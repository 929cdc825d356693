//! What holds at `start()`.

use std::path::Path;
use std::time::Duration;

use super::super::*;
use super::{input, list, machine, samples, set};
use crate::framer::{Framing, LengthField, LengthType};
use crate::tls::{Options, parse_ciphers};

const DEFAULT_CIPHERS: &str = "EECDH+AESGCM:EDH+AESGCM:AES256+EECDH:AES256+EDH";

/// What `start()` makes of it, without a warning.
fn resolved(input: &SettingsInput) -> Settings {
    let (settings, warnings) = input.resolve(&machine(), Names::Rotor).unwrap();
    assert_eq!(warnings, []);
    settings
}

/// The words of the warnings.
fn warnings(input: &SettingsInput, machine: &Machine) -> (Settings, Vec<String>) {
    let (settings, warnings) = input.resolve(machine, Names::Rotor).unwrap();
    (settings, warnings.iter().map(ToString::to_string).collect())
}

fn failure(input: &SettingsInput, machine: &Machine) -> String {
    input.resolve(machine, Names::Rotor).unwrap_err().to_string()
}

#[test]
fn a_server_that_was_told_nothing_has_the_defaults() {
    let expected = Settings {
        worker_num: 8,
        reactor_num: 8,
        max_connection: 100_000,
        max_connection_policy: AtMost::Refuse,
        start_session_id: 1,
        dispatch_mode: dispatch::Mode::Session,
        enable_unsafe_event: false,
        discard_timeout_request: false,
        event_object: false,
        daemonize: false,
        pid_file: None,
        log_file: None,
        log_level: LogLevel::Notice,
        log_format: LogFormat::Text,
        log_date_format: DateFormat::default(),
        log_date_with_microseconds: false,
        log_rotation: LogRotation::Single,
        max_wait_time: Some(Duration::from_secs(30)),
        shutdown_delay: Duration::ZERO,
        respawn_max_delay: Duration::from_secs(5),
        reload_async: true,
        reload_concurrency: 4,
        reload_user_processes: false,
        max_request: None,
        max_request_grace: 0,
        max_memory: None,
        max_lifetime: None,
        identity: Identity::default(),
        process_dumpable: true,
        open_cpu_affinity: false,
        cpu_affinity_ignore: Vec::new(),
        heartbeat_check_interval: None,
        enable_delay_receive: false,
        max_queued_bytes: None,
        send_timeout: None,
        output_buffer_size: u64::from(u32::MAX),
        task_tmpdir: "/tmp".into(),
        ipc_memory: 256 << 20,
        close_on_worker_error: true,
        request_slowlog_timeout: None,
        request_slowlog_file: None,
        trace_event_worker: true,
        request_timeout: None,
        ports: vec![PortSettings {
            unix_socket_mode: None,
            unix_socket_owner: None,
            unix_socket_group: None,
            backlog: 512,
            socket: SocketSettings::default(),
            max_connections_per_ip: None,
            accept_rate_per_ip: None,
            proxy_trusted: None,
            socket_buffer_size: 8 << 20,
            buffer_high_watermark: 6_710_884,
            buffer_low_watermark: 0,
            heartbeat_idle_time: None,
            max_idle_time: None,
            message_timeout: Some(Duration::from_secs(60)),
            dispatch_func: false,
            framing: Framing::Raw,
            package_max_length: 2 << 20,
            tls: Options { ciphers: parse_ciphers(DEFAULT_CIPHERS).unwrap(), ..Options::default() },
        }],
    };
    assert_eq!(resolved(&input()), expected);

    let (lenient, _) = input().resolve(&machine(), Names::Swoole).unwrap();
    assert_eq!(lenient, Settings { close_on_worker_error: false, ..expected });
}

#[test]
fn every_setting_reaches_the_server() {
    for (key, _, taken) in samples() {
        // What a framing setting needs beside it to matter.
        let beside = match key {
            Key::PackageEof => Some("open_eof_check"),
            Key::TcpKeepidle | Key::TcpKeepinterval | Key::TcpKeepcount => Some("open_tcp_keepalive"),
            Key::ProxyTrusted => Some("open_proxy_protocol"),
            Key::SslAllowSelfSigned
            | Key::SslClientCertFile
            | Key::SslCafile
            | Key::SslCapath
            | Key::SslVerifyDepth => Some("ssl_verify_peer"),
            Key::PackageLengthType | Key::PackageLengthOffset | Key::PackageBodyOffset => Some("open_length_check"),
            _ => None,
        };
        let mut input = input();
        let base: Vec<_> = beside.into_iter().map(|name| (name.to_owned(), Value::Bool(true))).collect();
        input.merge(base, Names::Rotor).unwrap();
        let before = resolved(&input);
        input.merge(vec![(key.row().name.to_owned(), taken)], Names::Rotor).unwrap();
        assert_ne!(resolved(&input), before, "{key:?}");
    }
}

#[test]
fn zero_workers_or_reactors_are_one_per_cpu_and_zero_seconds_are_for_ever() {
    let settings = resolved(&set([("worker_num", 0.into()), ("reactor_num", 0.into()), ("max_wait_time", 0.into())]));
    assert_eq!((settings.worker_num, settings.reactor_num, settings.max_wait_time), (8, 8, None));
    // The number that nobody asked for is lowered in silence.
    assert_eq!(resolved(&set([("worker_num", 2.into()), ("reactor_num", 0.into())])).reactor_num, 2);
    assert_eq!(resolved(&set([("worker_num", 2.into())])).reactor_num, 2);
    let many = Machine { cpus: 64, ..machine() };
    assert_eq!(warnings(&input(), &many).0.reactor_num, 8);
}

#[test]
fn workers_differ_in_max_request_unless_it_is_small_or_told() {
    let grace = |set: Vec<(&str, Value)>| {
        let mut input = input();
        input.merge(set.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), Names::Rotor).unwrap();
        resolved(&input).max_request_grace
    };
    assert_eq!(grace(vec![("max_request", 1000.into())]), 500);
    assert_eq!(grace(vec![("max_request", 10.into())]), 0);
    assert_eq!(grace(vec![("max_request", 1000.into()), ("max_request_grace", 0.into())]), 0);
}

#[test]
fn at_least_one_worker_and_at_most_all_are_replaced_at_once() {
    let at_once = |workers: i64, asked: i64| {
        resolved(&set([("worker_num", workers.into()), ("reload_concurrency", asked.into())])).reload_concurrency
    };
    assert_eq!([at_once(1, 0), at_once(5, 0), at_once(4, 3), at_once(2, 9)], [1, 2, 3, 2]);
}

#[test]
fn more_reactors_than_workers_or_cpus_can_use_are_lowered_with_a_warning() {
    let (settings, told) = warnings(&set([("worker_num", 2.into()), ("reactor_num", 4.into())]), &machine());
    assert_eq!(settings.reactor_num, 2);
    assert_eq!(told, ["reactor_num is lowered from 4 to 2: worker_num is 2, and a reactor needs a worker to serve"]);

    let (settings, told) = warnings(&set([("worker_num", 100.into()), ("reactor_num", 50.into())]), &machine());
    assert_eq!(settings.reactor_num, 32);
    assert_eq!(told, ["reactor_num is lowered from 50 to 32: more than 4 for each of 8 CPUs only wait for each other"]);
}

#[test]
fn connections_are_bounded_by_the_descriptors_that_the_server_leaves() {
    let small = Machine { descriptor_limit: 1024, ..machine() };
    let input = set([("worker_num", 2.into()), ("reactor_num", 2.into()), ("max_conn", 2000.into())]);
    let (settings, told) = warnings(&input, &small);
    assert_eq!(settings.max_connection, 928);
    assert_eq!(
        told,
        ["max_connection is lowered from 2000 to 928: the limit of descriptors is 1024, and the server itself needs \
          up to 96; raise it (ulimit -Hn) to have more"]
    );
    // The default is lowered in silence.
    let (settings, told) = warnings(&set([("worker_num", 2.into())]), &small);
    assert_eq!((settings.max_connection, told), (928, Vec::new()));

    let tiny = Machine { descriptor_limit: 96, ..machine() };
    assert_eq!(
        failure(&input, &tiny),
        "Rotor\\Server::start(): max_connection cannot be 1 or more: 2 workers and 2 reactors need up to 96 \
         descriptors, and the limit is 96; raise it (ulimit -Hn) or lower worker_num"
    );
}

#[test]
fn shared_memory_is_bounded_by_the_memory_there_is() {
    let small = Machine { memory_bytes: Some(400 << 20), ..machine() };
    assert_eq!(warnings(&input(), &small).0.ipc_memory, 100 << 20);
    let (settings, told) = warnings(&set([("ipc_memory", "1G".into())]), &small);
    assert_eq!(settings.ipc_memory, 400 << 20);
    assert_eq!(told, ["ipc_memory is lowered from 1073741824 to 419430400: the machine or cgroup has no more memory"]);
    let unknown = Machine { memory_bytes: None, ..machine() };
    assert_eq!(warnings(&input(), &unknown).0.ipc_memory, 256 << 20);
}

#[test]
fn the_watermarks_follow_the_size_of_the_buffer_and_the_low_one_is_below() {
    let of = |set: Vec<(&str, Value)>| {
        let mut input = input();
        input.merge(set.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), Names::Rotor).unwrap();
        let port = resolved(&input).ports.remove(0);
        (port.buffer_high_watermark, port.buffer_low_watermark)
    };
    assert_eq!(of(vec![("socket_buffer_size", 1000.into())]), (800, 0));
    assert_eq!(of(vec![("socket_buffer_size", 1.into())]), (1, 0));
    assert_eq!(of(vec![("buffer_high_watermark", 10.into()), ("buffer_low_watermark", 9.into())]), (10, 9));
    assert_eq!(of(vec![("buffer_high_watermark", "1G".into())]), (1 << 30, 0));
    let crossed = set([("socket_buffer_size", 1000.into()), ("buffer_low_watermark", 800.into())]);
    assert_eq!(
        failure(&crossed, &machine()),
        "Rotor\\Server::start(): buffer_low_watermark is 800 bytes, and must be less than buffer_high_watermark, 800: \
         a queue would be full and empty at once"
    );
}

#[test]
fn a_client_may_be_silent_for_twice_the_interval_unless_its_port_was_told() {
    let seconds = |set: Vec<(&str, Value)>| {
        let mut input = input();
        input.merge(set.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), Names::Rotor).unwrap();
        resolved(&input).heartbeat_after(0).map(|time| time.as_secs())
    };
    assert_eq!(seconds(vec![]), None);
    assert_eq!(seconds(vec![("heartbeat_check_interval", 5.into())]), Some(10));
    assert_eq!(seconds(vec![("heartbeat_idle_time", 7.into())]), Some(7));
    assert_eq!(seconds(vec![("heartbeat_check_interval", 5.into()), ("heartbeat_idle_time", 60.into())]), Some(60));
    assert_eq!(seconds(vec![("heartbeat_check_interval", 5.into()), ("heartbeat_idle_time", 0.into())]), None);
    assert_eq!(seconds(vec![("heartbeat_check_interval", 0.into()), ("heartbeat_idle_time", 60.into())]), None);
}

#[test]
fn eof_wins_over_length_and_length_over_raw() {
    let mut input = set([("open_http_protocol", false.into()), ("open_length_check", true.into())]);
    let length = LengthField { kind: LengthType::U32Big, offset: 0, body_offset: 4 };
    assert_eq!(resolved(&input).ports[0].framing, Framing::Length(length));

    input.merge(vec![("open_eof_check".into(), true.into())], Names::Rotor).unwrap();
    let terminator = b"\r\n\r\n".to_vec();
    assert_eq!(resolved(&input).ports[0].framing, Framing::Eof { terminator: terminator.clone(), split: false });

    // Splitting implies the check, also when that is off.
    let split = set([("open_eof_split", true.into()), ("open_eof_check", false.into())]);
    assert_eq!(resolved(&split).ports[0].framing, Framing::Eof { terminator, split: true });
}

#[test]
fn a_function_that_tells_lengths_wins_over_the_field_and_implies_the_check_unless_that_is_off() {
    let mut input = set([("package_length_func", Value::Callable)]);
    assert_eq!(resolved(&input).ports[0].framing, Framing::Asked);
    assert!(resolved(&input).asks_user_code());
    for (setting, value, framing) in [
        ("open_length_check", Value::Bool(true), Framing::Asked),
        ("open_length_check", Value::Bool(false), Framing::Raw),
        ("open_length_check", Value::Null, Framing::Asked),
        ("package_length_func", "".into(), Framing::Raw),
        ("package_length_func", Value::Callable, Framing::Asked),
        ("package_length_func", Value::Null, Framing::Raw),
        ("package_length_func", Value::Callable, Framing::Asked),
        ("open_eof_split", Value::Bool(true), Framing::Eof { terminator: b"\r\n\r\n".to_vec(), split: true }),
    ] {
        input.merge(vec![(setting.into(), value)], Names::Rotor).unwrap();
        assert_eq!(resolved(&input).ports[0].framing, framing, "{setting}");
    }
    assert!(!resolved(&input).asks_user_code());
}

#[test]
fn a_length_field_is_as_it_was_described() {
    let input = set([
        ("open_length_check", true.into()),
        ("package_length_type", "v".into()),
        ("package_length_offset", 2.into()),
        ("package_body_start", 10.into()),
    ]);
    let field = LengthField { kind: LengthType::U16Little, offset: 2, body_offset: 10 };
    assert_eq!(resolved(&input).ports[0].framing, Framing::Length(field));
}

#[test]
fn a_limit_below_the_smallest_message_is_refused() {
    let mut input = set([("open_length_check", true.into()), ("package_max_length", 4.into())]);
    assert_eq!(resolved(&input).ports[0].package_max_length, 4);
    input.merge(vec![("package_length_offset".into(), 1.into())], Names::Rotor).unwrap();
    assert_eq!(
        failure(&input, &machine()),
        "Rotor\\Server::start(): package_max_length is 4 bytes, and the header that holds the length alone has 5: \
         no message would fit"
    );
    let eof = set([("open_eof_split", true.into()), ("package_max_length", 3.into())]);
    assert!(failure(&eof, &machine()).contains("package_eof alone has 4"));
    assert_eq!(resolved(&set([("package_max_length", 1.into())])).ports[0].package_max_length, 1);
}

#[test]
fn paths_are_counted_from_the_working_directory() {
    let settings = resolved(&set([("pid_file", "run/app.pid".into()), ("log_file", "/var/log/app.log".into())]));
    assert_eq!(settings.pid_file, Some(std::env::current_dir().unwrap().join("run/app.pid")));
    assert_eq!(settings.log_file.as_deref(), Some(Path::new("/var/log/app.log")));
    assert_eq!(resolved(&set([("pid_file", "".into())])).pid_file, None);
}

#[test]
fn the_directory_for_files_has_to_exist() {
    let with = |path: &str| failure(&set([("task_tmpdir", path.into())]), &machine());
    let start = "Rotor\\Server::start(): task_tmpdir";
    assert_eq!(
        with("/nowhere/at/all"),
        format!("{start} must be a directory that exists, \"/nowhere/at/all\": no such file or directory")
    );
    assert_eq!(with("/dev/null"), format!("{start} must be a directory, \"/dev/null\" is not"));
    assert_eq!(with(""), format!("{start} is empty; it must be a directory that exists"));
}

#[test]
fn the_ignored_cpus_leave_one() {
    let two = Machine { cpus: 2, cpu_list: vec![0, 5], ..machine() };
    let (settings, _) = warnings(&set([("cpu_affinity_ignore", list(&[5, 3, 5]))]), &two);
    assert_eq!(settings.cpu_affinity_ignore, [3, 5]);
    assert_eq!(
        failure(&set([("cpu_affinity_ignore", list(&[5, 0]))]), &two),
        "Rotor\\Server::start(): cpu_affinity_ignore names every CPU that this process may run on (0, 5); leave one out"
    );
}

#[test]
fn suites_that_there_are_not_here_are_named_while_the_others_are_taken() {
    let text = "ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256:AES256-SHA:!3DES";
    let with = set([("ssl_ciphers", text.into())]);
    let expected = "ssl_ciphers names suites that there are not here, and is followed without them: \
                    DHE-RSA-AES128-GCM-SHA256, AES256-SHA; there are those with ECDHE and AES-GCM or ChaCha20";
    let (settings, told) = warnings(&with, &machine());
    assert_eq!(told, [expected]);
    assert_eq!(settings.ports[0].tls.ciphers, parse_ciphers("ECDHE-RSA-AES128-GCM-SHA256").unwrap());
    let (own, told) = with.resolve_port(&settings.ports[0], &machine(), Names::Rotor).unwrap();
    assert_eq!(told.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
    assert_eq!(own.tls.ciphers, settings.ports[0].tls.ciphers);
    resolved(&set([("ssl_ciphers", DEFAULT_CIPHERS.into())]));
}
