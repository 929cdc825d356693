//! The master: the process that called `start()`. Its main thread runs user code and takes signals; its other
//! threads are the reactors and their helpers.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rotor_ipc::sync::Ordering::{Relaxed, Release};
use rotor_ipc::workers::SeatEntry;
use rotor_sys::clock::{monotonic_ns, nanos};
use rotor_sys::descriptors::DescriptorReceiver;
use rotor_sys::epoll::{Epoll, Events, Interest};
use rotor_sys::own::Own;
use rotor_sys::process::{self, Exit, ReadyTell};
use rotor_sys::signal::{Blocked, Signals};

use crate::error::Error;
use crate::host::{End, Event, EventKind, Host, Outcome, Role};
use crate::orphans::Orphans;
use crate::ports::Bound;
use crate::process::{Context, Process, phase, request};
use crate::reactor::{Mail, Mailbox, Reactor, Wanted};
use crate::secrets::{self, Secrets};
use crate::signals::{SIGCHLD, SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
use crate::threads::{JOIN_EVERY, Sockets, Threads};
use crate::tls::CertificateWriter;

/// What the master brings along from before its forks.
pub struct Setup {
    /// The ports, listening.
    pub ports: Vec<Bound>,
    /// The manager's process number.
    pub manager: i32,
    /// Held open while the master lives: the manager watches the other end.
    pub life: Own,
    /// Whoever has started this daemon waits for it to be ready.
    pub ready: Option<ReadyTell>,
    /// The CPUs that reactors are pinned to; empty: they are not.
    pub cpus: Vec<u32>,
    /// Where the certificates of clients are noted; `None`: no port asks for any.
    pub certificates: Option<CertificateWriter>,
    /// By reactor: where the descriptors of files come from that are sent.
    pub descriptors: Vec<DescriptorReceiver>,
}

/// The manager kills what has not ended a second after `max_wait_time`, or at once if forced. This much later it is
/// stuck itself.
const STUCK_MANAGER: Duration = Duration::from_secs(2);
/// Workers that die with the manager have so long to be gone before the master is.
const LAST_DEATHS: Duration = Duration::from_secs(1);
/// A wait of the main thread is never longer.
const IDLE_LOOK: Duration = Duration::from_secs(1);

struct Master {
    context: Context,
    signals: Signals,
    epoll: Epoll,
    events: Events,
    manager: i32,
    manager_exit: Option<Exit>,
    mailboxes: Vec<Mailbox>,
    threads: Option<Threads>,
    /// The reactor of this thread, where user code is in the way of messages.
    reactor: Option<(Reactor, Events)>,
    orphans: Orphans,
    /// When it last looked at what is beside its connections.
    looked: Instant,
    /// Reloads that certificates were read again for.
    reloads: u64,
    /// User code has ended this process; what is left is to stop the server in order.
    ended: Option<End>,
    /// When the manager has to have ended.
    manager_due: Option<Instant>,
    /// The manager dies without it.
    life: Option<Own>,
}

/// Runs the master until the server has stopped.
pub fn run(context: &Context, setup: Setup, blocked: Blocked, host: &mut dyn Host) -> Result<End, Error> {
    let segment = context.segment;
    let mailboxes: Vec<_> = (0..segment.reactors()).map(|reactor| Mailbox::new(segment, reactor)).collect();
    let mut master = Master::new(context.clone(), setup.manager, mailboxes.clone()).map_err(|error| {
        // Nobody is there to look after it: it dies, and its workers with it.
        let _ = process::kill(setup.manager, SIGKILL);
        let _ = process::wait(setup.manager);
        Error::system("cannot set up the master", &error)
    })?;
    blocked.end_hearing();
    let process = Process::of_master(context.clone(), mailboxes);
    host.entered(Role::Master, process);
    let end = master.live(setup, host);
    host.left();
    end
}

impl Master {
    fn new(context: Context, manager: i32, mailboxes: Vec<Mailbox>) -> std::io::Result<Self> {
        let signals = Signals::begin()?;
        for signal in [SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGCHLD, SIGWINCH, rotor_sys::signal::sigrtmin()] {
            signals.note(signal)?;
        }
        for signal in [SIGHUP, SIGPIPE] {
            signals.ignore(signal)?;
        }
        let epoll = Epoll::new()?;
        epoll.add(signals.as_fd(), 0, Interest::ReadEdge)?;
        epoll.add(context.segment.main_bell().as_fd(), 0, Interest::ReadEdge)?;
        Ok(Self {
            context,
            signals,
            epoll,
            events: Events::with_capacity(4),
            manager,
            manager_exit: None,
            mailboxes,
            threads: None,
            reactor: None,
            orphans: Orphans::default(),
            looked: Instant::now(),
            reloads: 0,
            ended: None,
            manager_due: None,
            life: None,
        })
    }

    fn live(&mut self, setup: Setup, host: &mut dyn Host) -> Result<End, Error> {
        let Setup { ports, life, ready, cpus, certificates, descriptors, .. } = setup;
        self.life = Some(life);
        // The manager first: accepting before there is anybody to serve would only fill queues.
        if let Some(end) = self.wait_until(host, None, |master| master.context.is_asked(request::WORKERS_FORKED)) {
            return Ok(end);
        }
        let failed = match host.call(Event::Start) {
            Outcome::Returned => None,
            Outcome::Threw => Some((End::UNCAUGHT, "has thrown an exception")),
            Outcome::Ended(end) => Some((end, "has ended the master (exit() or a fatal error)")),
        };
        if let Some((end, what)) = failed {
            self.context.log.error(&format!("onStart {what}: the start has failed"));
            return Ok(self.abort(end));
        }
        let places = 0..u16::try_from(ports.len()).unwrap_or(u16::MAX);
        let listens = |kind| places.clone().map(|port| host.listens(kind, port)).collect();
        let levels = [EventKind::BufferFull, EventKind::BufferEmpty];
        let wanted = Wanted {
            connect: listens(EventKind::Connect),
            close: listens(EventKind::Close),
            protocol_error: listens(EventKind::ProtocolError),
            level: places.clone().map(|port| levels.iter().any(|kind| host.listens(*kind, port))).collect(),
        };
        let secrets = match secrets::load(&self.context.ports, &self.context.settings) {
            Ok(ports) => Secrets { ports, certificates },
            // They could be used a moment ago.
            Err(error) => {
                self.abort(End::Stopped);
                return Err(error);
            }
        };
        let sockets = Sockets { ports, descriptors };
        let hooks = self.context.settings.asks_user_code().then(|| host.hooks());
        let started = Threads::start(&self.context, &self.mailboxes, sockets, &cpus, &wanted, &secrets, hooks);
        if let Err(error) = started.and_then(|threads| self.has_threads(threads)) {
            self.abort(End::Stopped);
            return Err(Error::system("cannot start the reactors", &error));
        }
        self.context.segment.header().phase.store(phase::RUNNING, Relaxed);
        let addresses: Vec<_> = self.context.ports.iter().map(ToString::to_string).collect();
        self.context.log.notice(&format!("serving on {}", addresses.join(", ")));
        if let Some(ready) = ready {
            ready.tell();
        }
        if let Some(end) = self.wait_until(host, None, |master| master.context.is_asked(request::STOP)) {
            return Ok(end);
        }
        Ok(self.stop(host))
    }

    /// The threads run. The main thread's own reactor, if there is one, waits for what this thread waits for, too.
    fn has_threads(&mut self, mut threads: Threads) -> std::io::Result<()> {
        let reactor = threads.take_main();
        self.threads = Some(threads);
        if let Some(reactor) = reactor {
            reactor.wake_for(self.signals.as_fd())?;
            reactor.wake_for(self.context.segment.main_bell().as_fd())?;
            self.reactor = Some((reactor, Reactor::events()));
        }
        Ok(())
    }

    /// The orderly stop: accept ends, reactors drain, workers answer and end, output is flushed.
    fn stop(&mut self, host: &mut dyn Host) -> End {
        self.context.log.notice("stopping");
        if let Outcome::Ended(end) = host.call(Event::BeforeShutdown) {
            self.has_ended(end);
        }
        if let Some(ended) = self.serve_on(host) {
            return ended;
        }
        let deadline = self.begin_to_drain();
        self.manager_due = deadline.map(|deadline| deadline + Duration::from_secs(1) + STUCK_MANAGER);
        self.stop_accepting();
        self.context.segment.header().phase.store(phase::DRAINING, Release);
        self.tell_reactors(|| Mail::Drain);
        self.context.segment.manager_bell().write();
        if let Some(ended) = self.wait_until(host, None, |master| master.context.is_asked(request::WORKERS_GONE)) {
            return ended;
        }
        let is_forced = self.context.is_asked(request::FORCE);
        let deadline = if is_forced { Some(Instant::now()) } else { deadline };
        self.tell_reactors(|| Mail::Finish { deadline });
        // Signals are still looked at: a second one ends the wait for slow clients.
        let mut is_forced = false;
        while !self.are_reactors_done() || self.manager_exit.is_none() {
            if self.context.is_asked(request::FORCE) && !is_forced {
                is_forced = true;
                self.tell_reactors(|| Mail::Finish { deadline: Some(Instant::now()) });
            }
            if let Some(ended) = self.turn(host, Some(JOIN_EVERY)) {
                return ended;
            }
        }
        if let Outcome::Ended(end) = host.call(Event::Shutdown) {
            self.ended = Some(end);
        }
        let end = match (self.ended, self.manager_exit) {
            (Some(end), _) => end,
            // A callback has ended the manager: whoever supervises this process learns that it was no ordinary stop.
            (None, Some(exit)) if !exit.is_clean() => End::Leave { code: exit.code.max(1) },
            (None, _) => End::Stopped,
        };
        self.context.log.notice("stopped");
        self.end_threads();
        if let Err(error) = self.context.segment.forget() {
            self.context.log.warning(&format!("the shared memory stays in use until this process ends: {error}"));
        }
        end
    }

    /// Serves on for `shutdown_delay`, unless somebody insists.
    fn serve_on(&mut self, host: &mut dyn Host) -> Option<End> {
        let header = self.context.segment.header();
        let end = header.stop_asked_ns.load(Relaxed) + nanos(self.context.settings.shutdown_delay);
        let left = || Some(end.saturating_sub(monotonic_ns())).filter(|left| *left > 0).map(Duration::from_nanos);
        while let Some(left) = left().filter(|_| !self.context.is_asked(request::FORCE)) {
            if let Some(ended) = self.turn(host, Some(left.min(IDLE_LOOK))) {
                return Some(ended);
            }
        }
        None
    }

    /// Says since when the server drains; returns when that has to be over.
    fn begin_to_drain(&self) -> Option<Instant> {
        let header = self.context.segment.header();
        let settings = &self.context.settings;
        let since_ns = header.stop_asked_ns.load(Relaxed) + nanos(settings.shutdown_delay);
        header.drain_since_ns.store(since_ns, Relaxed);
        let passed = Duration::from_nanos(monotonic_ns().saturating_sub(since_ns));
        settings.max_wait_time.map(|wait| Instant::now() + wait.saturating_sub(passed))
    }

    fn tell_reactors(&self, mail: impl Fn() -> Mail) {
        for mailbox in &self.mailboxes {
            mailbox.put(mail());
        }
    }

    /// Whether all is sent that can be.
    fn are_reactors_done(&self) -> bool {
        self.reactor.is_none() && self.threads.as_ref().is_none_or(Threads::are_reactors_done)
    }

    fn stop_accepting(&mut self) {
        if let Some(threads) = &mut self.threads {
            threads.stop_accepting();
        }
    }

    fn end_threads(&mut self) {
        self.reactor = None;
        if let Some(threads) = self.threads.take() {
            threads.end();
        }
    }

    /// Ends the server at once: the manager and its workers die, and so do the threads. Returns `end`, unless a fatal error
    /// has left no other way.
    fn abort(&mut self, end: End) -> End {
        self.context.log.error("the server ends at once");
        self.signal_manager(SIGKILL);
        // User code may have taken the right to kill it away; the pipe asks for none.
        self.life = None;
        while self.manager_exit.is_none() {
            self.reap();
            if self.manager_exit.is_none() {
                let _ = self.epoll.wait(&mut self.events, Some(JOIN_EVERY));
            }
        }
        self.end_threads();
        self.see_workers_off();
        if self.ended == Some(End::BailedOut) { End::BailedOut } else { end }
    }

    /// Waits a moment for the workers of a dead manager to be dead as well: whoever waits for the master may rely on
    /// it that nothing of the server is left.
    fn see_workers_off(&self) {
        let segment = self.context.segment;
        let seats = segment.slot_ids().flat_map(|slot| [segment.seat(slot, 0), segment.seat(slot, 1)]);
        let end = Instant::now() + LAST_DEATHS;
        for pid in seats.map(SeatEntry::pid).filter(|pid| *pid != 0) {
            // As the first process of a container it has got them for children.
            while !matches!(process::reap(pid), Ok(Some(_))) && process::is_alive(pid) && Instant::now() < end {
                std::thread::sleep(JOIN_EVERY);
            }
        }
    }

    /// Whether the manager has not ended though it should have.
    fn is_manager_stuck(&mut self) -> bool {
        let now = Instant::now();
        if self.context.is_asked(request::FORCE) {
            let due = now + STUCK_MANAGER;
            self.manager_due = Some(self.manager_due.map_or(due, |earlier| earlier.min(due)));
        }
        self.manager_exit.is_none() && self.manager_due.is_some_and(|due| now >= due)
    }

    /// Turns until `done`, or until user code or the manager's death ends the master.
    fn wait_until(
        &mut self,
        host: &mut dyn Host,
        timeout: Option<Duration>,
        done: impl Fn(&Self) -> bool,
    ) -> Option<End> {
        loop {
            if done(self) {
                return None;
            }
            if let Some(end) = self.turn(host, timeout) {
                return Some(end);
            }
        }
    }

    /// One turn of the main thread: signals, user code's own handlers, a wait.
    fn turn(&mut self, host: &mut dyn Host, timeout: Option<Duration>) -> Option<End> {
        if self.ended.is_none()
            && let Outcome::Ended(end) = host.interrupt()
        {
            self.has_ended(end);
        }
        if self.signals.any() {
            self.take_signals();
        } else if self.reactor.is_some() && self.looked.elapsed() < JOIN_EVERY {
            // A turn for its connections.
            return self.wait(timeout);
        }
        self.looked = Instant::now();
        self.look_at_reloads();
        self.reap();
        if self.manager_exit.is_some() && !self.context.is_asked(request::WORKERS_GONE) {
            // However cleanly it ended: nobody reaps, replaces or stops the workers any more.
            self.context.log.error("the manager has ended before its workers: the server ends");
            // The workers die with it, by the kernel's signal and by the pipe they watch.
            return Some(self.abort(End::Leave { code: 1 }));
        }
        if self.is_manager_stuck() {
            self.context.log.error("the manager does not end: it is killed, and what is left of the server with it");
            return Some(self.abort(End::Leave { code: 1 }));
        }
        self.context.log.tick();
        self.wait(timeout)
    }

    /// Waits for what there is to do; where this thread has a reactor, that does its part.
    fn wait(&mut self, timeout: Option<Duration>) -> Option<End> {
        let is_over = self.manager_exit.is_some();
        // A signal of user code's may have come in the instant since the last look.
        let timeout = if is_over { Duration::from_millis(1) } else { timeout.unwrap_or(IDLE_LOOK) };
        let Some((reactor, events)) = &mut self.reactor else {
            // The only error is an interrupt: the next turn looks at what came.
            let _ = self.epoll.wait(&mut self.events, Some(timeout));
            return None;
        };
        let goes_on = reactor.step(events, Some(timeout));
        let ended = reactor.ended();
        if !goes_on {
            self.reactor = None;
        }
        if let Some(end) = ended {
            self.has_ended(end);
        }
        None
    }

    /// User code has ended this process: none may run here any more, and the server stops in order.
    fn has_ended(&mut self, end: End) {
        if self.ended.replace(end).is_none() {
            self.context.log.error("user code has ended the master (exit() or a fatal error): the server stops");
            self.context.ask_to_stop();
        }
    }

    fn take_signals(&mut self) {
        let arrived = self.signals.take();
        self.context.take_stop_signal(&self.signals, arrived);
        if arrived.has(SIGUSR1) {
            // The manager reloads; it knows whether it is doing so already, or has had the same signal.
            self.context.segment.header().reload_signal_ns.store(self.signals.came_ns(SIGUSR1), Release);
            self.context.segment.manager_bell().write();
        }
        if arrived.has(SIGUSR2) {
            self.signal_manager(SIGUSR2);
        }
        if arrived.has(SIGUSR1) || arrived.has(SIGWINCH) || arrived.has(rotor_sys::signal::sigrtmin()) {
            self.context.log.reopen();
        }
        if arrived.has(SIGWINCH) || arrived.has(rotor_sys::signal::sigrtmin()) {
            self.signal_manager(rotor_sys::signal::sigrtmin());
        }
    }

    /// Reads the certificates again when a reload has begun, whoever has asked for it.
    fn look_at_reloads(&mut self) {
        let reloads = self.context.segment.header().reloads.load(Relaxed);
        if self.reloads != reloads
            && let Some(threads) = &self.threads
        {
            self.reloads = reloads;
            threads.read_certificates(&self.context);
        }
    }

    /// Signals the manager, unless it was reaped: its number may be another process's by now.
    fn signal_manager(&self, signal: i32) {
        if self.manager_exit.is_none() {
            let _ = process::kill(self.manager, signal);
        }
    }

    /// Reaps the manager; as the first process of a container, orphans too. What user code has forked is its to wait
    /// for.
    fn reap(&mut self) {
        if self.manager_exit.is_none() {
            match process::reap(self.manager) {
                Ok(exit) => self.manager_exit = exit,
                Err(_) => {
                    self.context.log.error("user code has waited for the manager: how that has ended is not known");
                    self.manager_exit = Some(Exit { pid: self.manager, code: 1, signal: 0 });
                }
            }
        }
        self.orphans.reap(Instant::now());
    }
}
