//! From what was set to what holds.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{self, Path, PathBuf};
use std::time::Duration;

use super::error::{SettingError, Warning};
use super::identity::{self, Wanted};
use super::input::SettingsInput;
use super::machine::Machine;
use super::row::{Kind, Preset};
use super::table::Key;
use super::value::Value;
use super::{
    AtMost, DateFormat, Identity, KeepAlive, LogFormat, LogLevel, LogRotation, Names, PortSettings, Settings,
    SocketSettings,
};
use crate::dispatch;
use crate::framer::{Framing, LengthField, LengthType};
use crate::network::Network;
use crate::tls;

pub(super) fn resolve(
    input: &SettingsInput,
    machine: &Machine,
    names: Names,
) -> Result<(Settings, Vec<Warning>), SettingError> {
    let chosen = Chosen { input, machine, names };
    let mut warnings = Vec::new();

    let worker_num = chosen.count_or_cpus(Key::WorkerNum);
    let reactor_num = reactor_num(&chosen, worker_num, &mut warnings);
    let settings = Settings {
        worker_num,
        reactor_num,
        max_connection: max_connection(&chosen, worker_num, reactor_num, &mut warnings)?,
        max_connection_policy: AtMost::from_name(chosen.bytes(Key::MaxConnectionPolicy)).unwrap_or_default(),
        start_session_id: chosen.size(Key::StartSessionId).max(1),
        dispatch_mode: dispatch::Mode::from_number(chosen.int(Key::DispatchMode)).unwrap_or_default(),
        enable_unsafe_event: chosen.flag(Key::EnableUnsafeEvent),
        discard_timeout_request: chosen.flag(Key::DiscardTimeoutRequest),
        event_object: chosen.flag(Key::EventObject),
        daemonize: chosen.flag(Key::Daemonize),
        pid_file: chosen.path(Key::PidFile)?,
        log_file: chosen.path(Key::LogFile)?,
        log_level: LogLevel::from_number(chosen.int(Key::LogLevel)).unwrap_or_default(),
        log_format: LogFormat::from_name(chosen.bytes(Key::LogFormat)).unwrap_or_default(),
        log_date_format: DateFormat::new(chosen.bytes(Key::LogDateFormat)).unwrap_or_default(),
        log_date_with_microseconds: chosen.flag(Key::LogDateWithMicroseconds),
        log_rotation: LogRotation::from_number(chosen.int(Key::LogRotation)).unwrap_or_default(),
        max_wait_time: chosen.timeout(Key::MaxWaitTime),
        shutdown_delay: chosen.duration(Key::ShutdownDelay),
        respawn_max_delay: chosen.duration(Key::RespawnMaxDelay),
        reload_async: chosen.flag(Key::ReloadAsync),
        reload_user_processes: chosen.flag(Key::ReloadUserProcesses),
        reload_concurrency: reload_concurrency(&chosen, worker_num),
        max_request: chosen.limit(Key::MaxRequest),
        max_request_grace: max_request_grace(&chosen),
        max_memory: chosen.limit(Key::MaxMemory),
        max_lifetime: chosen.timeout(Key::MaxLifetime),
        identity: identity(&chosen, &mut warnings)?,
        process_dumpable: chosen.flag(Key::ProcessDumpable),
        open_cpu_affinity: chosen.flag(Key::OpenCpuAffinity),
        cpu_affinity_ignore: cpu_affinity_ignore(&chosen)?,
        heartbeat_check_interval: chosen.told(Key::HeartbeatCheckInterval),
        enable_delay_receive: chosen.flag(Key::EnableDelayReceive),
        max_queued_bytes: chosen.limit(Key::MaxQueuedBytes),
        send_timeout: chosen.timeout(Key::SendTimeout),
        output_buffer_size: chosen.size(Key::OutputBufferSize),
        task_tmpdir: task_tmpdir(&chosen)?,
        ipc_memory: ipc_memory(&chosen, &mut warnings),
        close_on_worker_error: chosen.flag(Key::CloseOnWorkerError),
        request_slowlog_timeout: chosen.timeout(Key::RequestSlowlogTimeout),
        request_slowlog_file: chosen.path(Key::RequestSlowlogFile)?,
        trace_event_worker: chosen.flag(Key::TraceEventWorker),
        request_timeout: chosen.timeout(Key::RequestTimeout),
        ports: vec![port(&chosen, &mut warnings)?],
    };
    Ok((settings, warnings))
}

/// What a port was told by itself.
pub(super) fn resolve_port(
    input: &SettingsInput,
    primary: &PortSettings,
    machine: &Machine,
    names: Names,
) -> Result<(PortSettings, Vec<Warning>), SettingError> {
    let chosen = Chosen { input, machine, names };
    let mut warnings = Vec::new();
    let mut own = port(&chosen, &mut warnings)?;
    if !chosen.is_set(Key::DispatchFunc) {
        // One function that knows all workers is what the server was told.
        own.dispatch_func = primary.dispatch_func;
    }
    Ok((own, warnings))
}

/// A reactor without a worker of its own would only take its CPU away: hence at most `worker_num`.
fn reactor_num(chosen: &Chosen<'_>, worker_num: u32, warnings: &mut Vec<Warning>) -> u32 {
    let asked = chosen.count_or_cpus(Key::ReactorNum);
    let by_cpus = chosen.machine.cpus.saturating_mul(REACTORS_PER_CPU);
    let limit = worker_num.min(by_cpus).max(1);
    // 0 is "one per CPU", which is nobody's number.
    if asked > limit && chosen.is_set(Key::ReactorNum) && chosen.int(Key::ReactorNum) != 0 {
        let reason = if worker_num <= by_cpus {
            format!("worker_num is {worker_num}, and a reactor needs a worker to serve")
        } else {
            format!("more than {REACTORS_PER_CPU} for each of {} CPUs only wait for each other", chosen.machine.cpus)
        };
        warnings.push(lowered(Key::ReactorNum, asked.into(), limit.into(), &reason));
    }
    asked.min(limit)
}

/// How many slots may have two processes at once.
fn reload_concurrency(chosen: &Chosen<'_>, worker_num: u32) -> u32 {
    match chosen.count(Key::ReloadConcurrency) {
        0 => (worker_num / 2).max(1),
        most => most.min(worker_num),
    }
}

/// Left open, half of `max_request`, so that the workers do not all reach it at once; none where it is so small that
/// somebody counts.
fn max_request_grace(chosen: &Chosen<'_>) -> u64 {
    if chosen.is_set(Key::MaxRequestGrace) {
        return chosen.size(Key::MaxRequestGrace);
    }
    match chosen.size(Key::MaxRequest) {
        most if most > FEW_REQUESTS => most / 2,
        _ => 0,
    }
}

fn max_connection(
    chosen: &Chosen<'_>,
    worker_num: u32,
    reactor_num: u32,
    warnings: &mut Vec<Warning>,
) -> Result<u32, SettingError> {
    let asked = chosen.count(Key::MaxConnection);
    let descriptors = chosen.machine.descriptor_limit;
    let reserve = DESCRIPTORS_OF_MASTER + DESCRIPTORS_PER_PART * (u64::from(worker_num) + u64::from(reactor_num));
    let left = u32::try_from(descriptors.saturating_sub(reserve)).unwrap_or(u32::MAX);
    if left == 0 {
        return Err(SettingError::Unusable {
            key: Key::MaxConnection.row().name,
            problem: format!(
                "cannot be 1 or more: {worker_num} workers and {reactor_num} reactors need up to {reserve} \
                 descriptors, and the limit is {descriptors}; raise it (ulimit -Hn) or lower worker_num"
            ),
        });
    }
    if asked > left && chosen.is_set(Key::MaxConnection) {
        let reason = format!(
            "the limit of descriptors is {descriptors}, and the server itself needs up to {reserve}; \
             raise it (ulimit -Hn) to have more"
        );
        warnings.push(lowered(Key::MaxConnection, asked.into(), left.into(), &reason));
    }
    Ok(asked.min(left))
}

fn ipc_memory(chosen: &Chosen<'_>, warnings: &mut Vec<Warning>) -> u64 {
    let asked = chosen.size(Key::IpcMemory);
    match chosen.machine.memory_bytes {
        Some(memory) if asked > memory && chosen.is_set(Key::IpcMemory) => {
            let reason = "the machine or cgroup has no more memory";
            warnings.push(lowered(Key::IpcMemory, asked, memory, reason));
            memory
        }
        _ => asked,
    }
}

fn cpu_affinity_ignore(chosen: &Chosen<'_>) -> Result<Vec<u32>, SettingError> {
    let mut ignored = chosen.numbers(Key::CpuAffinityIgnore);
    ignored.sort_unstable();
    ignored.dedup();
    if !ignored.is_empty() && chosen.machine.cpu_list.iter().all(|cpu| ignored.binary_search(cpu).is_ok()) {
        return Err(SettingError::Unusable {
            key: Key::CpuAffinityIgnore.row().name,
            problem: format!(
                "names every CPU that this process may run on ({}); leave one out",
                chosen.machine.cpu_list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            ),
        });
    }
    Ok(ignored)
}

fn identity(chosen: &Chosen<'_>, warnings: &mut Vec<Warning>) -> Result<Identity, SettingError> {
    let wanted =
        Wanted { user: chosen.text(Key::User), group: chosen.text(Key::Group), chroot: chosen.path(Key::Chroot)? };
    identity::resolve(&wanted, &chosen.machine.rights, chosen.names, warnings)
}

fn task_tmpdir(chosen: &Chosen<'_>) -> Result<PathBuf, SettingError> {
    let unusable = |problem: String| SettingError::Unusable { key: Key::TaskTmpdir.row().name, problem };
    let directory =
        chosen.path(Key::TaskTmpdir)?.ok_or_else(|| unusable("is empty; it must be a directory that exists".into()))?;
    match directory.metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(directory),
        Ok(_) => Err(unusable(format!("must be a directory, {} is not", shown(&directory)))),
        Err(error) => {
            let reason = crate::error::describe_errno(error.raw_os_error().unwrap_or(0));
            Err(unusable(format!("must be a directory that exists, {}: {reason}", shown(&directory))))
        }
    }
}

fn port(chosen: &Chosen<'_>, warnings: &mut Vec<Warning>) -> Result<PortSettings, SettingError> {
    let framing = framing(chosen);
    let package_max_length = chosen.size(Key::PackageMaxLength);
    let (smallest, why) = match &framing {
        Framing::Raw => (1, ""),
        Framing::Eof { terminator, .. } => (terminator.len() as u64, "package_eof"),
        Framing::Length(field) => (field.header(), "the header that holds the length"),
        Framing::Asked => (1, ""),
    };
    if package_max_length < smallest {
        return Err(SettingError::Unusable {
            key: Key::PackageMaxLength.row().name,
            problem: format!("is {package_max_length} bytes, and {why} alone has {smallest}: no message would fit"),
        });
    }
    let (buffer_high_watermark, buffer_low_watermark) = watermarks(chosen)?;
    Ok(PortSettings {
        unix_socket_mode: chosen.is_set(Key::UnixSocketMode).then(|| chosen.count(Key::UnixSocketMode)),
        unix_socket_owner: identity::user_number(Key::UnixSocketOwner, &chosen.text(Key::UnixSocketOwner))?,
        unix_socket_group: identity::group_number(Key::UnixSocketGroup, &chosen.text(Key::UnixSocketGroup))?,
        backlog: chosen.count(Key::Backlog),
        socket: socket(chosen),
        max_connections_per_ip: Some(chosen.count(Key::MaxConnectionsPerIp)).filter(|most| *most != 0),
        accept_rate_per_ip: Some(chosen.float(Key::AcceptRatePerIp)).filter(|rate| *rate > 0.0),
        proxy_trusted: chosen.flag(Key::OpenProxyProtocol).then(|| chosen.networks(Key::ProxyTrusted)),
        socket_buffer_size: chosen.size(Key::SocketBufferSize),
        buffer_high_watermark,
        buffer_low_watermark,
        heartbeat_idle_time: chosen.told(Key::HeartbeatIdleTime),
        max_idle_time: chosen.timeout(Key::MaxIdleTime),
        message_timeout: chosen.timeout(Key::MessageTimeout),
        dispatch_func: chosen.has_function(Key::DispatchFunc),
        framing,
        package_max_length,
        tls: tls(chosen, warnings)?,
    })
}

fn socket(chosen: &Chosen<'_>) -> SocketSettings {
    SocketSettings {
        nodelay: chosen.flag(Key::OpenTcpNodelay),
        defer_accept_seconds: chosen.option(Key::TcpDeferAccept),
        fast_open: chosen.flag(Key::TcpFastopen),
        keep_alive: chosen.flag(Key::OpenTcpKeepalive).then(|| KeepAlive {
            idle_seconds: chosen.option(Key::TcpKeepidle).unwrap_or(1),
            interval_seconds: chosen.option(Key::TcpKeepinterval).unwrap_or(1),
            count: chosen.option(Key::TcpKeepcount).unwrap_or(1),
        }),
        user_timeout_ms: chosen.option(Key::TcpUserTimeout),
        receive_buffer: chosen.option(Key::KernelSocketRecvBufferSize),
        send_buffer: chosen.option(Key::KernelSocketSendBufferSize),
    }
}

/// The high and the low watermark. Nothing is ever full that is full at nothing.
fn watermarks(chosen: &Chosen<'_>) -> Result<(u64, u64), SettingError> {
    let default = (chosen.size(Key::SocketBufferSize) / 5 * 4).max(1);
    let high = chosen.limit(Key::BufferHighWatermark).unwrap_or(default);
    let low = chosen.size(Key::BufferLowWatermark);
    if low >= high {
        return Err(SettingError::Unusable {
            key: Key::BufferLowWatermark.row().name,
            problem: format!(
                "is {low} bytes, and must be less than buffer_high_watermark, {high}: a queue would be full and empty at once"
            ),
        });
    }
    Ok((high, low))
}

/// What the checks of the rows have let in can be read; hence the defaults here are never used.
fn tls(chosen: &Chosen<'_>, warnings: &mut Vec<Warning>) -> Result<tls::Options, SettingError> {
    let ciphers = chosen.text(Key::SslCiphers);
    let without = tls::ciphers_without(&ciphers);
    if !without.is_empty() {
        let name = Key::SslCiphers.row().name;
        let message = format!(
            "{name} names suites that there are not here, and is followed without them: {}; there are those with ECDHE and \
             AES-GCM or ChaCha20",
            without.join(", ")
        );
        warnings.push(Warning { key: name.into(), message });
    }
    let clients = if chosen.flag(Key::SslVerifyPeer) {
        Some(tls::ClientCheck {
            client_cert_file: chosen.path(Key::SslClientCertFile)?,
            ca_file: chosen.path(Key::SslCafile)?,
            ca_path: chosen.path(Key::SslCapath)?,
            depth: Some(chosen.count(Key::SslVerifyDepth) as usize).filter(|depth| *depth != 0),
            allows_self_signed: chosen.flag(Key::SslAllowSelfSigned),
        })
    } else {
        None
    };
    Ok(tls::Options {
        cert_file: chosen.path(Key::SslCertFile)?,
        key_file: chosen.path(Key::SslKeyFile)?,
        hosts: sni_certs(chosen)?,
        versions: tls::Versions::from_bits(chosen.int(Key::SslProtocols)).unwrap_or(tls::Versions::Both),
        ciphers: tls::parse_ciphers(&ciphers).unwrap_or_default(),
        prefers_own_order: chosen.flag(Key::SslPreferServerCiphers),
        groups: tls::parse_groups(&chosen.text(Key::SslEcdhCurve)).unwrap_or_default(),
        clients,
        alpn: chosen.texts(Key::SslAlpnProtocols),
        has_tickets: chosen.flag(Key::SslSessionTickets),
    })
}

fn sni_certs(chosen: &Chosen<'_>) -> Result<Vec<(String, tls::KeyPair)>, SettingError> {
    let Some(Value::Map(hosts)) = chosen.input.get(Key::SslSniCerts) else { return Ok(Vec::new()) };
    let mut pairs = Vec::new();
    for (host, files) in hosts {
        let Value::Map(files) = files else { continue };
        let file = |name: &str| {
            let value = files.iter().find(|(key, _)| key == name).map(|(_, value)| value);
            let Some(Value::Str(bytes)) = value else { return Ok(PathBuf::new()) };
            absolute(Key::SslSniCerts, bytes)
        };
        let pair = tls::KeyPair { cert_file: file("ssl_cert_file")?, key_file: file("ssl_key_file")? };
        pairs.push((tls::parse_host(host).unwrap_or_default(), pair));
    }
    Ok(pairs)
}

/// Eof wins over length, a length that user code tells over one in a field, and each over raw.
fn framing(chosen: &Chosen<'_>) -> Framing {
    let split = chosen.flag(Key::OpenEofSplit);
    if split || chosen.flag(Key::OpenEofCheck) {
        Framing::Eof { terminator: chosen.bytes(Key::PackageEof).to_vec(), split }
    } else if chosen.has_function(Key::PackageLengthFunc) && chosen.flag_or(Key::OpenLengthCheck, true) {
        Framing::Asked
    } else if chosen.flag(Key::OpenLengthCheck) {
        let letter = chosen.bytes(Key::PackageLengthType).first().copied();
        Framing::Length(LengthField {
            kind: letter.and_then(LengthType::from_letter).unwrap_or(LengthType::U32Big),
            offset: chosen.count(Key::PackageLengthOffset),
            body_offset: chosen.count(Key::PackageBodyOffset),
        })
    } else {
        Framing::Raw
    }
}

/// What was set, or the default. Each method asks for the type that the key's row has (tested); the values
/// in a [`SettingsInput`] have the types of their rows.
struct Chosen<'a> {
    input: &'a SettingsInput,
    machine: &'a Machine,
    names: Names,
}

impl Chosen<'_> {
    fn is_set(&self, key: Key) -> bool {
        self.input.get(key).is_some()
    }

    fn flag(&self, key: Key) -> bool {
        match (self.input.get(key), key.row().preset) {
            (Some(Value::Bool(flag)), _) => *flag,
            (_, Preset::FlagByNames { rotor, swoole }) => match self.names {
                Names::Rotor => rotor,
                Names::Swoole => swoole,
            },
            (_, Preset::Flag(flag)) => flag,
            _ => false,
        }
    }

    /// A flag whose default is another one here.
    fn flag_or(&self, key: Key, preset: bool) -> bool {
        if self.is_set(key) { self.flag(key) } else { preset }
    }

    fn has_function(&self, key: Key) -> bool {
        self.input.get(key) == Some(&Value::Callable)
    }

    fn int(&self, key: Key) -> i64 {
        match (self.input.get(key), key.row().preset) {
            (Some(Value::Int(number)), _) => *number,
            (_, Preset::Int(number)) => number,
            (_, Preset::Machine { of, .. }) => of(self.machine),
            _ => 0,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "defaults are small")]
    fn float(&self, key: Key) -> f64 {
        match (self.input.get(key), key.row().preset) {
            (Some(Value::Float(number)), _) => *number,
            (_, Preset::Int(number)) => number as f64,
            _ => 0.0,
        }
    }

    /// Seconds, with or without a fraction.
    fn duration(&self, key: Key) -> Duration {
        match key.row().kind {
            Kind::Float => Duration::try_from_secs_f64(self.float(key)).unwrap_or(Duration::MAX),
            _ => Duration::from_secs(self.size(key)),
        }
    }

    /// Seconds, where 0 is none.
    fn timeout(&self, key: Key) -> Option<Duration> {
        Some(self.duration(key)).filter(|duration| !duration.is_zero())
    }

    /// Seconds, where somebody has said how many.
    fn told(&self, key: Key) -> Option<Duration> {
        self.is_set(key).then(|| self.duration(key))
    }

    fn size(&self, key: Key) -> u64 {
        u64::try_from(self.int(key)).unwrap_or(0)
    }

    /// A number, where 0 is none.
    fn limit(&self, key: Key) -> Option<u64> {
        Some(self.size(key)).filter(|limit| *limit != 0)
    }

    /// A number for the kernel, where 0 is its own.
    fn option(&self, key: Key) -> Option<i32> {
        i32::try_from(self.int(key)).ok().filter(|value| *value != 0)
    }

    fn count(&self, key: Key) -> u32 {
        u32::try_from(self.size(key)).unwrap_or(u32::MAX)
    }

    fn count_or_cpus(&self, key: Key) -> u32 {
        match self.count(key) {
            0 => self.machine.cpus.max(1),
            count => count,
        }
    }

    fn numbers(&self, key: Key) -> Vec<u32> {
        let Some(Value::List(items)) = self.input.get(key) else { return Vec::new() };
        items.iter().filter_map(Value::as_int).filter_map(|number| u32::try_from(number).ok()).collect()
    }

    fn networks(&self, key: Key) -> Vec<Network> {
        self.texts(key).iter().filter_map(|bytes| Network::parse(std::str::from_utf8(bytes).ok()?)).collect()
    }

    fn texts(&self, key: Key) -> Vec<Vec<u8>> {
        let Some(Value::List(items)) = self.input.get(key) else { return Vec::new() };
        items.iter().filter_map(|item| if let Value::Str(bytes) = item { Some(bytes.clone()) } else { None }).collect()
    }

    fn bytes(&self, key: Key) -> &[u8] {
        match (self.input.get(key), key.row().preset) {
            (Some(Value::Str(bytes)), _) => bytes,
            (_, Preset::Text(text)) => text.as_bytes(),
            _ => b"",
        }
    }

    fn text(&self, key: Key) -> String {
        String::from_utf8_lossy(self.bytes(key)).into_owned()
    }

    /// The path, from the root: a daemon leaves the directory that a relative one counts from.
    fn path(&self, key: Key) -> Result<Option<PathBuf>, SettingError> {
        let bytes = self.bytes(key);
        if bytes.is_empty() { Ok(None) } else { absolute(key, bytes).map(Some) }
    }
}

fn absolute(key: Key, bytes: &[u8]) -> Result<PathBuf, SettingError> {
    path::absolute(Path::new(OsStr::from_bytes(bytes))).map_err(|error| SettingError::Unusable {
        key: key.row().name,
        problem: format!(
            "is a relative path, and there is no working directory: {}; give an absolute one",
            crate::error::describe_errno(error.raw_os_error().unwrap_or(0))
        ),
    })
}

fn lowered(key: Key, from: u64, to: u64, reason: &str) -> Warning {
    let name = key.row().name;
    Warning { key: name.into(), message: format!("{name} is lowered from {from} to {to}: {reason}") }
}

fn shown(path: &Path) -> String {
    super::value::quote(&path.to_string_lossy())
}

/// Up to here `max_request` is exact by itself.
const FEW_REQUESTS: u64 = 10;
/// More threads than that for each CPU cost more in switches than they gain.
const REACTORS_PER_CPU: u32 = 4;
/// Standard streams, listeners, log, epoll and signal descriptors, pipes, and what the script has open.
const DESCRIPTORS_OF_MASTER: u64 = 64;
/// Wake-ups, epoll and spill files of one worker or reactor.
const DESCRIPTORS_PER_PART: u64 = 8;
