//! A server from its constructor to its end: bind, then start, which forks.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use rotor_ipc::layout::{Plan, Shape};
use rotor_ipc::segment::Segment;
use rotor_ipc::sync::Ordering::{Relaxed, Release};
use rotor_sys::clock::unix_us;
use rotor_sys::file::PidFile;
use rotor_sys::process::{self, Detached, Fork, LifeLine, ReadyTell};
use rotor_sys::socket::Listener;

use crate::error::Error;
use crate::host::{End, Host};
use crate::log::Log;
use crate::manager::{self, Ended, Parent};
use crate::master::{self, Setup};
use crate::process::Context;
use crate::roles::SlotKind;
use crate::settings::Settings;
use crate::{user, worker};

/// What a port listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SockType {
    /// TCP over IPv4.
    Tcp,
    /// TCP over IPv6.
    Tcp6,
}

/// A server that is bound to its address and has not started.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    address: SocketAddr,
}

impl Server {
    /// Binds to an address of this machine; port 0 lets the kernel choose one.
    pub fn bind(host: &str, port: u16, sock_type: SockType) -> Result<Self, Error> {
        let address = SocketAddr::new(parse_host(host, sock_type)?, port);
        let listener = Listener::bind(address).map_err(|error| cannot_listen(address, &error))?;
        let address = listener.address().map_err(|error| cannot_listen(address, &error))?;
        Ok(Self { listener, address })
    }

    /// The number of the port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

/// Runs a server until it has stopped. Returns in every process that it forks; the result says how each ends.
pub fn start(server: Server, settings: Settings, host: &mut dyn Host) -> Result<End, Error> {
    let Server { listener, address } = server;
    let log = Log::open(&settings).map_err(|error| {
        let path = settings.log_file.as_deref().unwrap_or(Path::new("")).display();
        Error::system(format!("cannot open log_file {path}"), &error)
    })?;
    listener.listen(settings.port.backlog).map_err(|error| cannot_listen(address, &error))?;
    let mut pid_file = settings.pid_file.as_deref().map(lock_pid_file).transpose()?;
    let end = run(listener, address, settings, &log, &mut pid_file, host);
    // However it has ended. The processes that were forked have let go of it.
    if let Some(file) = pid_file
        && let Err(error) = file.remove()
    {
        log.warning(&format!("cannot remove pid_file: {error}"));
    }
    end
}

fn run(
    listener: Listener,
    address: SocketAddr,
    settings: Settings,
    log: &Log,
    pid_file: &mut Option<PidFile>,
    host: &mut dyn Host,
) -> Result<End, Error> {
    let ready = if settings.daemonize { Some(daemonize(log, host)?) } else { None };
    warn_of_threads(log);
    let cpus = cpus_to_pin(&settings, log);

    let segment = make_segment(&settings, host.user_processes())?;
    log.share(segment.header());
    segment.header().master_pid.store(process::id(), Relaxed);
    segment.header().started_us.store(unix_us(), Relaxed);
    let directory = rotor_sys::directory::current().ok();
    let context = Context { segment, settings: Arc::new(settings), log: log.clone(), address, directory };

    let life = LifeLine::new().map_err(|error| Error::system("cannot make a pipe", &error))?;
    let master = process::id();
    host.before_fork();
    // The manager is forked while this process has no thread of ours.
    match process::fork().map_err(|error| Error::system("cannot fork the manager", &error))? {
        Fork::Child => {
            drop((listener, pid_file.take(), ready, life.hold));
            segment.header().manager_pid.store(process::id(), Release);
            let parent = Parent { pid: master, life: life.watch };
            match manager::run(&context, parent, cpus, host) {
                Ended::Manager(end) => Ok(end),
                Ended::Child(identity) => Ok(match context.kind_of(identity.worker) {
                    SlotKind::EventWorker(_) | SlotKind::TaskWorker(_) => worker::run(identity, &context, host),
                    SlotKind::UserProcess(index) => user::run(identity, index, &context, host),
                }),
            }
        }
        Fork::Parent { child } => {
            drop(life.watch);
            segment.header().manager_pid.store(child, Release);
            if let (Some(file), Some(path)) = (pid_file, &context.settings.pid_file)
                && let Err(error) = file.write(process::id())
            {
                context.log.warning(&format!("cannot write pid_file {}: {error}", path.display()));
            }
            master::run(&context, Setup { listener, manager: child, life: life.hold, ready, cpus }, host)
        }
    }
}

fn parse_host(host: &str, sock_type: SockType) -> Result<IpAddr, Error> {
    let family = match sock_type {
        SockType::Tcp => "an IPv4 address such as 0.0.0.0 or 127.0.0.1",
        SockType::Tcp6 => "an IPv6 address such as :: or ::1",
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match (bare.parse::<IpAddr>(), sock_type) {
        (Ok(address @ IpAddr::V4(_)), SockType::Tcp) | (Ok(address @ IpAddr::V6(_)), SockType::Tcp6) => Ok(address),
        (Ok(_) | Err(_), _) if bare == "localhost" => Ok(match sock_type {
            SockType::Tcp => IpAddr::from([127, 0, 0, 1]),
            SockType::Tcp6 => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
        }),
        (Ok(_) | Err(_), _) => Err(Error::Misuse(format!("$host must be {family}, \"{host}\" given"))),
    }
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Error {
    let hint = match error.raw_os_error() {
        Some(EADDRINUSE) => "another process listens there; stop it or choose another port",
        Some(EACCES) => "ports below 1024 need root or CAP_NET_BIND_SERVICE",
        Some(EADDRNOTAVAIL) => "no interface of this machine has this address",
        _ => "",
    };
    Error::system(format!("cannot listen on {address}"), error).with_hint(hint)
}

fn lock_pid_file(path: &Path) -> Result<PidFile, Error> {
    PidFile::lock(path).map_err(|error| {
        let doing = format!("cannot lock pid_file {}", path.display());
        if error.kind() == std::io::ErrorKind::WouldBlock {
            let pid = std::fs::read_to_string(path).unwrap_or_default();
            Error::Misuse(format!("{doing}: a running server holds it (pid {})", pid.trim()))
        } else {
            Error::system(doing, &error)
        }
    })
}

/// Goes on in a daemon; the process that called waits until that is ready, and ends.
fn daemonize(log: &Log, host: &mut dyn Host) -> Result<ReadyTell, Error> {
    host.before_fork();
    let failed = |error| Error::system("cannot become a daemon", &error);
    match process::detach().map_err(failed)? {
        Detached::Parent(ready) => process::exit_now(ready.wait()),
        Detached::Daemon(ready) => {
            let output = log.path().as_deref().map(rotor_sys::file::open_append).transpose().map_err(failed)?;
            let output = output.as_ref().map(std::os::fd::AsFd::as_fd);
            process::redirect_standard_streams(output).map_err(failed)?;
            log.has_streams();
            Ok(ready)
        }
    }
}

fn warn_of_threads(log: &Log) {
    if let Ok(threads) = process::threads()
        && threads > 1
    {
        log.warning(&format!(
            "{} threads of other extensions run in this process; they do not exist in workers",
            threads - 1
        ));
    }
}

fn cpus_to_pin(settings: &Settings, log: &Log) -> Vec<u32> {
    if !settings.open_cpu_affinity {
        return Vec::new();
    }
    match rotor_sys::affinity::allowed_cpus() {
        Ok(cpus) => cpus.into_iter().filter(|cpu| !settings.cpu_affinity_ignore.contains(cpu)).collect(),
        Err(error) => {
            log.warning(&format!("open_cpu_affinity has no effect: {error}"));
            Vec::new()
        }
    }
}

fn make_segment(settings: &Settings, processes: usize) -> Result<&'static Segment, Error> {
    let connections = settings.max_connection as usize;
    let shape = Shape {
        reactors: settings.reactor_num as usize,
        workers: settings.worker_num as usize,
        processes,
        // Sessions that only wait for their close callback have room of their own beside max_connection.
        sessions: connections + connections / 4 + 64,
        budget: usize::try_from(settings.ipc_memory).unwrap_or(usize::MAX),
    };
    let plan = Plan::new(shape).map_err(|error| {
        Error::Misuse(format!(
            "ipc_memory of {} KiB is too small: {}; raise ipc_memory to at least {} KiB, or lower max_connection, \
             worker_num, reactor_num or the number of user processes",
            shape.budget / 1024,
            error.arithmetic,
            error.needed.div_ceil(1024)
        ))
    })?;
    Segment::create(plan, &settings.task_tmpdir).map_err(|error| Error::system(error.doing, &error.error))
}

const EACCES: i32 = 13;
const EADDRINUSE: i32 = 98;
const EADDRNOTAVAIL: i32 = 99;
