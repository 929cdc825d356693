//! The tables, and what `set()` makes of values.

mod machine;
mod property;
mod resolve;

use rotor_sys::credentials::Rights;

use super::*;

/// Eight CPUs, 16 GiB, a million descriptors, and root.
fn machine() -> Machine {
    Machine {
        cpus: 8,
        cpu_list: (0..8).collect(),
        memory_bytes: Some(16 << 30),
        descriptor_limit: 1_000_000,
        rights: Rights { uid: 0, gid: 0, capabilities: u64::MAX },
    }
}

fn input() -> SettingsInput {
    SettingsInput::new(machine())
}

/// `input` after one `set()` that is taken.
fn set<const N: usize>(settings: [(&str, Value); N]) -> SettingsInput {
    let mut input = input();
    assert_eq!(merge(&mut input, settings, Names::Rotor), Ok(Vec::new()));
    input
}

fn merge<const N: usize>(
    input: &mut SettingsInput,
    settings: [(&str, Value); N],
    names: Names,
) -> Result<Vec<Warning>, SettingError> {
    input.merge(settings.map(|(key, value)| (key.to_owned(), value)).to_vec(), names)
}

/// What `set()` throws for one setting.
fn refusal(key: &str, value: impl Into<Value>) -> String {
    match merge(&mut input(), [(key, value.into())], Names::Rotor) {
        Ok(_) => panic!("{key} was taken"),
        Err(error) => error.to_string(),
    }
}

/// What one setting is stored as.
fn stored(key: &str, value: impl Into<Value>) -> Value {
    let input = set([(key, value.into())]);
    input.values().next().map(|(_, value)| value.clone()).expect("it was set")
}

fn texts(texts: &[&str]) -> Value {
    Value::List(texts.iter().copied().map(Value::str).collect())
}

/// `ssl_sni_certs` for one host.
fn hosts(host: &str) -> Value {
    let file = |name: &str| (name.to_owned(), Value::str("/etc/ssl/host.pem"));
    Value::Map(vec![(host.to_owned(), Value::Map(vec![file("ssl_cert_file"), file("ssl_key_file")]))])
}

fn list(numbers: &[i64]) -> Value {
    Value::List(numbers.iter().copied().map(Value::Int).collect())
}

/// For each setting a value that is refused, and one that is taken and is not the default.
fn samples() -> Vec<(Key, Value, Value)> {
    let flag = |key, other: bool| (key, Value::str("yes"), Value::Bool(other));
    let int = |key, refused: i64, taken: i64| (key, Value::Int(refused), Value::Int(taken));
    let float = |key, refused: f64, taken: f64| (key, Value::Float(refused), Value::Float(taken));
    let text = |key, taken: &str| (key, Value::Int(1), Value::str(taken));
    vec![
        int(Key::WorkerNum, 8001, 3),
        int(Key::ReactorNum, -1, 2),
        int(Key::MaxConnection, 0, 1000),
        (Key::MaxConnectionPolicy, Value::str("queue"), Value::str("hold")),
        (Key::StartSessionId, Value::Int(1 << 32), Value::Int(1_000_000)),
        int(Key::DispatchMode, 11, 1),
        (Key::DispatchFunc, Value::Int(3), Value::Callable),
        flag(Key::EnableUnsafeEvent, true),
        flag(Key::DiscardTimeoutRequest, true),
        flag(Key::EventObject, true),
        flag(Key::Daemonize, true),
        text(Key::PidFile, "/run/app.pid"),
        text(Key::LogFile, "/var/log/app.log"),
        int(Key::LogLevel, 7, 0),
        (Key::LogFormat, Value::str("xml"), Value::str("json")),
        (Key::LogDateFormat, Value::str("%Q"), Value::str("%c")),
        flag(Key::LogDateWithMicroseconds, true),
        int(Key::LogRotation, 5, 2),
        int(Key::MaxWaitTime, -1, 5),
        float(Key::ShutdownDelay, -0.5, 2.5),
        float(Key::RespawnMaxDelay, 86_400.5, 0.25),
        flag(Key::ReloadAsync, false),
        int(Key::ReloadConcurrency, -1, 3),
        flag(Key::ReloadUserProcesses, true),
        int(Key::MaxRequest, -1, 1000),
        int(Key::MaxRequestGrace, -1, 5),
        int(Key::MaxMemory, -1, 64 << 20),
        float(Key::MaxLifetime, f64::INFINITY, 0.5),
        text(Key::User, "nobody"),
        text(Key::Group, "12"),
        text(Key::Chroot, "/"),
        flag(Key::ProcessDumpable, false),
        flag(Key::OpenCpuAffinity, true),
        (Key::CpuAffinityIgnore, list(&[0, -1]), list(&[1, 0, 1])),
        int(Key::HeartbeatCheckInterval, -1, 5),
        flag(Key::EnableDelayReceive, true),
        int(Key::MaxQueuedBytes, -1, 1 << 20),
        float(Key::SendTimeout, -0.5, 0.5),
        int(Key::OutputBufferSize, 0, 1 << 20),
        text(Key::TaskTmpdir, "/"),
        int(Key::IpcMemory, 1, 64 << 20),
        flag(Key::CloseOnWorkerError, false),
        float(Key::RequestTimeout, -1.0, 1.5),
        float(Key::RequestSlowlogTimeout, -0.5, 0.25),
        text(Key::RequestSlowlogFile, "/var/log/slow"),
        flag(Key::TraceEventWorker, false),
        int(Key::UnixSocketMode, 0o1000, 0o660),
        text(Key::UnixSocketOwner, "4111222333"),
        text(Key::UnixSocketGroup, "12"),
        int(Key::Backlog, 0, 128),
        flag(Key::OpenTcpNodelay, false),
        int(Key::TcpDeferAccept, 3601, 5),
        flag(Key::TcpFastopen, true),
        flag(Key::OpenTcpKeepalive, true),
        int(Key::TcpKeepidle, 0, 60),
        int(Key::TcpKeepinterval, 32_768, 10),
        int(Key::TcpKeepcount, 128, 3),
        int(Key::TcpUserTimeout, -1, 1500),
        int(Key::KernelSocketRecvBufferSize, -1, 64 << 10),
        int(Key::KernelSocketSendBufferSize, -1, 64 << 10),
        int(Key::MaxConnectionsPerIp, -1, 10),
        float(Key::AcceptRatePerIp, -0.1, 2.5),
        flag(Key::OpenProxyProtocol, true),
        (Key::ProxyTrusted, texts(&["10.0.0.0/8", "localhost"]), texts(&["10.0.0.0/8", "::1"])),
        int(Key::SocketBufferSize, 0, 1 << 20),
        int(Key::BufferHighWatermark, -1, 1 << 20),
        int(Key::BufferLowWatermark, -1, 1000),
        int(Key::HeartbeatIdleTime, -1, 60),
        float(Key::MaxIdleTime, -0.5, 1.5),
        float(Key::MessageTimeout, -1.0, 0.5),
        flag(Key::OpenEofCheck, true),
        flag(Key::OpenEofSplit, true),
        (Key::PackageEof, Value::str("123456789"), Value::str("\n")),
        flag(Key::OpenLengthCheck, true),
        (Key::PackageLengthType, Value::str("A"), Value::str("n")),
        int(Key::PackageLengthOffset, 65_536, 2),
        int(Key::PackageBodyOffset, -1, 0),
        (Key::PackageLengthFunc, Value::str("no_such_function"), Value::Callable),
        int(Key::PackageMaxLength, 0, 1000),
        text(Key::SslCertFile, "/etc/ssl/server.crt"),
        text(Key::SslKeyFile, "/etc/ssl/server.key"),
        (Key::SslSniCerts, hosts("a.*.com"), hosts("*.example.com")),
        int(Key::SslProtocols, 16, 64),
        (Key::SslCiphers, Value::str("AES128-SHA"), Value::str("AES128+aRSA")),
        flag(Key::SslPreferServerCiphers, false),
        (Key::SslEcdhCurve, Value::str("sect571r1"), Value::str("P-384:X25519")),
        flag(Key::SslVerifyPeer, true),
        flag(Key::SslAllowSelfSigned, true),
        text(Key::SslClientCertFile, "/etc/ssl/clients.crt"),
        text(Key::SslCafile, "/etc/ssl/ca.crt"),
        text(Key::SslCapath, "/etc/ssl/certs"),
        int(Key::SslVerifyDepth, -1, 2),
        (Key::SslAlpnProtocols, texts(&["h2", ""]), texts(&["h2", "http/1.1"])),
        flag(Key::SslSessionTickets, false),
    ]
}

#[test]
fn every_setting_has_a_refused_value_and_an_accepted_one() {
    let samples = samples();
    assert_eq!(
        samples.iter().map(|(key, ..)| *key).collect::<Vec<_>>(),
        ROWS.iter().map(|row| row.key).collect::<Vec<_>>()
    );
    for (key, refused, taken) in samples {
        let row = key.row();
        for name in std::iter::once(&row.name).chain(row.aliases) {
            let message = refusal(name, refused.clone());
            assert!(message.contains(&format!("{name} must be ")), "{message}");
            assert_eq!(stored(name, taken.clone()), taken);
        }
    }
}

#[test]
fn every_absent_setting_takes_its_harmless_values_and_gives_its_reason_for_others() {
    for row in ABSENT {
        let harmless: Vec<Value> = match row.harmless {
            Harmless::Flags(flags) => flags.iter().copied().map(Value::Bool).collect(),
            Harmless::Numbers(numbers) => numbers.iter().copied().map(Value::Int).collect(),
            Harmless::Texts(texts) => texts.iter().copied().map(Value::str).collect(),
            Harmless::Empty => vec![Value::str(""), Value::List(Vec::new()), Value::Bool(false)],
        };
        for name in row.names {
            for value in &harmless {
                assert_eq!(stored(name, value.clone()), *value, "{name}");
            }
            let message = refusal(name, "something");
            assert!(message.contains(&row.because()) && !row.because().is_empty(), "{message}");
            set([(name, Value::Null)]);
        }
    }
}

#[test]
fn no_name_stands_for_two_settings() {
    let here = ROWS.iter().flat_map(|row| std::iter::once(&row.name).chain(row.aliases));
    let mut names: Vec<_> = here.chain(ABSENT.iter().flat_map(|row| row.names)).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(names.iter().all(|name| name.len() <= 40 && !name.contains(char::is_uppercase)), "the nearest name");
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "defaults are small")]
fn every_default_is_a_value_that_its_own_row_takes() {
    for row in ROWS {
        assert!(std::ptr::eq(row, row.key.row()));
        let default = match row.preset {
            Preset::Flag(flag) | Preset::FlagByNames { rotor: flag, .. } => Value::Bool(flag),
            Preset::Int(number) if row.kind == Kind::Float => Value::Float(number as f64),
            Preset::Int(number) => Value::Int(number),
            Preset::Machine { of, .. } => Value::Int(of(&machine())),
            Preset::Text(text) => Value::str(text),
            Preset::Nothing if matches!(row.kind, Kind::Int | Kind::Callable(_)) => continue,
            Preset::Nothing if row.kind == Kind::Certificates => Value::Map(Vec::new()),
            Preset::Nothing if matches!(row.kind, Kind::IntList | Kind::TextList) => Value::List(Vec::new()),
            Preset::Nothing => Value::str(""),
        };
        assert_eq!(stored(row.name, default.clone()), default, "{}", row.name);
    }
}

#[test]
fn a_message_names_the_setting_what_was_expected_and_what_was_given() {
    let long = "x".repeat(1000);
    let cases: &[(&str, Value, &str)] = &[
        ("worker_num", Value::Int(-3), "worker_num must be 0 (one per CPU) to 8000 (1000 per CPU), -3 given"),
        (
            "worker_num",
            Value::str("many"),
            "worker_num must be 0 (one per CPU) to 8000 (1000 per CPU), \"many\" given; it has to be an integer",
        ),
        (
            "worker_num",
            Value::Bool(true),
            "worker_num must be 0 (one per CPU) to 8000 (1000 per CPU), true given; it has to be an integer",
        ),
        (
            "max_wait_time",
            Value::Float(1.5),
            "max_wait_time must be 0 (for ever) to 4294967295 seconds, 1.5 given; it has to be an integer",
        ),
        (
            "max_idle_time",
            Value::Float(f64::INFINITY),
            "max_idle_time must be 0 (for ever) to 4294967295 seconds, INF given; it has to be a number",
        ),
        (
            "unix_socket_mode",
            Value::str("rw"),
            "unix_socket_mode must be permissions from 0 to 0777, \"rw\" given; it has to be an integer such as 0660, or a \
             string of octal digits",
        ),
        ("max_conn", Value::Int(0), "max_conn must be 1 to 16777216, 0 given"),
        ("dispatch_mode", Value::Int(11), "dispatch_mode must be 1 to 10, 11 given"),
        ("dispatch_mode", Value::str("x"), "dispatch_mode must be 1 to 10, \"x\" given; it has to be an integer"),
        (
            "daemonize",
            Value::str("false"),
            "daemonize must be true or false, \"false\" given; give it without quotes, or as 1 or 0",
        ),
        ("daemonize", Value::Int(2), "daemonize must be true or false, 2 given"),
        ("pid_file", Value::Other("Closure"), "pid_file must be a path, Closure given"),
        ("pid_file", Value::str("a\0b"), "pid_file must be a path, \"a\\0b\" given"),
        ("log_level", Value::Int(9), "log_level must be 0 (debug) to 6 (none), 9 given"),
        ("max_wait_time", Value::Int(-1), "max_wait_time must be 0 (for ever) to 4294967295 seconds, -1 given"),
        (
            "cpu_affinity_ignore",
            Value::Int(0),
            "cpu_affinity_ignore must be a list of integers, each 0 to 1023, 0 given",
        ),
        (
            "cpu_affinity_ignore",
            list(&[-1]),
            "cpu_affinity_ignore must be a list of integers, each 0 to 1023, array given",
        ),
        (
            "socket_buffer_size",
            Value::str("8MB"),
            "socket_buffer_size must be 1 to 4294967295 bytes, \"8MB\" given; it has to be an integer, or a string such as \
             \"64K\", \"8M\" or \"1G\"",
        ),
        ("package_eof", Value::str(""), "package_eof must be a string of 1 to 8 bytes, \"\" given"),
        (
            "package_eof",
            Value::str(&long),
            &format!("package_eof must be a string of 1 to 8 bytes, \"{}...\" given", &long[..60]),
        ),
        (
            "package_length_type",
            Value::str("A"),
            "package_length_type must be one of the letters c C s S n v l L N V q Q J P, \"A\" given",
        ),
        (
            "open_http_protocol",
            Value::Bool(true),
            "open_http_protocol must be false, true given; it does not exist in this version of Rotor yet (HTTP)",
        ),
        (
            "task_worker_num",
            Value::Int(4),
            "task_worker_num must be 0, 4 given; it does not exist in this version of Rotor yet (task workers)",
        ),
        ("user", Value::Int(33), "user must be a string, 33 given"),
        (
            "ssl_ciphers",
            Value::List(Vec::new()),
            "ssl_ciphers must be a cipher string of OpenSSL such as \"EECDH+AESGCM\", empty array given",
        ),
        (
            "ssl_ciphers",
            Value::str("RC4-SHA"),
            "ssl_ciphers must be a cipher string of OpenSSL such as \"EECDH+AESGCM\", \"RC4-SHA\" given; it leaves none of the \
             suites of TLS 1.2 that there are: ECDHE-ECDSA-AES256-GCM-SHA384, ECDHE-RSA-AES256-GCM-SHA384, \
             ECDHE-ECDSA-CHACHA20-POLY1305, ECDHE-RSA-CHACHA20-POLY1305, ECDHE-ECDSA-AES128-GCM-SHA256, \
             ECDHE-RSA-AES128-GCM-SHA256",
        ),
        (
            "ssl_ecdh_curve",
            Value::str("brainpoolP256r1"),
            "ssl_ecdh_curve must be \"auto\" or a list of groups such as \"X25519:prime256v1\", \"brainpoolP256r1\" given; there \
             is no group \"brainpoolP256r1\" here; there are X25519, prime256v1, secp384r1",
        ),
        (
            "ssl_protocols",
            Value::Int(48),
            "ssl_protocols must be 0, 32, 64 or 96, 48 given; 32 is TLS 1.2 and 64 is TLS 1.3, 0 is both; older versions have \
             known holes, and there are none here",
        ),
        (
            "ssl_alpn_protocols",
            Value::str("h2"),
            "ssl_alpn_protocols must be a list of strings of 1 to 255 bytes, \"h2\" given",
        ),
        (
            "ssl_sni_certs",
            Value::str("example.com"),
            "ssl_sni_certs must be an array of host names (one left-most * allowed), each with ssl_cert_file and \
             ssl_key_file, \"example.com\" given",
        ),
        (
            "enable_coroutine",
            Value::Bool(true),
            "enable_coroutine must be false, true given; Rotor has no coroutines; callbacks run one after the other in each worker",
        ),
        (
            "single_thread",
            Value::Bool(true),
            "single_thread must be false, true given; reactors are threads of their own; set reactor_num to 1 to have one of them",
        ),
        (
            "max_coroutine",
            Value::Int(3000),
            "max_coroutine must be 0 or 100000, 3000 given; Rotor has no coroutines that it could apply to",
        ),
        ("worker_nums", Value::Int(1), "unknown setting \"worker_nums\"; did you mean \"worker_num\"?"),
        ("colour\n", Value::Null, "unknown setting \"colour\\n\""),
    ];
    for (key, value, message) in cases {
        assert_eq!(refusal(key, value.clone()), format!("Rotor\\Server::set(): {message}"));
    }
}

#[test]
fn an_unknown_name_is_answered_with_its_nearest_neighbour() {
    let nearest = |key: &str| match merge(&mut input(), [(key, Value::Null)], Names::Rotor) {
        Err(SettingError::Unknown { nearest, .. }) => nearest,
        other => panic!("{key}: {other:?}"),
    };
    assert_eq!(nearest("Worker_Num"), Some("worker_num"));
    assert_eq!(nearest("wroker_num"), Some("worker_num"));
    assert_eq!(nearest("workernum"), Some("worker_num"));
    assert_eq!(nearest("max_connections"), Some("max_connection"));
    assert_eq!(nearest("deamonize"), Some("daemonize"));
    assert_eq!(nearest("package_max_len"), Some("package_max_length"));
    assert_eq!(nearest("task_worker_nun"), Some("task_worker_num"));
    assert_eq!(nearest("0"), None);
    assert_eq!(nearest(""), None);
    assert_eq!(nearest("database"), None);
    assert_eq!(nearest(&"worker_num".repeat(100_000)), None);
}

#[test]
fn strings_zero_and_one_and_quantities_are_converted() {
    assert_eq!(stored("worker_num", "4"), Value::Int(4));
    assert_eq!(stored("worker_num", " 4\n"), Value::Int(4));
    assert_eq!(stored("worker_num", Value::Float(4.0)), Value::Int(4));
    assert_eq!(stored("daemonize", 1), Value::Bool(true));
    assert_eq!(stored("daemonize", "0"), Value::Bool(false));
    assert_eq!(stored("package_max_length", "64K"), Value::Int(64 << 10));
    assert_eq!(stored("package_max_length", "8m"), Value::Int(8 << 20));
    assert_eq!(stored("ipc_memory", "1G"), Value::Int(1 << 30));
    assert_eq!(stored("package_max_length", "10"), Value::Int(10));
    assert_eq!(stored("cpu_affinity_ignore", Value::List(vec!["1".into(), 2.into()])), list(&[1, 2]));
    assert_eq!(stored("task_worker_num", "0"), Value::Int(0));
    assert_eq!(stored("http2_enable_push", false), Value::Int(0));

    for wrong in ["", "M", "8MB", "8 M", "1.5M", "0x10", "9223372036854775807G", "-1"] {
        refusal("package_max_length", wrong);
    }
    refusal("worker_num", "4K");
    refusal("worker_num", Value::Float(f64::NAN));
    refusal("worker_num", Value::Float(1e300));
    refusal("daemonize", "");
}

#[test]
fn later_values_win_and_null_goes_back_to_the_default() {
    let mut input = set([("worker_num", 2.into()), ("max_conn", 10.into()), ("worker_num", 3.into())]);
    merge(&mut input, [("max_connection", 20.into()), ("daemonize", true.into())], Names::Rotor).unwrap();
    let values: Vec<_> = input.values().collect();
    assert_eq!(
        values,
        [("worker_num", &Value::Int(3)), ("max_connection", &Value::Int(20)), ("daemonize", &Value::Bool(true))]
    );

    merge(&mut input, [("max_conn", Value::Null), ("pid_file", Value::Null)], Names::Rotor).unwrap();
    assert_eq!(input.get(Key::MaxConnection), None);
    assert_eq!(input.values().count(), 2);
}

#[test]
fn a_set_that_is_refused_changes_nothing() {
    let mut input = set([("worker_num", 2.into())]);
    for names in [Names::Rotor, Names::Swoole] {
        merge(&mut input, [("worker_num", 3.into()), ("daemonize", "maybe".into())], names).unwrap_err();
        assert_eq!(input.values().collect::<Vec<_>>(), [("worker_num", &Value::Int(2))]);
    }
}

#[test]
fn under_the_swoole_names_an_application_is_warned_of_what_it_can_live_without() {
    let mut input = set([("worker_num", 2.into())]);
    let warnings = merge(
        &mut input,
        [
            ("worker_nums", 4.into()),
            ("worker_num", (-1).into()),
            ("dispatch_mode", 11.into()),
            ("max_coroutine", 3000.into()),
            ("backlog", 128.into()),
        ],
        Names::Swoole,
    )
    .unwrap();
    let told: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "unknown setting \"worker_nums\" is ignored; did you mean \"worker_num\"?",
            "worker_num must be 0 (one per CPU) to 8000 (1000 per CPU), -1 given; the value is ignored",
            "dispatch_mode must be 1 to 10, 11 given; the value is ignored",
            "max_coroutine must be 0 or 100000, 3000 given; Rotor has no coroutines that it could apply to; the value is ignored",
        ]
    );
    assert_eq!(warnings[1].key, "worker_num");
    assert_eq!(input.values().collect::<Vec<_>>(), [("worker_num", &Value::Int(2)), ("backlog", &Value::Int(128))]);

    // It relies on these, or has them wrong under any names.
    for (key, value) in [("enable_coroutine", 1.into()), ("task_worker_num", 4.into()), ("worker_num", "x".into())] {
        merge(&mut input, [(key, value)], Names::Swoole).unwrap_err();
    }
}

#[test]
fn the_page_of_the_docs_is_the_one_that_the_tables_make() {
    assert!(
        include_str!("../../../../docs/settings.md") == settings_page(),
        "docs/settings.md is stale: cargo run -p rotor-core --example settings_page > docs/settings.md"
    );
}

#[test]
fn the_array_shape_has_every_setting_with_its_type() {
    let shape = array_shape();
    let lines: Vec<_> = shape.lines().collect();
    assert_eq!((lines[0], lines[lines.len() - 1]), ("array{", "}"));
    for line in [
        "    worker_num?: int,",
        "    max_conn?: int,",
        "    daemonize?: bool,",
        "    pid_file?: string,",
        "    cpu_affinity_ignore?: list<int>,",
        "    package_max_length?: int|string,",
    ] {
        assert!(lines.contains(&line), "{line}");
    }
    assert_eq!(lines.len() - 2, ROWS.iter().map(|row| 1 + row.aliases.len()).sum::<usize>());
}

#[test]
fn a_log_level_is_found_by_its_number() {
    for level in LogLevel::ALL {
        assert_eq!(LogLevel::from_number(level as i64), Some(level));
    }
    assert_eq!(LogLevel::from_number(7), None);
    assert_eq!(LogLevel::from_number(-1), None);
    assert!(LogLevel::Debug < LogLevel::Notice && LogLevel::default().as_str() == "notice");
}
