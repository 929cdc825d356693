//! The master: the process that called `start()`. Its main thread runs user code and takes signals; its other
//! threads are the reactors and their helpers.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rotor_ipc::sync::Ordering::{AcqRel, Relaxed, Release};
use rotor_sys::clock::{monotonic_ns, nanos};
use rotor_sys::epoll::{Epoll, Events, Interest};
use rotor_sys::own::Own;
use rotor_sys::process::{self, Exit, ReadyTell};
use rotor_sys::signal::Signals;
use rotor_sys::socket::Listener;

use crate::disk;
use crate::error::Error;
use crate::host::{End, Event, EventKind, Host, Outcome, Role};
use crate::log::Log;
use crate::process::{Context, Process, phase, request};
use crate::reactor::{Acceptor, Config, Mail, Mailbox, Reactor, Stop};
use crate::signals::{SIGCHLD, SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};

/// What the master brings along from before its forks.
pub struct Setup {
    /// The primary port, listening.
    pub listener: Listener,
    /// The manager's process number.
    pub manager: i32,
    /// Held open while the master lives: the manager watches the other end.
    pub life: Own,
    /// Whoever has started this daemon waits for it to be ready.
    pub ready: Option<ReadyTell>,
    /// The CPUs that reactors are pinned to; empty: they are not.
    pub cpus: Vec<u32>,
}

/// The main thread looks this often whether the other threads have ended.
const JOIN_EVERY: Duration = Duration::from_millis(5);
/// At the end, the log's thread has so long to write what is left.
const LAST_LINES: Duration = Duration::from_secs(1);
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
}

/// The threads that serve connections.
struct Threads {
    accept: Option<JoinHandle<()>>,
    stop: Stop,
    reactors: Vec<JoinHandle<()>>,
    disk: JoinHandle<()>,
    log: JoinHandle<()>,
}

/// Runs the master until the server has stopped.
pub fn run(context: &Context, setup: Setup, host: &mut dyn Host) -> Result<End, Error> {
    let segment = context.segment;
    let mailboxes: Vec<_> = (0..segment.reactors()).map(|reactor| Mailbox::new(segment, reactor)).collect();
    let mut master = Master::new(context.clone(), setup.manager, mailboxes.clone())
        .map_err(|error| Error::system("cannot set up the master", &error))?;
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
        })
    }

    fn live(&mut self, setup: Setup, host: &mut dyn Host) -> Result<End, Error> {
        let Setup { listener, life, ready, cpus, .. } = setup;
        // The manager first: accepting before there is anybody to serve would only fill queues.
        if let Some(end) = self.wait_until(host, None, |master| master.context.is_asked(request::WORKERS_FORKED)) {
            return Ok(end);
        }
        if let Outcome::Ended(end) = host.call(Event::Start) {
            self.context.log.error("onStart has ended the master (exit() or a fatal error): the server stops");
            return Ok(self.abort(end));
        }
        if let Err(error) = self.start_threads(listener, &cpus, host.listens(EventKind::Connect)) {
            self.abort(End::Stopped);
            return Err(Error::system("cannot start the reactors", &error));
        }
        self.context.segment.header().phase.store(phase::RUNNING, Relaxed);
        self.context.log.notice(&format!("serving on {}", self.context.address));
        if let Some(ready) = ready {
            ready.tell();
        }
        if let Some(end) = self.wait_until(host, None, |master| master.context.is_asked(request::STOP)) {
            return Ok(end);
        }
        let end = self.stop(host);
        drop(life);
        Ok(end)
    }

    fn start_threads(&mut self, listener: Listener, cpus: &[u32], wants_connect: bool) -> std::io::Result<()> {
        let (lines, line_queue) = mpsc::sync_channel(4096);
        let log_thread = disk::spawn_log(self.context.log.clone(), line_queue)?;
        self.context.log.hand_to(lines);
        let (jobs, job_queue) = mpsc::channel();
        let disk = disk::spawn_disk(job_queue)?;
        let live = Arc::new(AtomicUsize::new(0));
        let settings = &self.context.settings;
        let (mut reactors, mut epolls) = (Vec::new(), Vec::new());
        for (reactor, mailbox) in self.mailboxes.iter().enumerate() {
            let epoll = Arc::new(Epoll::new()?);
            epolls.push(epoll.clone());
            let config = Config {
                reactor,
                segment: self.context.segment,
                settings: settings.clone(),
                log: self.context.log.speaking_as(format!("reactor={reactor}")),
                mailbox: mailbox.clone(),
                epoll,
                jobs: jobs.clone(),
                live: live.clone(),
                wants_connect,
                cpu: (!cpus.is_empty()).then(|| cpus[reactor % cpus.len()]),
            };
            let context = self.context.clone();
            reactors.push(disk::spawn(&format!("rotor-reactor-{reactor}"), move || run_reactor(config, &context))?);
        }
        let stop = Stop::new()?;
        let acceptor = Acceptor {
            listener,
            segment: self.context.segment,
            reactors: epolls,
            live,
            max_connection: settings.max_connection as usize,
            nodelay: settings.port.open_tcp_nodelay,
            log: self.context.log.clone(),
            stop: stop.clone(),
        };
        let accept = disk::spawn("rotor-accept", move || acceptor.run())?;
        self.threads = Some(Threads { accept: Some(accept), stop, reactors, disk, log: log_thread });
        Ok(())
    }

    /// The orderly stop: accept ends, reactors drain, workers answer and end, output is flushed.
    fn stop(&mut self, host: &mut dyn Host) -> End {
        self.context.log.notice("stopping");
        let mut end = match host.call(Event::BeforeShutdown) {
            Outcome::Ended(end) => end,
            Outcome::Returned | Outcome::Threw => End::Stopped,
        };
        if let Some(ended) = self.serve_on(host) {
            return ended;
        }
        let deadline = self.begin_to_drain();
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
        if end == End::Stopped && self.manager_exit.is_some_and(|exit| !exit.is_clean()) {
            // A callback has ended the manager: whoever supervises this process learns that it was no ordinary stop.
            end = End::Leave { code: 1 };
        }
        if let Outcome::Ended(ended) = host.call(Event::Shutdown) {
            end = ended;
        }
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

    /// Whether the reactors have ended, and the disk's helper, which gives back what they have left.
    fn are_reactors_done(&self) -> bool {
        self.threads.as_ref().is_none_or(|threads| {
            threads.reactors.iter().chain(std::iter::once(&threads.disk)).all(JoinHandle::is_finished)
        })
    }

    /// Ends the accept thread, once it has taken what has connected by now.
    fn stop_accepting(&mut self) {
        if let Some(accept) = self.threads.as_mut().and_then(|threads| {
            threads.stop.stop();
            threads.accept.take()
        }) {
            join(accept, &self.context.log);
        }
    }

    /// Ends all threads; what is not sent by now is dropped.
    fn end_threads(&mut self) {
        self.stop_accepting();
        let Some(threads) = self.threads.take() else { return };
        self.tell_reactors(|| Mail::Finish { deadline: Some(Instant::now()) });
        for reactor in threads.reactors {
            join(reactor, &self.context.log);
        }
        join(threads.disk, &self.context.log);
        self.context.log.take_back();
        // Nobody may read the pipe that it writes to: the last lines are worth a moment, and no more.
        let end = Instant::now() + LAST_LINES;
        while !threads.log.is_finished() && Instant::now() < end {
            std::thread::sleep(JOIN_EVERY);
        }
        if threads.log.is_finished() {
            join(threads.log, &self.context.log);
        }
    }

    /// Ends the server at once: the manager and its workers die, and so do the threads.
    fn abort(&mut self, end: End) -> End {
        self.context.log.error("the server ends at once");
        self.signal_manager(SIGKILL);
        while self.manager_exit.is_none() {
            self.reap();
            if self.manager_exit.is_none() {
                let _ = self.epoll.wait(&mut self.events, Some(JOIN_EVERY));
            }
        }
        self.end_threads();
        end
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
        if let Outcome::Ended(end) = host.interrupt() {
            self.context.log.error("user code has ended the master (exit() or a fatal error): the server stops");
            return Some(self.abort(end));
        }
        if self.signals.any() {
            self.take_signals();
        }
        self.reap();
        if self.manager_exit.is_some() && !self.context.is_asked(request::WORKERS_GONE) {
            // However cleanly it ended: nobody reaps, replaces or stops the workers any more.
            self.context.log.error("the manager has ended before its workers: the server ends");
            // The workers die with it, by the kernel's signal and by the pipe they watch.
            return Some(self.abort(End::Leave { code: 1 }));
        }
        let is_over = self.manager_exit.is_some();
        // A signal of user code's may have come in the instant since the last look.
        let timeout = if is_over { Duration::from_millis(1) } else { timeout.unwrap_or(IDLE_LOOK) };
        // The only error is an interrupt: the next turn looks at what came.
        let _ = self.epoll.wait(&mut self.events, Some(timeout));
        None
    }

    fn take_signals(&mut self) {
        let arrived = self.signals.take();
        if arrived.has(SIGTERM) || arrived.has(SIGINT) {
            self.context.ask_to_stop();
        }
        for signal in [SIGUSR1, SIGUSR2] {
            if arrived.has(signal) {
                // The manager reloads; it knows whether it is doing so already.
                self.signal_manager(signal);
            }
        }
        if arrived.has(SIGUSR1) || arrived.has(SIGWINCH) || arrived.has(rotor_sys::signal::sigrtmin()) {
            self.context.log.reopen();
        }
        if arrived.has(SIGWINCH) || arrived.has(rotor_sys::signal::sigrtmin()) {
            self.signal_manager(rotor_sys::signal::sigrtmin());
        }
    }

    /// Signals the manager, unless it was reaped: its number may be another process's by now.
    fn signal_manager(&self, signal: i32) {
        if self.manager_exit.is_none() {
            let _ = process::kill(self.manager, signal);
        }
    }

    /// Reaps the manager; as the first process of a container, whatever else has ended too. Elsewhere, what user
    /// code has forked is its to wait for.
    fn reap(&mut self) {
        if process::id() == 1 {
            while let Ok(Some(exit)) = process::reap_any() {
                if exit.pid == self.manager {
                    self.manager_exit = Some(exit);
                }
            }
        } else if self.manager_exit.is_none()
            && let Ok(Some(exit)) = process::reap(self.manager)
        {
            self.manager_exit = Some(exit);
        }
    }
}

fn run_reactor(config: Config, context: &Context) {
    let guard = StopUnlessDone(context);
    match Reactor::new(config) {
        Ok(reactor) => {
            reactor.run();
            std::mem::forget(guard);
        }
        Err(error) => context.log.error(&format!("a reactor cannot start: {error}; the server stops")),
    }
}

/// Stops the server when a reactor panics or cannot start: its connections would hang for ever, and no worker would
/// find its lanes closed, hence by force.
struct StopUnlessDone<'a>(&'a Context);

impl Drop for StopUnlessDone<'_> {
    fn drop(&mut self) {
        self.0.segment.header().requests.fetch_or(request::STOP | request::FORCE, AcqRel);
        self.0.segment.main_bell().write();
        self.0.segment.manager_bell().write();
    }
}

fn join(thread: JoinHandle<()>, log: &Log) {
    if thread.join().is_err() {
        log.error("a thread of the master has panicked");
    }
}
