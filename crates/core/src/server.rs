//! A server from its constructor to its end: bind, then start, which forks.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use rotor_ipc::layout::{Plan, Shape};
use rotor_ipc::segment::Segment;
use rotor_ipc::sync::Ordering::{Relaxed, Release};
use rotor_sys::clock::unix_us;
use rotor_sys::descriptors;
use rotor_sys::file::PidFile;
use rotor_sys::process::{self, Detached, Fork, LifeLine, ReadyTell};
use rotor_sys::signal::{Blocked, Ignored};

use crate::error::{CallError, Error};
use crate::host::{End, Host};
use crate::log::Log;
use crate::manager::{self, Ended, Parent};
use crate::master::{self, Setup};
use crate::ports::{Bound, MOST_PORTS, PortInfo, SockType, place_of_number};
use crate::process::Context;
use crate::roles::SlotKind;
use crate::settings::{Names, Settings};
use crate::signals::SIGXFSZ;
use crate::slow_log::SlowLog;
use crate::{secrets, tls, user, worker};

/// A server that is bound to its addresses and has not started.
#[derive(Debug)]
pub struct Server {
    ports: Vec<Bound>,
}

impl Server {
    /// Binds the primary port: to an address of this machine, where port 0 lets the kernel choose one, or to a path.
    /// The host `SYSTEMD` with port 0 stands for all sockets that systemd has opened; the first is the primary port.
    pub fn bind(host: &str, port: u16, sock_type: SockType, names: Names) -> Result<Self, Error> {
        open_standard_streams()?;
        match Bound::passed(host, port) {
            Some(ports) => Ok(Self { ports: ports? }),
            None => Ok(Self { ports: vec![Bound::bind(host, port, sock_type, names)?] }),
        }
    }

    /// Binds another port; its settings are the next in [`Settings::ports`]. Returns its place.
    pub fn listen(&mut self, host: &str, port: u16, sock_type: SockType, names: Names) -> Result<usize, Error> {
        if self.ports.len() >= MOST_PORTS {
            return Err(Error::Misuse(format!("a server has at most {MOST_PORTS} ports")));
        }
        if Bound::means_passed(host, port) {
            return Err(Error::Misuse(format!(
                "$host is \"{}\": the sockets of systemd are the constructor's, all of them; give an address",
                host.to_ascii_uppercase()
            )));
        }
        let bound = Bound::bind(host, port, sock_type, names)?;
        // The kernel only objects when the second of them begins to listen.
        if self.ports.iter().any(|port| port.info.is_at_the_same_place(&bound.info)) {
            return Err(bound.info.address.in_use());
        }
        self.ports.push(bound);
        Ok(self.ports.len() - 1)
    }

    /// How many ports there are.
    pub fn port_count(&self) -> usize {
        self.ports.len()
    }

    /// Another descriptor of the socket at `place`.
    pub fn copy_of_socket(&self, place: usize) -> Result<OwnedFd, CallError> {
        self.ports[place].copy()
    }

    /// The place of the port with a number; 0 is the primary one.
    pub fn place_of_number(&self, number: i64) -> Option<usize> {
        place_of_number(self.ports.iter().map(|port| &port.info), number)
    }

    /// Has the port at `place` speak TLS, as its settings say.
    pub fn secure(&mut self, place: usize) {
        self.ports[place].info.is_tls = true;
    }

    /// What is known of the port at `place`; 0 is the primary one.
    pub fn port(&self, place: usize) -> &PortInfo {
        &self.ports[place].info
    }
}

/// Runs a server until it has stopped. Returns in every process that it forks; the result says how each ends.
pub fn start(server: Server, settings: Settings, host: &mut dyn Host) -> Result<End, Error> {
    let ports = server.ports;
    open_standard_streams()?;
    // A file at its largest (`ulimit -f`) is one that takes no more, like any on a full disk. Before the others are
    // blocked: one that waits would end the process behind its start that has failed.
    let ignored = Ignored::begin(SIGXFSZ).map_err(|error| Error::system("cannot ignore SIGXFSZ", &error))?;
    let log = Log::open(&settings).map_err(|error| {
        let path = settings.log_file.as_deref().unwrap_or(Path::new("")).display();
        Error::system(format!("cannot open log_file {path}"), &error)
    })?;
    // Whoever sees the server listen may signal it: until there is somebody to take note of that it waits.
    let blocked = Blocked::all().map_err(|error| Error::system("cannot block signals", &error))?;
    let infos: Vec<_> = ports.iter().map(|port| port.info.clone()).collect();
    secrets::check(&infos, &settings, host)?;
    for (port, settings) in ports.iter().zip(&settings.ports) {
        for warning in port.listen(settings)? {
            log.warning(&warning);
        }
    }
    warn_of_tls(&infos, &settings, &log);
    let mut pid_file = settings.pid_file.as_deref().map(lock_pid_file).transpose()?;
    let end = run(ports, infos, settings, &log, &mut pid_file, blocked, host);
    // However it has ended. The processes that were forked have let go of it.
    if let Some(file) = pid_file
        && let Err(error) = file.remove()
    {
        log.warning(&format!("cannot remove pid_file: {error}"));
    }
    drop(ignored);
    end
}

fn run(
    mut ports: Vec<Bound>,
    infos: Vec<PortInfo>,
    settings: Settings,
    log: &Log,
    pid_file: &mut Option<PidFile>,
    mut blocked: Blocked,
    host: &mut dyn Host,
) -> Result<End, Error> {
    let mut ready = None;
    if settings.daemonize {
        let daemon = daemonize(log, blocked, host)?;
        (ready, blocked) = (Some(daemon.0), daemon.1);
    }
    for file in ports.iter_mut().filter_map(|port| port.file.as_mut()) {
        file.adopt();
    }
    warn_of_threads(log);
    let cpus = cpus_to_pin(&settings, log);

    let segment = make_segment(&settings, host.user_processes())?;
    log.share(segment.header());
    segment.header().master_pid.store(process::id(), Relaxed);
    segment.header().started_us.store(unix_us(), Relaxed);
    let directory = rotor_sys::directory::current().ok();
    let slow_log = SlowLog::open(settings.request_slowlog_file.as_deref()).map_err(|error| {
        let path = settings.request_slowlog_file.as_deref().unwrap_or(Path::new("")).display();
        Error::system(format!("cannot open request_slowlog_file {path}"), &error)
    })?;
    let settings = Arc::new(settings);
    let asks_clients = infos.iter().zip(&settings.ports).any(|(port, own)| port.is_tls && own.tls.clients.is_some());
    let (write_certificates, certificates) = if asks_clients {
        let both = tls::certificates();
        both.map(|(write, read)| (Some(write), Some(read)))
            .map_err(|error| Error::system("cannot make room for the certificates of clients", &error))?
    } else {
        (None, None)
    };
    let descriptors = (0..segment.reactors()).map(|_| descriptors::way()).collect::<Result<Vec<_>, _>>();
    let (senders, receivers): (Vec<_>, Vec<_>) =
        descriptors.map_err(|error| Error::system("cannot make a pair of sockets", &error))?.into_iter().unzip();
    let listeners = ports.iter().map(|port| port.socket.downgrade()).collect();
    let ports_known = infos.into();
    let context = Context {
        segment,
        settings,
        log: log.clone(),
        slow_log,
        ports: ports_known,
        listeners,
        directory,
        files: senders.into(),
        certificates,
    };

    let life = LifeLine::new().map_err(|error| Error::system("cannot make a pipe", &error))?;
    let master = process::id();
    host.before_fork();
    // The manager is forked while this process has no thread of ours.
    match process::fork().map_err(|error| Error::system("cannot fork the manager", &error))? {
        Fork::Child => {
            drop((ports, pid_file.take(), ready, life.hold, write_certificates, receivers));
            segment.header().manager_pid.store(process::id(), Release);
            let parent = Parent { pid: master, life: life.watch };
            match manager::run(&context, parent, cpus, blocked, host) {
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
            let certificates = write_certificates;
            let setup =
                Setup { ports, manager: child, life: life.hold, ready, cpus, certificates, descriptors: receivers };
            master::run(&context, setup, blocked, host)
        }
    }
}

/// User code may have closed them as late as that.
fn open_standard_streams() -> Result<(), Error> {
    process::open_standard_streams().map_err(|error| Error::system("cannot open /dev/null", &error))
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
fn daemonize(log: &Log, blocked: Blocked, host: &mut dyn Host) -> Result<(ReadyTell, Blocked), Error> {
    host.before_fork();
    let failed = |error| Error::system("cannot become a daemon", &error);
    match process::detach().map_err(failed)? {
        Detached::Parent(ready) => {
            drop(blocked);
            process::exit_now(ready.wait())
        }
        Detached::Daemon(ready) => {
            let output = log.path().as_deref().map(rotor_sys::file::open_append).transpose().map_err(failed)?;
            let output = output.as_ref().map(std::os::fd::AsFd::as_fd);
            process::redirect_standard_streams(output).map_err(failed)?;
            log.has_streams();
            Ok((ready, blocked))
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

/// Settings that ask for TLS where no port has it, and suites that do not exist here.
fn warn_of_tls(ports: &[PortInfo], settings: &Settings, log: &Log) {
    let has_tls = ports.iter().any(|port| port.is_tls);
    if !has_tls && settings.ports.iter().any(|port| port.tls.cert_file.is_some()) {
        log.warning("ssl_cert_file has no effect: no port has SSL in its $sock_type");
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
        reactors: settings.reactor_num as usize + usize::from(settings.asks_user_code()),
        workers: settings.worker_num as usize,
        processes,
        ports: settings.ports.len(),
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
    let segment = Segment::create(plan, &settings.task_tmpdir);
    let segment = segment.map_err(|error| Error::system(error.doing, &error.error))?;
    // As if those before the first one had been given out.
    segment.master().last_session.store(settings.start_session_id - 1, Relaxed);
    Ok(segment)
}
