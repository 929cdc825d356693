//! The manager: forks, reaps, recovers and replaces the workers. Single-threaded, the parent of all of them.
//!
//! One turn of its loop: signals and requests · reap and recover · what the processes say · what is due · one
//! callback · wait. Rescue comes first: no callback runs between a death and its recovery.

pub mod slot;

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rotor_ipc::SessionId;
use rotor_ipc::WorkerId;
use rotor_ipc::record::{Header, Kind, NO_HEAD};
use rotor_ipc::recovery;
use rotor_ipc::segment::Segment;
use rotor_ipc::sessions::Flag;
use rotor_ipc::sync::Ordering::{AcqRel, Relaxed};
use rotor_ipc::workers::{Generation, SeatState, seat_of};
use rotor_sys::clock::unix_us;
use rotor_sys::epoll::{Epoll, Events, Interest};
use rotor_sys::process::{self, Exit, Fork, LifeLine};
use rotor_sys::signal::Signals;

use crate::host::{End, Event, Host, Outcome, Role};
use crate::outlets::{Outlets, header};
use crate::process::{Context, Process, phase, request};
use crate::signals::{SIGCHLD, SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
use crate::worker;
use slot::{Action, Limits, Overdue, Slot, SlotEvent};

/// How the manager's loop came to an end, and in which process.
#[derive(Debug)]
pub enum Ended {
    /// The manager itself is done.
    Manager(End),
    /// This is a process that it has forked.
    Worker(worker::Identity),
}

/// The manager's relation to its parent.
#[derive(Debug)]
pub struct Parent {
    /// The master's process number.
    pub pid: i32,
    /// Readable once the master is dead.
    pub life: OwnedFd,
}

struct Manager {
    context: Context,
    segment: &'static Segment,
    process: Rc<Process>,
    slots: Vec<Slot>,
    signals: Signals,
    epoll: Epoll,
    events: Events,
    life: LifeLine,
    _parent_life: OwnedFd,
    /// Deaths that a reactor has not been told of yet, for want of room.
    untold: VecDeque<(usize, Header, u64)>,
    callbacks: VecDeque<Event>,
    reload: Option<Reload>,
    /// A reload was asked for while one was running.
    reload_again: bool,
    stop: Option<Stop>,
    /// User code has ended this process; what is left is to stop the others.
    end: Option<End>,
    cpus: Vec<u32>,
    /// A child has died since the last look, or the last look is long ago.
    has_dead: bool,
}

/// A reload that is under way.
struct Reload {
    left: VecDeque<WorkerId>,
    /// Slots that had no process: they are tried at once, and count by whether that gets ready.
    revived: Vec<WorkerId>,
    success: bool,
}

/// A stop that is under way.
struct Stop {
    /// When what still lives is killed; `None`: never.
    kill_at: Option<Instant>,
    is_killed: bool,
}

const LIFE: u64 = 1;

/// Runs the manager in the process that was just forked for it.
pub fn run(context: &Context, parent: Parent, cpus: Vec<u32>, host: &mut dyn Host) -> Ended {
    let context = Context { log: context.log.speaking_as("manager"), ..context.clone() };
    let log = context.log.clone();
    let mut manager = match Manager::new(context, parent, cpus) {
        Ok(manager) => manager,
        Err(error) => {
            log.error(&format!("the manager cannot start: {error}"));
            return Ended::Manager(End::Leave { code: 1 });
        }
    };
    host.entered(Role::Manager, manager.process.clone());
    let ended = manager.live(host);
    if matches!(ended, Ended::Manager(_)) {
        host.left();
    }
    ended
}

impl Manager {
    fn new(context: Context, parent: Parent, cpus: Vec<u32>) -> std::io::Result<Self> {
        process::die_with_parent()?;
        if process::parent_id() != parent.pid {
            return Err(std::io::Error::other("the master has died"));
        }
        let segment = context.segment;
        let signals = Signals::begin()?;
        for signal in [SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGCHLD, SIGWINCH, rotor_sys::signal::sigrtmin()] {
            signals.note(signal)?;
        }
        for signal in [SIGHUP, SIGPIPE] {
            signals.ignore(signal)?;
        }
        let epoll = Epoll::new()?;
        epoll.add(signals.as_fd(), 0, Interest::ReadEdge)?;
        epoll.add(segment.manager_bell().as_fd(), 0, Interest::ReadEdge)?;
        epoll.add(parent.life.as_fd(), LIFE, Interest::ReadLevel)?;
        segment.protect()?;
        let limits = Limits { max_wait: context.settings.max_wait_time };
        let now = Instant::now();
        let outlets = Outlets::of_manager(segment);
        Ok(Self {
            segment,
            process: Process::of_manager(context.clone(), outlets),
            slots: vec![Slot::new(limits, now); segment.workers()],
            signals,
            epoll,
            events: Events::with_capacity(8),
            life: LifeLine::new()?,
            _parent_life: parent.life,
            untold: VecDeque::new(),
            callbacks: VecDeque::from([Event::ManagerStart]),
            reload: None,
            reload_again: false,
            stop: None,
            end: None,
            cpus,
            has_dead: true,
            context,
        })
    }

    fn live(&mut self, host: &mut dyn Host) -> Ended {
        loop {
            if let Some(ended) = self.turn(host) {
                return ended;
            }
        }
    }

    fn turn(&mut self, host: &mut dyn Host) -> Option<Ended> {
        self.take_signals();
        self.take_requests();
        if let Some(ended) = self.reap(host) {
            return Some(ended);
        }
        self.tell_reactors();
        if let Some(ended) = self.look_at_processes(host) {
            return Some(ended);
        }
        if let Some(ended) = self.tick(host) {
            return Some(ended);
        }
        if let Some(ended) = self.go_on_reloading(host) {
            return Some(ended);
        }
        if let Some(ended) = self.go_on_stopping(host) {
            return Some(ended);
        }
        if self.end.is_some() {
            self.callbacks.clear();
        } else if let Some(event) = self.callbacks.pop_front() {
            let outcome = host.call(event);
            self.after_callback(outcome);
            return None;
        } else {
            let outcome = host.interrupt();
            self.after_callback(outcome);
        }
        self.wait()
    }

    fn take_signals(&mut self) {
        if !self.signals.any() {
            return;
        }
        let arrived = self.signals.take();
        self.has_dead |= arrived.has(SIGCHLD);
        if arrived.has(SIGTERM) || arrived.has(SIGINT) {
            self.context.ask_to_stop();
        }
        // SIGUSR2 means the task workers, and there are none.
        if arrived.has(SIGUSR1) {
            self.context.log.reopen();
            if self.reload.is_some() {
                self.reload_again = true;
            } else {
                self.segment.header().requests.fetch_or(request::RELOAD, AcqRel);
            }
        }
        if arrived.has(SIGWINCH) || arrived.has(rotor_sys::signal::sigrtmin()) {
            self.context.log.reopen();
            self.signal_workers(rotor_sys::signal::sigrtmin());
        }
    }

    fn take_requests(&mut self) {
        if self.context.is_asked(request::RELOAD) && self.reload.is_none() && !self.is_ending() {
            let requests = &self.segment.header().requests;
            requests.fetch_or(request::RELOADING, AcqRel);
            requests.fetch_and(!request::RELOAD, AcqRel);
            self.segment.header().reloads.fetch_add(1, Relaxed);
            self.context.log.notice("reloading");
            self.reload =
                Some(Reload { left: self.segment.worker_ids().collect(), revived: Vec::new(), success: true });
            self.callbacks.push_back(Event::BeforeReload);
        }
        let is_draining = self.segment.header().phase.load(Relaxed) >= phase::DRAINING;
        if is_draining && self.stop.is_none() {
            let kill_at =
                self.context.settings.max_wait_time.map(|wait| Instant::now() + wait + Duration::from_secs(1));
            self.stop = Some(Stop { kill_at, is_killed: false });
            self.context.log.notice("stopping");
            for worker in self.segment.worker_ids() {
                self.step(worker, SlotEvent::Stop);
            }
        }
    }

    /// Reaps, recovers and reports every process that has ended. Only the server's own are reaped: what user code
    /// has forked here is its to wait for.
    fn reap(&mut self, host: &mut dyn Host) -> Option<Ended> {
        if !std::mem::take(&mut self.has_dead) {
            return None;
        }
        for worker in self.segment.worker_ids() {
            for seat in 0..2 {
                let pid = self.segment.seat(worker, seat).pid();
                if pid == 0 {
                    continue;
                }
                match process::reap(pid) {
                    Ok(Some(exit)) => {
                        if let Some(ended) = self.on_exit(worker, seat, exit, host) {
                            return Some(ended);
                        }
                    }
                    Ok(None) => {}
                    Err(error) => self.context.log.error(&format!("cannot wait for process {pid}: {error}")),
                }
            }
        }
        None
    }

    fn on_exit(&mut self, worker: WorkerId, seat_number: usize, exit: Exit, host: &mut dyn Host) -> Option<Ended> {
        let seat = self.segment.seat(worker, seat_number);
        let generation = seat.generation();
        let was_fruitful = seat.requests_here.load(Relaxed) > 0;
        let was_ready = seat.state() != SeatState::Starting;
        if self.context.settings.close_on_worker_error
            && let Some(held) = seat.in_hand.get().filter(|held| held.session != 0)
        {
            // Before anybody takes over: what waits behind the lost message is dropped with it, else its client
            // would take the next answer for the one that does not come. An error: it is closing already.
            let _ = self.segment.sessions().set_flag(SessionId(held.session), Flag::Closing);
        }
        let recovered = recovery::recover(self.segment, worker, generation);
        seat.end();
        let session = recovered.held.map(|held| held.session).filter(|session| *session != 0);
        if session.is_some() {
            self.segment.header().lost_messages.fetch_add(1, Relaxed);
        }
        for reactor in 0..self.segment.reactors() {
            let outlet = self.segment.outlet_of(worker, seat_number);
            let mut record = header(Kind::WorkerDied, session.unwrap_or(0));
            record.aux = u16::try_from(outlet).unwrap_or(u16::MAX);
            record.extra = recovered.heads.get(reactor).copied().unwrap_or(NO_HEAD);
            self.untold.push_back((reactor, record, u64::from(generation)));
        }
        self.tell_reactors();
        recovery::wake_all(self.segment);
        self.report(worker, exit, session, was_ready);
        let owner = self.segment.slot(worker).owner().current();
        // After a stop by force nobody takes the records that are left.
        let is_drained = self.is_drained(worker) || self.stop.as_ref().is_some_and(|stop| stop.is_killed);
        let event = SlotEvent::Exited { generation, owner, was_fruitful, is_drained };
        self.step_and_fork(worker, event, host)
    }

    fn report(&mut self, worker: WorkerId, exit: Exit, session: Option<u64>, was_ready: bool) {
        let log = self.context.log.speaking_for(format!("worker={worker}"), exit.pid);
        let hand = session.map_or_else(String::new, |session| format!("; session={session}: its message is lost"));
        let early = if was_ready { "" } else { " before it was ready" };
        if exit.is_clean() {
            let line = format!("exited code=0{early}{hand}");
            if session.is_some() {
                log.warning(&line);
            } else {
                log.notice(&line);
            }
            return;
        }
        self.segment.header().crashes.fetch_add(1, Relaxed);
        let how = match exit.signal {
            0 => format!("exited code={}", exit.code),
            signal => format!("killed by {}", process::signal_name(signal)),
        };
        log.error(&format!("{how}{early}{hand}"));
        self.callbacks.push_back(Event::WorkerError {
            worker,
            pid: exit.pid,
            exit_code: exit.code,
            signal: exit.signal,
            session: session.map(SessionId),
        });
    }

    /// Tells the reactors of deaths; what finds no room is told later, and until then the seat is not used again.
    fn tell_reactors(&mut self) {
        while let Some((reactor, record, generation)) = self.untold.front().copied() {
            match self.process.try_post(reactor, record, &generation.to_ne_bytes()) {
                Ok(true) => {
                    self.untold.pop_front();
                }
                Ok(false) => return,
                Err(broken) => {
                    self.context.log.error(&format!("{broken}; the server stops"));
                    self.untold.pop_front();
                    self.context.ask_to_stop();
                }
            }
        }
    }

    /// What the processes say in the worker table.
    fn look_at_processes(&mut self, host: &mut dyn Host) -> Option<Ended> {
        for worker in self.segment.worker_ids() {
            for seat in [self.segment.seat(worker, 0), self.segment.seat(worker, 1)] {
                if seat.pid() != 0 && !matches!(seat.state(), SeatState::Starting | SeatState::Empty) {
                    let event = SlotEvent::Ready { generation: seat.generation() };
                    if let Some(ended) = self.step_and_fork(worker, event, host) {
                        return Some(ended);
                    }
                }
            }
            let generation = self.segment.slot(worker).owner().current();
            if let Some(ended) = self.step_and_fork(worker, SlotEvent::Owned { generation }, host) {
                return Some(ended);
            }
            let Some(serving) = self.slots[worker.index()].serving() else { continue };
            let seat = self.segment.seat(worker, seat_of(serving));
            if seat.is_asked_to_leave()
                && !self.is_ending()
                && let Some(ended) =
                    self.step_and_fork(worker, SlotEvent::Replace { free: self.free_seats(worker) }, host)
            {
                return Some(ended);
            }
        }
        None
    }

    fn tick(&mut self, host: &mut dyn Host) -> Option<Ended> {
        for worker in self.segment.worker_ids() {
            let slot = &self.slots[worker.index()];
            let is_over = self.end.is_some() || (self.stop.is_some() && self.is_drained(worker));
            if slot.is_waiting() && is_over {
                self.slots[worker.index()].stop_waiting();
            }
            let free = self.free_seats(worker);
            if let Some(ended) = self.step_and_fork(worker, SlotEvent::Tick { free }, host) {
                return Some(ended);
            }
        }
        let waiting = self.slots.iter().filter(|slot| slot.is_backing_off()).count();
        self.segment.header().slots_backing_off.store(waiting as u64, Relaxed);
        if !self.context.is_asked(request::WORKERS_FORKED) {
            self.segment.header().requests.fetch_or(request::WORKERS_FORKED, AcqRel);
            self.segment.main_bell().write();
        }
        None
    }

    fn go_on_reloading(&mut self, host: &mut dyn Host) -> Option<Ended> {
        // The callback that announces it comes first.
        if self.reload.is_none() || !self.callbacks.is_empty() {
            return None;
        }
        if self.is_ending() {
            self.finish_reload(false);
            return None;
        }
        let is_async = self.context.settings.reload_async;
        let at_once = if is_async { (self.slots.len() / 2).max(1) } else { 1 };
        loop {
            let busy = |slot: &&Slot| slot.is_replacing() || (!is_async && slot.is_leaving());
            let Some(reload) = &self.reload else { return None };
            let reviving = reload.revived.iter().filter(|worker| self.slots[worker.index()].is_starting()).count();
            let busy = self.slots.iter().filter(busy).count() + reviving;
            if busy >= at_once {
                return None;
            }
            // A slot whose process is not ready, or whose last one is not gone without a trace, comes later.
            let is_ready = |worker: &WorkerId| self.slots[worker.index()].is_replaceable(self.free_seats(*worker));
            let ready = reload.left.iter().position(is_ready);
            let Some(reload) = &mut self.reload else { return None };
            let Some(worker) = ready.and_then(|at| reload.left.remove(at)) else {
                if reload.left.is_empty() && busy == 0 {
                    let has_come_back = |worker: &WorkerId| self.slots[worker.index()].serving().is_some();
                    let success = reload.success && reload.revived.iter().all(has_come_back);
                    self.finish_reload(success);
                }
                return None;
            };
            if self.slots[worker.index()].is_waiting() {
                reload.revived.push(worker);
            }
            let free = self.free_seats(worker);
            for event in [SlotEvent::Replace { free }, SlotEvent::Tick { free }] {
                if let Some(ended) = self.step_and_fork(worker, event, host) {
                    return Some(ended);
                }
            }
        }
    }

    /// The seats of a slot in which a process may be started.
    fn free_seats(&self, worker: WorkerId) -> [bool; 2] {
        [0, 1].map(|seat| recovery::is_seat_clear(self.segment, worker, seat))
    }

    fn finish_reload(&mut self, success: bool) {
        self.reload = None;
        self.segment.header().requests.fetch_and(!request::RELOADING, AcqRel);
        if success {
            self.context.log.notice("reloaded");
        } else if self.is_ending() {
            self.context.log.notice("the reload ends unfinished: the server stops");
        } else {
            self.segment.header().failed_reloads.fetch_add(1, Relaxed);
            self.context.log.error("the reload has failed: at least one worker kept its old process");
        }
        self.callbacks.push_back(Event::AfterReload { success });
        if std::mem::take(&mut self.reload_again) {
            self.segment.header().requests.fetch_or(request::RELOAD, AcqRel);
        }
    }

    fn go_on_stopping(&mut self, host: &mut dyn Host) -> Option<Ended> {
        let is_forced = self.context.is_asked(request::FORCE);
        let stop = self.stop.as_mut()?;
        let is_late = stop.kill_at.is_some_and(|kill_at| Instant::now() >= kill_at);
        if (is_forced || is_late) && !stop.is_killed {
            stop.is_killed = true;
            let why = if is_forced { "a second signal" } else { "max_wait_time has passed" };
            for worker in self.segment.worker_ids() {
                for seat in [self.segment.seat(worker, 0), self.segment.seat(worker, 1)] {
                    if seat.pid() != 0 {
                        let hand = seat.in_hand.get().map_or(0, |held| held.session);
                        self.context
                            .log
                            .warning(&format!("kills worker={worker} pid={}: {why}; session={hand}", seat.pid()));
                    }
                }
            }
        }
        if self.stop.as_ref().is_some_and(|stop| stop.is_killed) {
            self.signal_workers(SIGKILL);
            for slot in &mut self.slots {
                slot.stop_waiting();
            }
        }
        if !self.slots.iter().all(Slot::is_stopped) {
            return None;
        }
        self.segment.header().requests.fetch_or(request::WORKERS_GONE, AcqRel);
        self.segment.main_bell().write();
        self.callbacks.push_back(Event::ManagerStop);
        while self.end.is_none()
            && let Some(event) = self.callbacks.pop_front()
        {
            let outcome = host.call(event);
            self.after_callback(outcome);
        }
        Some(Ended::Manager(self.end.unwrap_or(End::Leave { code: 0 })))
    }

    /// A callback that ends the manager stops the whole server, in order: no user code may run here any more, and a
    /// worker that was forked now could run none either.
    fn after_callback(&mut self, outcome: Outcome) {
        if let Outcome::Ended(end) = outcome
            && self.end.is_none()
        {
            self.end = Some(end);
            self.context
                .log
                .error("a callback in the manager has ended it (exit() or a fatal error): the server stops");
            self.context.ask_to_stop();
        }
    }

    /// Performs a step whose actions cannot be a fork.
    fn step(&mut self, worker: WorkerId, event: SlotEvent) {
        let actions = self.advance(worker, event);
        for action in actions {
            self.perform(worker, action);
        }
    }

    /// Performs a step; `Some` in the process that it has forked.
    fn step_and_fork(&mut self, worker: WorkerId, event: SlotEvent, host: &mut dyn Host) -> Option<Ended> {
        for action in self.advance(worker, event) {
            if let Action::Fork { generation, owns } = action {
                if let Some(identity) = self.fork(worker, generation, owns, host) {
                    return Some(Ended::Worker(identity));
                }
            } else {
                self.perform(worker, action);
            }
        }
        None
    }

    fn advance(&mut self, worker: WorkerId, event: SlotEvent) -> Vec<Action> {
        let place = &mut self.slots[worker.index()];
        let (slot, actions) = place.clone().on(event, Instant::now());
        *place = slot;
        actions
    }

    fn perform(&mut self, worker: WorkerId, action: Action) {
        let entry = self.segment.slot(worker);
        let log = &self.context.log;
        match action {
            Action::Fork { .. } => {}
            Action::Appoint { generation } => {
                entry.appoint(generation);
                self.segment.seat_bell(worker, seat_of(generation)).write();
            }
            Action::Offer { from, to } => {
                if entry.offer(from, to) {
                    self.segment.seat_bell(worker, seat_of(from)).write();
                }
            }
            Action::Withdraw { from, to } => {
                if !entry.withdraw(from, to) {
                    self.slots[worker.index()].swap_after_commit();
                }
            }
            Action::AskToLeave { generation } => {
                self.segment.seat(worker, seat_of(generation)).ask_to_leave();
                self.segment.seat_bell(worker, seat_of(generation)).write();
            }
            Action::Kill { generation, because } => {
                let seat = self.segment.seat(worker, seat_of(generation));
                let what = match because {
                    Overdue::Leaving => "did not end",
                    Overdue::Starting => "did not get ready",
                    Overdue::HandingOver => "did not hand over",
                };
                let log = log.speaking_for(format!("worker={worker}"), seat.pid());
                log.warning(&format!("{what} within max_wait_time; killed"));
                if seat.pid() != 0 && seat.generation() == generation {
                    // ESRCH: it has just ended, and is reaped next.
                    let _ = process::kill(seat.pid(), SIGKILL);
                }
            }
            Action::Replaced => log.notice(&format!("replaced worker={worker}")),
            Action::KeptOld => {
                log.error(&format!("the successor of worker={worker} has failed; the old process serves on"));
                for seat in [0, 1] {
                    self.segment.seat(worker, seat).ask_to_stay();
                }
                if let Some(reload) = &mut self.reload {
                    reload.success = false;
                }
            }
            Action::BackOff { delay } => log.warning(&format!("respawning worker={worker} in {}ms", delay.as_millis())),
        }
    }

    /// Forks a worker. `Some` in the child.
    fn fork(
        &mut self,
        worker: WorkerId,
        generation: Generation,
        owns: bool,
        host: &mut dyn Host,
    ) -> Option<worker::Identity> {
        let seat = self.segment.seat(worker, seat_of(generation));
        seat.begin(generation, unix_us());
        if owns {
            self.segment.slot(worker).appoint(generation);
        }
        let cpu = (!self.cpus.is_empty()).then(|| self.cpus[worker.index() % self.cpus.len()]);
        let manager = process::id();
        host.before_fork();
        match self.life.watch.try_clone().and_then(|watch| Ok((watch, process::fork()?))) {
            Ok((manager_life, Fork::Child)) => {
                Some(worker::Identity { worker, generation, manager, manager_life, cpu })
            }
            Ok((_, Fork::Parent { child })) => {
                seat.set_pid(child);
                if owns && generation > 2 {
                    self.segment.header().respawns.fetch_add(1, Relaxed);
                }
                let log = self.context.log.speaking_for(format!("worker={worker}"), child);
                log.notice(&format!("spawned; generation={generation}"));
                None
            }
            Err(error) => {
                recovery::never_lived(self.segment, worker, generation);
                self.context.log.error(&format!("cannot fork worker={worker}: {error}"));
                self.step(worker, SlotEvent::ForkFailed { generation });
                None
            }
        }
    }

    /// Whether no worker is replaced any more.
    fn is_ending(&self) -> bool {
        self.stop.is_some() || self.end.is_some()
    }

    fn is_drained(&self, worker: WorkerId) -> bool {
        (0..self.segment.reactors()).all(|reactor| self.segment.inward_state(reactor, worker).is_drained())
    }

    fn signal_workers(&self, signal: i32) {
        for worker in self.segment.worker_ids() {
            for seat in [self.segment.seat(worker, 0), self.segment.seat(worker, 1)] {
                if seat.pid() != 0 {
                    // ESRCH: it has just ended, and is reaped next.
                    let _ = process::kill(seat.pid(), signal);
                }
            }
        }
    }

    fn wait(&mut self) -> Option<Ended> {
        let now = Instant::now();
        let stop = self.stop.as_ref().filter(|stop| !stop.is_killed).and_then(|stop| stop.kill_at);
        let deadline = self.slots.iter().filter_map(Slot::deadline).chain(stop).min();
        let mut timeout = deadline.map(|deadline| deadline.saturating_duration_since(now));
        // A signal of user code's may have come in the instant since the last look.
        let idle_look = Duration::from_secs(1);
        timeout = Some(timeout.map_or(idle_look, |timeout| timeout.min(idle_look)));
        if !self.untold.is_empty() || timeout == Some(Duration::ZERO) {
            // A seat that is not clear yet, or a lane without room: nobody rings for those two.
            timeout = Some(Duration::from_millis(1));
        }
        if self.signals.any() {
            return None;
        }
        self.process.flush();
        // The only error is an interrupt: the next turn looks at what came.
        let waited = self.epoll.wait(&mut self.events, timeout);
        // User code may have taken the signal over: a wait that nothing has ended looks as well.
        self.has_dead |= self.events.is_empty();
        if waited.is_ok() && self.events.iter().any(|event| event.token() == LIFE) {
            self.context.log.error("the master has died; the manager ends");
            self.signal_workers(SIGKILL);
            return Some(Ended::Manager(End::Leave { code: 1 }));
        }
        None
    }
}
