//! The manager: forks, reaps, recovers and replaces the workers. Single-threaded, the parent of all of them.
//!
//! One turn of its loop: signals and requests · reap and recover · what the processes say · what is due · one
//! callback · wait. Rescue comes first: no callback runs between a death and its recovery.

mod crash;
mod crew;
mod late;
mod life;
mod oom;
mod reload;
mod reload_signals;
pub mod slot;
mod stop;
mod watch;

use std::collections::VecDeque;
use std::fs::File;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rotor_ipc::WorkerId;
use rotor_ipc::record::Header;
use rotor_ipc::segment::Segment;
use rotor_ipc::sync::Ordering::{AcqRel, Acquire, Relaxed};
use rotor_ipc::workers::{SeatState, seat_of};
use rotor_sys::epoll::{Epoll, Events, Interest};
use rotor_sys::own::Own;
use rotor_sys::process::{self, LifeLine};
use rotor_sys::signal::{Blocked, Signals};

use crate::host::{End, Event, Host, Outcome, Role};
use crate::outlets::Outlets;
use crate::process::{Context, Process, phase, request};
use crate::signals::{SIGCHLD, SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
use crate::worker;
use crash::Crashed;
use crew::{Crew, Member};
use late::Lates;
use oom::OomKills;
use reload::Reload;
use reload_signals::{By, ReloadSignals};
use slot::{Limits, Slot, SlotEvent};
use stop::Stop;

/// How the manager's loop came to an end, and in which process.
#[derive(Debug)]
pub enum Ended {
    /// The manager itself is done.
    Manager(End),
    /// This is a process that it has forked.
    Child(worker::Identity),
}

/// The manager's relation to its parent.
#[derive(Debug)]
pub struct Parent {
    /// The master's process number.
    pub pid: i32,
    /// Readable once the master is dead.
    pub life: Own,
}

struct Manager {
    context: Context,
    segment: &'static Segment,
    process: Rc<Process>,
    slots: Vec<Slot>,
    crew: Crew,
    signals: Signals,
    epoll: Epoll,
    events: Events,
    life: LifeLine,
    _parent_life: Own,
    /// Kills this process once the master is dead, whatever callback runs.
    _killed_with_master: Option<Own<File>>,
    /// Deaths that a reactor has not been told of yet, for want of room.
    untold: VecDeque<(usize, Header, u64)>,
    callbacks: VecDeque<Event>,
    reload: Option<Reload>,
    /// A reload was asked for while one was running.
    reload_again: bool,
    reload_signals: ReloadSignals,
    /// The slot whose wish for a successor is looked at first.
    first_asked: usize,
    stop: Option<Stop>,
    /// User code has ended this process; what is left is to stop the others.
    end: Option<End>,
    cpus: Vec<u32>,
    /// Workers that take too long.
    lates: Lates,
    /// Why new processes load all code for themselves; said when it changes.
    code_trouble: Option<String>,
    /// Crashed processes at which a look is under way.
    crashed: Vec<Crashed>,
    oom_kills: OomKills,
    /// A child has died since the last look, or the last look is long ago.
    has_dead: bool,
}

const LIFE: u64 = 1;

/// Runs the manager in the process that was just forked for it.
pub fn run(context: &Context, parent: Parent, cpus: Vec<u32>, blocked: Blocked, host: &mut dyn Host) -> Ended {
    let context = Context { log: context.log.speaking_as("manager"), ..context.clone() };
    let log = context.log.clone();
    let mut manager = match Manager::new(context, parent, cpus) {
        Ok(manager) => manager,
        Err(error) => {
            log.error(&format!("the manager cannot start: {error}"));
            return Ended::Manager(End::Leave { code: 1 });
        }
    };
    blocked.end_hearing();
    host.entered(Role::Manager, manager.process.clone());
    let ended = manager.live(host);
    if matches!(ended, Ended::Manager(_)) {
        log.settle();
        host.left();
        rotor_sys::signal::keep_to_the_end();
    }
    ended
}

impl Manager {
    fn new(context: Context, parent: Parent, cpus: Vec<u32>) -> std::io::Result<Self> {
        let killed_with_master = process::die_with(parent.life.as_fd()).ok();
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
        let limits = Limits {
            max_wait: context.settings.max_wait_time,
            max_delay: context.settings.respawn_max_delay,
            hands_over: true,
        };
        let now = Instant::now();
        let outlets = Outlets::of_manager(segment);
        Ok(Self {
            segment,
            process: Process::of_manager(context.clone(), outlets),
            crew: Crew::new(segment.slots()),
            slots: segment
                .slot_ids()
                .map(|id| Slot::new(Limits { hands_over: segment.has_inbox(id), ..limits }, now))
                .collect(),
            signals,
            epoll,
            events: Events::with_capacity(8),
            life: LifeLine::new()?,
            _parent_life: parent.life,
            _killed_with_master: killed_with_master,
            untold: VecDeque::new(),
            callbacks: VecDeque::from([Event::ManagerStart]),
            reload: None,
            reload_again: false,
            reload_signals: ReloadSignals::default(),
            first_asked: 0,
            stop: None,
            end: None,
            cpus,
            crashed: Vec::new(),
            oom_kills: OomKills::find(),
            lates: Lates::new(&context.settings, segment),
            code_trouble: None,
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
        self.look_at_crashes(host);
        self.look_at_lates(host);
        if let Some(ended) = self.go_on_reloading(host) {
            return Some(ended);
        }
        if let Some(ended) = self.go_on_stopping(host) {
            return Some(ended);
        }
        self.count_failing();
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
        let came_ns = self.segment.header().reload_signal_ns.swap(0, AcqRel);
        if came_ns != 0 {
            self.on_reload_signal(By::Master, came_ns);
        }
        if !self.signals.any() {
            return;
        }
        let arrived = self.signals.take();
        self.has_dead |= arrived.has(SIGCHLD);
        self.context.take_stop_signal(&self.signals, arrived);
        // SIGUSR2 means the task workers, and there are none.
        if arrived.has(SIGUSR1) {
            self.context.log.reopen();
            self.on_reload_signal(By::Manager, self.signals.came_ns(SIGUSR1));
        }
        if arrived.has(SIGWINCH) || arrived.has(rotor_sys::signal::sigrtmin()) {
            self.context.log.reopen();
        }
    }

    fn on_reload_signal(&mut self, by: By, came_ns: u64) {
        if !self.reload_signals.counts(by, came_ns) {
            return;
        }
        if self.reload.is_some() {
            self.reload_again = true;
        } else {
            self.segment.header().requests.fetch_or(request::RELOAD, AcqRel);
        }
    }

    fn take_requests(&mut self) {
        if self.context.is_asked(request::RELOAD) && self.reload.is_none() && !self.is_ending() {
            let requests = &self.segment.header().requests;
            requests.fetch_or(request::RELOADING, AcqRel);
            requests.fetch_and(!request::RELOAD, AcqRel);
            self.segment.header().reloads.fetch_add(1, Relaxed);
            // The master reads its certificates again.
            self.segment.main_bell().write();
            self.context.log.notice("reloading");
            let processes = self.segment.process_ids().filter(|_| self.context.settings.reload_user_processes);
            self.reload = Some(Reload::of(self.segment.worker_ids().chain(processes)));
            self.callbacks.push_back(Event::BeforeReload);
        }
        let is_draining = self.segment.header().phase.load(Acquire) >= phase::DRAINING;
        if is_draining && self.stop.is_none() {
            self.stop = Some(Stop::begin(
                self.context.settings.max_wait_time,
                self.segment.header().drain_since_ns.load(Relaxed),
            ));
            self.context.log.notice("stopping");
            for worker in self.segment.worker_ids() {
                self.step(worker, SlotEvent::Stop);
            }
        }
    }

    /// What the processes say in the worker table.
    fn look_at_processes(&mut self, host: &mut dyn Host) -> Option<Ended> {
        for worker in self.segment.slot_ids() {
            for seat in 0..2 {
                let Some(Member { generation, .. }) = self.crew.in_seat(worker, seat) else { continue };
                let state = self.segment.seat(worker, seat).state();
                if !matches!(state, SeatState::Starting | SeatState::Empty) {
                    let event = SlotEvent::Ready { generation };
                    if let Some(ended) = self.step_and_fork(worker, event, host) {
                        return Some(ended);
                    }
                }
            }
            let generation = self.segment.slot(worker).owner().current();
            if let Some(ended) = self.step_and_fork(worker, SlotEvent::Owned { generation }, host) {
                return Some(ended);
            }
            let slot = &self.slots[worker.index()];
            if slot.is_under_suspicion()
                && let Some(generation) = slot.serving()
                && self.segment.seat(worker, seat_of(generation)).requests_here.load(Relaxed) > 0
            {
                self.step(worker, SlotEvent::Fruitful { generation });
            }
        }
        self.replace_who_asks(host)
    }

    /// Starts successors for workers that ask for one, no more at a time than `reload_concurrency`, and ends the user
    /// processes that are asked to end.
    fn replace_who_asks(&mut self, host: &mut dyn Host) -> Option<Ended> {
        if self.is_ending() {
            return None;
        }
        let at_once = self.context.settings.reload_concurrency as usize;
        let is_reload_next = self.is_reload_next();
        let mut busy = self.replacing();
        // Each time another one first: one that asks again and again does not keep the others waiting.
        let (count, first) = (self.slots.len(), self.first_asked);
        for place in (0..count).map(|place| (place + first) % count) {
            let worker = WorkerId(u32::try_from(place).unwrap_or(u32::MAX));
            let is_worker = self.segment.has_inbox(worker);
            if is_worker && (is_reload_next || busy >= at_once) {
                continue;
            }
            let Some(serving) = self.slots[place].serving() else { continue };
            if !self.segment.seat(worker, seat_of(serving)).is_asked_to_leave() {
                continue;
            }
            let event = SlotEvent::Replace { free: self.free_seats(worker), is_reload: false };
            if let Some(ended) = self.step_and_fork(worker, event, host) {
                return Some(ended);
            }
            if is_worker && self.slots[place].is_replacing() {
                busy += 1;
                self.first_asked = (place + 1) % count;
            }
        }
        None
    }

    /// How many workers' slots have, or are about to have, two processes.
    fn replacing(&self) -> usize {
        self.slots[..self.segment.workers()].iter().filter(|slot| slot.is_replacing()).count()
    }

    fn tick(&mut self, host: &mut dyn Host) -> Option<Ended> {
        for worker in self.segment.slot_ids() {
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
        if !self.context.is_asked(request::WORKERS_FORKED) {
            self.segment.header().requests.fetch_or(request::WORKERS_FORKED, AcqRel);
            self.segment.main_bell().write();
        }
        None
    }

    /// Says when the server becomes degraded, and when it is no more.
    fn count_failing(&mut self) {
        let now = Instant::now();
        let header = self.segment.header();
        let waiting = self.slots.iter().filter(|slot| slot.is_backing_off()).count();
        header.slots_backing_off.store(waiting as u64, Relaxed);
        for (worker, slot) in self.segment.slot_ids().zip(&self.slots) {
            self.segment.slot(worker).shun(slot.is_shunned());
        }
        let failing: Vec<_> =
            self.segment.slot_ids().filter(|worker| self.slots[worker.index()].is_failing(now)).collect();
        let before = header.slots_failing.swap(failing.len() as u64, Relaxed);
        match (before, &failing[..]) {
            (0, [_, ..]) => {
                let who = failing.iter().map(|worker| self.context.who(*worker)).collect::<Vec<_>>().join(", ");
                self.context.log.error(&format!(
                    "the server is degraded: {who} keeps dying or cannot be forked; the others serve on"
                ));
            }
            (1.., []) if !self.is_ending() => self.context.log.notice("the server is no longer degraded"),
            _ => {}
        }
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

    fn wait(&mut self) -> Option<Ended> {
        let now = Instant::now();
        let stop = self.stop.as_ref().filter(|stop| !stop.is_killed).and_then(|stop| stop.kill_at);
        let deadline = self.slots.iter().filter_map(|slot| slot.deadline(now)).chain(stop).min();
        let mut timeout = deadline.map(|deadline| deadline.saturating_duration_since(now));
        // A signal of user code's may have come in the instant since the last look.
        let idle_look = Duration::from_secs(1);
        timeout = Some(timeout.map_or(idle_look, |timeout| timeout.min(idle_look)));
        if !self.untold.is_empty() || self.has_crashed() || timeout == Some(Duration::ZERO) {
            // A seat that is not clear yet, or a lane without room: nobody rings for those two.
            timeout = Some(Duration::from_millis(1));
        }
        timeout = self.lates.timeout().into_iter().chain(timeout).min();
        if self.signals.any() {
            return None;
        }
        self.process.flush();
        self.context.log.tick();
        // The only error is an interrupt: the next turn looks at what came.
        let waited = self.epoll.wait(&mut self.events, timeout);
        // User code may have taken the signal over: a wait that nothing has ended looks as well.
        self.has_dead |= self.events.is_empty();
        if waited.is_ok() && self.events.iter().any(|event| event.token() == LIFE) {
            self.context.log.error("the master has died; the manager ends");
            self.signal(self.segment.slot_ids(), SIGKILL);
            return Some(Ended::Manager(End::Leave { code: 1 }));
        }
        None
    }
}
