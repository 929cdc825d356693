//! An event worker: takes records from its slot's inbox and runs callbacks for them.
//!
//! Its life: start callback · ready · owner of the inbox (at once, or when the one before hands over) · takes
//! records · hands over, or finds the inbox closed and empty · exit and stop callbacks · end.

mod leaving;
mod packet;
mod records;
mod recycling;

use std::fs::File;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::Duration;

use rotor_ipc::WorkerId;
use rotor_ipc::idle::Giver;
use rotor_ipc::inbox::Marks;
use rotor_ipc::lane;
use rotor_ipc::ring::Broken;
use rotor_ipc::segment::Segment;
use rotor_ipc::sessions::SessionsReader;
use rotor_ipc::sync::AtomicU64;
use rotor_ipc::sync::Ordering::Relaxed;
use rotor_ipc::wake::{Sleeper, fence_after_announcing};
use rotor_ipc::workers::{Generation, Owner, SeatEntry, SeatState, SlotEntry, seat_of};
use rotor_sys::clock::monotonic_ns;
use rotor_sys::epoll::{Epoll, Events, Interest};
use rotor_sys::own::Own;
use rotor_sys::process;
use rotor_sys::signal::{Blocked, Signals};
use rotor_sys::ticker::Ticker;

use crate::host::{End, Event, EventKind, Host, Outcome, Role};
use crate::outlets::Outlets;
use crate::process::{Context, Process, phase};
use crate::self_look::SelfLook;
use crate::signals::{SIGCHLD, SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
use crate::worker::recycling::Recycling;

/// Who a forked process is.
#[derive(Debug)]
pub struct Identity {
    /// Its slot.
    pub worker: WorkerId,
    /// Its generation.
    pub generation: Generation,
    /// The manager's process number.
    pub manager: i32,
    /// Readable once the manager is dead.
    pub manager_life: Own,
    /// The CPU to run on.
    pub cpu: Option<u32>,
    /// Signals wait until it has its own actions for them: the manager's would swallow one, and those of before end it.
    pub blocked: Blocked,
}

/// A ready successor looks at the owner word this often, in case the one before died between commit and wake-up.
const SUCCESSOR_SLEEP: Duration = Duration::from_millis(10);
/// An idle worker gives memory back that was long unused, and looks whether a signal of user code's came in the
/// instant between its last look and its wait.
const IDLE_LOOK: Duration = Duration::from_secs(1);

/// The token of the pipe to the manager.
const LIFE: u64 = 1;
/// The token of the ticker.
const TICK: u64 = 2;

struct Worker {
    context: Context,
    segment: &'static Segment,
    sessions: SessionsReader,
    process: Rc<Process>,
    id: WorkerId,
    generation: Generation,
    slot: &'static SlotEntry,
    seat: &'static SeatEntry,
    epoll: Epoll,
    events: Events,
    signals: Signals,
    sleeper: Sleeper,
    /// Has the loop turn once a while.
    ticker: Ticker,
    /// Readable once the manager is dead; watched by the epoll.
    _manager_life: Own,
    /// Kills this process once the manager is dead, whatever callback runs and whoever may signal whom. Where there is
    /// no /proc to make it, the loop ends the process.
    _killed_with_manager: Option<Own<File>>,
    /// What it has while it owns the slot's inbox.
    inbox: Option<Inbox>,
    /// What looks at this process, where the manager may not.
    self_look: Option<SelfLook>,
    /// What makes it ask for a successor, if anything does.
    recycling: Option<Recycling>,
    /// By port, whether anybody wants to know of new connections and of those that are over.
    listens_connect: Vec<bool>,
    listens_close: Vec<bool>,
    /// The dispatcher asks how many messages are done with.
    counts_messages: bool,
    /// In idle dispatch: lets this worker go when it is done with a message.
    giver: Option<Giver>,
    /// Messages of sessions that somebody has closed, or whose client has gone, are dropped.
    drops_late: bool,
}

/// The slot's inbox, in the hands of its owner.
struct Inbox {
    lanes: Vec<lane::Consumer>,
    marks: Marks,
    sleeper: Sleeper,
    /// Where the next look begins, so that no reactor is served before the others for ever.
    next: usize,
}

/// What the loop does next.
enum Next {
    /// Take another record.
    Go,
    /// There is none.
    Idle,
    /// The process has no more part in the slot.
    Leave,
    /// The process ends at once.
    End(End),
}

/// Runs the worker in the process that was just forked for it.
pub fn run(identity: Identity, context: &Context, host: &mut dyn Host) -> End {
    let log = context.log.speaking_as(format!("worker={}", identity.worker));
    let context = Context { log, ..context.clone() };
    match Worker::new(identity, context.clone()) {
        Ok(mut worker) => {
            let end = worker.live(host);
            rotor_sys::signal::keep_to_the_end();
            end
        }
        Err(error) => {
            context.log.error(&format!("the worker cannot start: {error}"));
            End::Leave { code: 1 }
        }
    }
}

impl Worker {
    fn new(identity: Identity, context: Context) -> std::io::Result<Self> {
        let Identity { worker: id, generation, manager, manager_life, cpu, blocked } = identity;
        let segment = context.segment;
        let killed_with_manager = process::die_with(manager_life.as_fd()).ok();
        if let Some(cpu) = cpu {
            if let Err(error) = rotor_sys::affinity::pin_to(cpu) {
                context.log.warning(&format!("cannot run on CPU {cpu} (open_cpu_affinity): {error}"));
            }
        } else {
            // A worker that interrupts the reactor which has just woken it finds one message; if it waits for the
            // reactor to finish its round, it finds them all. A pinned pair takes turns anyway. Where the kernel does
            // not allow it, it costs a little more, and nothing else.
            let _ = rotor_sys::affinity::interrupt_nobody();
        }
        // Under another root there may be no /proc to look into.
        let recycling = Recycling::of(&context.settings)?;
        crate::identity::take_on(&context)?;
        process::die_with_parent()?;
        if process::parent_id() != manager {
            return Err(std::io::Error::other("the manager has died"));
        }
        let signals = Signals::begin()?;
        signals.note(SIGTERM)?;
        for signal in [SIGINT, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2] {
            signals.ignore(signal)?;
        }
        signals.default(SIGCHLD)?;
        // Without it a crash explains less, and nothing else.
        let _ = rotor_sys::crash::tell_in(&segment.seat(id, seat_of(generation)).crash, segment.manager_bell().as_fd());
        rotor_sys::trace::allow(manager);
        let reopen = rotor_sys::signal::sigrtmin();
        signals.note(reopen)?;
        signals.note(SIGWINCH)?;
        blocked.end_hearing();
        let epoll = Epoll::new()?;
        epoll.add(signals.as_fd(), 0, Interest::ReadEdge)?;
        epoll.add(manager_life.as_fd(), LIFE, Interest::ReadLevel)?;
        let ticker = Ticker::every(IDLE_LOOK)?;
        epoll.add(ticker.as_fd(), TICK, Interest::ReadEdge)?;
        let seat_number = seat_of(generation);
        epoll.add(segment.seat_bell(id, seat_number).as_fd(), 0, Interest::ReadEdge)?;
        segment.protect()?;
        let seat = segment.seat(id, seat_number);
        let outlets = Outlets::of_worker(segment, id, seat_number)?;
        Ok(Self {
            segment,
            sessions: segment.sessions(),
            process: Process::of_worker(id, seat_number, context.clone(), outlets),
            id,
            generation,
            slot: segment.slot(id),
            seat,
            epoll,
            events: Events::with_capacity(8),
            signals,
            sleeper: Sleeper::attach(&seat.sleep),
            ticker,
            _manager_life: manager_life,
            _killed_with_manager: killed_with_manager,
            inbox: None,
            recycling,
            self_look: None,
            listens_connect: Vec::new(),
            listens_close: Vec::new(),
            counts_messages: context.settings.dispatch_mode.counts_messages(),
            giver: context.settings.dispatch_mode.is_idle().then(|| segment.giver()),
            drops_late: context.settings.dispatch_mode.keeps_worker() || context.settings.discard_timeout_request,
            context,
        })
    }

    fn live(&mut self, host: &mut dyn Host) -> End {
        let ports = 0..u16::try_from(self.context.ports.len()).unwrap_or(u16::MAX);
        self.listens_connect = ports.clone().map(|port| host.listens(EventKind::Connect, port)).collect();
        self.listens_close = ports.map(|port| host.listens(EventKind::Close, port)).collect();
        host.entered(Role::EventWorker(self.id), self.process.clone());
        let end = match host.call(Event::WorkerStart(self.id)) {
            Outcome::Returned => self.serve(host),
            Outcome::Threw => {
                self.context.log.error("onWorkerStart threw: the worker cannot start");
                End::Leave { code: 1 }
            }
            Outcome::Ended(end) => end,
        };
        self.process.flush();
        self.context.log.settle();
        host.left();
        end
    }

    fn serve(&mut self, host: &mut dyn Host) -> End {
        self.look_at_itself_if_wanted(host);
        self.seat.set_state(SeatState::Ready);
        self.segment.manager_bell().write();
        self.context.log.notice(&format!("ready; generation={}", self.generation));
        if let Some(wrong) = self.recycling.as_mut().and_then(|recycling| recycling.begin(monotonic_ns())) {
            self.context.log.warning(&wrong);
        }
        loop {
            let next = match self.turn(host) {
                Ok(next) => next,
                Err(broken) => {
                    self.context.log.error(&format!("{broken}; the worker ends"));
                    return End::Leave { code: 1 };
                }
            };
            match next {
                Next::Go => {}
                Next::Idle => {
                    if let Some(end) = self.wait() {
                        return end;
                    }
                    self.look_at_itself_if_wanted(host);
                }
                Next::Leave => return self.leave(host),
                Next::End(end) => return end,
            }
        }
    }

    /// The manager may not look into this process, and wants it to tell of itself.
    fn look_at_itself_if_wanted(&mut self, host: &dyn Host) {
        if self.seat.self_look.is_wanted() && self.self_look.is_none() {
            match SelfLook::start(&self.context, self.id, seat_of(self.generation), host) {
                Ok(look) => self.self_look = Some(look),
                Err(error) => {
                    // It is not tried again.
                    self.seat.self_look.set_ready();
                    self.context.log.warning(&format!("the worker cannot look at itself: {error}"));
                }
            }
        }
    }

    fn turn(&mut self, host: &mut dyn Host) -> Result<Next, Broken> {
        if let Outcome::Ended(end) = host.interrupt() {
            return Ok(Next::End(end));
        }
        if self.signals.any() {
            let arrived = self.signals.take();
            if arrived.has(SIGTERM) {
                self.ask_for_successor("SIGTERM");
            }
            if arrived.has(SIGWINCH) || arrived.has(rotor_sys::signal::sigrtmin()) {
                self.context.log.reopen();
            }
        }
        if self.inbox.is_none() {
            if self.slot.owner().current() != self.generation {
                let is_leaving = self.seat.is_asked_to_leave() && self.is_draining();
                return Ok(if is_leaving { Next::Leave } else { Next::Idle });
            }
            self.take_over()?;
        } else if let Owner::Offered { from, to } = self.slot.owner()
            && from == self.generation
            && self.hand_over(to)
        {
            return Ok(Next::Leave);
        }
        self.take_record(host)
    }

    /// This process owns the inbox now. Whoever had it before may have fetched bits and rung bells for it.
    fn take_over(&mut self) -> Result<(), Broken> {
        let lanes =
            (0..self.segment.reactors()).map(|reactor| self.segment.inward_consumer(reactor, self.id)).collect();
        let inbox = Inbox {
            lanes,
            marks: self.segment.slot_marks(self.id),
            sleeper: Sleeper::attach(&self.slot.sleep),
            next: 0,
        };
        let added = self.epoll.add(self.segment.slot_bell(self.id).as_fd(), 0, Interest::ReadEdge);
        added.map_err(|_| Broken {
            what: "a slot's bell cannot be heard by generation",
            found: self.generation.into(),
        })?;
        self.inbox = Some(inbox);
        self.seat.set_state(SeatState::Idle);
        if let Some(giver) = &mut self.giver {
            giver.enter(&self.slot.idle);
        }
        Ok(())
    }

    /// Gives the inbox to the successor, with everything posted and woken.
    fn hand_over(&mut self, successor: Generation) -> bool {
        self.process.flush();
        if !self.slot.commit(self.generation, successor) {
            return false;
        }
        if let Some(recycling) = &self.recycling {
            add(&self.seat.counters.overshoot, recycling.overshoot(self.seat.requests_here.load(Relaxed)));
        }
        // The successor's own loop watches the bell from now on.
        let _ = self.epoll.remove(self.segment.slot_bell(self.id).as_fd());
        self.inbox = None;
        rotor_ipc::wake::fence_after_publishing();
        self.segment.seat_bell(self.id, seat_of(successor)).write();
        self.segment.manager_bell().write();
        self.context.log.notice(&format!("handed over; successor={successor}"));
        true
    }

    fn take_record(&mut self, host: &mut dyn Host) -> Result<Next, Broken> {
        let Some(inbox) = &mut self.inbox else { return Ok(Next::Idle) };
        loop {
            let Some(reactor) = inbox.marks.next(inbox.next) else {
                inbox.marks.look();
                if !inbox.marks.any_pending() || !has_record(inbox)? {
                    break;
                }
                continue;
            };
            let lane = &mut inbox.lanes[reactor];
            let mut limit = lane.tail_seen();
            if lane.is_empty() {
                limit = lane.refresh()?;
            }
            if let Some(record) = lane.peek(limit)? {
                inbox.next = (reactor + 1) % inbox.lanes.len();
                return self.on_record(reactor, &record, host);
            }
            inbox.marks.clear(reactor);
        }
        let is_drained = self.is_draining()
            && self.inbox.as_ref().is_some_and(|inbox| inbox.lanes.iter().all(lane::Consumer::is_drained));
        Ok(if is_drained { Next::Leave } else { Next::Idle })
    }

    /// Asks for a successor once it has served, grown or lived long enough.
    fn look_at_itself(&mut self, now_ns: u64) {
        if let Some(recycling) = &mut self.recycling
            && let Some(why) = recycling.due(self.seat.requests_here.load(Relaxed), now_ns)
        {
            self.segment.header().recycled.fetch_add(1, Relaxed);
            self.ask_for_successor(&why);
        }
    }

    fn ask_for_successor(&self, why: &str) {
        self.context.log.notice(&format!("asks for a successor: {why}"));
        self.seat.ask_to_leave();
        self.segment.manager_bell().write();
    }

    fn is_draining(&self) -> bool {
        self.segment.header().phase.load(Relaxed) >= phase::DRAINING
    }

    /// Sleeps until there is something to do. `Some`: the process has to end.
    fn wait(&mut self) -> Option<End> {
        self.process.flush();
        let is_owner = self.inbox.is_some();
        if is_owner && self.seat.state() != SeatState::Idle {
            self.seat.set_state(SeatState::Idle);
        }
        self.sleeper.announce();
        if let Some(inbox) = &mut self.inbox {
            inbox.sleeper.announce();
        }
        fence_after_announcing();
        let timeout = if self.has_something() {
            Some(Duration::ZERO)
        } else if !is_owner {
            Some(SUCCESSOR_SLEEP)
        } else {
            None
        };
        if timeout != Some(Duration::ZERO) {
            // The only error is an interrupt, which leaves no events.
            let _ = self.epoll.wait(&mut self.events, timeout);
        }
        if let Some(inbox) = &mut self.inbox {
            inbox.sleeper.awake();
        }
        self.sleeper.awake();
        if timeout == Some(Duration::ZERO) {
            return None;
        }
        if self.events.iter().any(|event| event.token() == TICK) && self.ticker.heard() {
            let now_ns = monotonic_ns();
            self.process.sweep(now_ns);
            self.context.log.tick();
            if is_owner {
                self.look_at_itself(now_ns);
            }
        }
        if self.events.iter().any(|event| event.token() == LIFE) {
            self.context.log.error("the manager has died; the worker ends");
            return Some(End::Leave { code: 1 });
        }
        None
    }

    /// Whether there is something to do; asked after announcing the sleep.
    fn has_something(&mut self) -> bool {
        if self.signals.any() {
            return true;
        }
        match &mut self.inbox {
            Some(inbox) => {
                inbox.marks.look();
                // A damaged lane is something: the next turn says so.
                has_record(inbox).unwrap_or(true) || matches!(self.slot.owner(), Owner::Offered { .. })
            }
            None => self.slot.owner().current() == self.generation,
        }
    }
}

/// Whether any lane has a record.
fn has_record(inbox: &mut Inbox) -> Result<bool, Broken> {
    for reactor in 0..inbox.lanes.len() {
        if !inbox.marks.is_pending(reactor) {
            continue;
        }
        let limit = inbox.lanes[reactor].refresh()?;
        if inbox.lanes[reactor].peek(limit)?.is_some() {
            return Ok(true);
        }
        inbox.marks.clear(reactor);
    }
    Ok(false)
}

fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Relaxed) + count, Relaxed);
}
