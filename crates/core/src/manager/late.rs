//! What the manager does about workers that take too long: it looks at what they are doing, tells, and ends those whose
//! time is over. One look in each turn of the loop, and none of them waits for long: rescue comes first.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use rotor_ipc::WorkerId;
use rotor_ipc::segment::Segment;
use rotor_ipc::sync::Ordering::{AcqRel, Relaxed};
use rotor_ipc::workers::{Generation, SeatEntry, SeatState};
use rotor_sys::clock::monotonic_ns;
use rotor_sys::process;
use rotor_sys::trace::{Hold, Pulse, may_look, waits_in};

use super::Manager;
use super::crew::{Crew, Member};
use super::watch::{Hand, Late, Watch};
use crate::host::Host;
use crate::process::{Context, PERMISSION, request};
use crate::settings::Settings;
use crate::signals::{SIGCONT, SIGKILL, SIGSTOP};
use crate::slow_log::Account;
use crate::trace::{Frame, Look, Manner, Subject};

/// Workers that take too long.
pub(super) struct Lates {
    watch: Watch,
    /// Those to look at.
    queue: VecDeque<Case>,
    /// Whose time was over when they were killed, until they are reaped.
    timed_out: Vec<TimedOut>,
    /// The process of each seat that was tried, whether it may be looked into.
    tried: Vec<Generation>,
    /// One of them could not: all that begin from now on are told to look at themselves.
    is_refused: bool,
    /// Those that were asked what they are doing.
    asked: Vec<Asked>,
}

/// A worker that looks at itself.
struct Asked {
    late: Late,
    hand: Hand,
    question: u64,
    /// It is not waited for any longer.
    until: Instant,
}

/// A worker to look at.
struct Case {
    late: Late,
    hand: Hand,
    /// The kernel has not got to it yet.
    hold: Option<Hold>,
    /// How often that was so.
    tries: u32,
}

/// A worker whose time is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TimedOut {
    hand: Hand,
    /// How long it took.
    pub(super) seconds: f64,
}

impl Lates {
    pub(super) fn new(settings: &Settings, segment: &Segment) -> Self {
        // There are no task workers yet: what is left is who sets a timeout and wants nobody traced.
        let slow = settings.request_slowlog_timeout.filter(|_| settings.trace_event_worker);
        let watch = Watch::new(slow, settings.request_timeout, 2 * segment.workers());
        let tried = vec![0; 2 * segment.workers()];
        Self { watch, queue: VecDeque::new(), timed_out: Vec::new(), tried, is_refused: false, asked: Vec::new() }
    }

    /// A process is about to be forked.
    pub(super) fn begin(&self, seat: &SeatEntry) {
        if self.is_refused {
            seat.self_look.want();
        }
    }

    /// How long the manager may wait before it looks again; `None`: for ever.
    pub(super) fn timeout(&self) -> Option<Duration> {
        if let Some(case) = self.queue.front() {
            return Some(if case.hold.is_some() { HOLD_PAUSE } else { Duration::ZERO });
        }
        let next_ns = self.watch.next_ns()?;
        let next = Duration::from_nanos(next_ns.saturating_sub(monotonic_ns()));
        let asked = self.asked.iter().map(|asked| asked.until.saturating_duration_since(Instant::now()));
        asked.chain([next]).min()
    }

    /// A process was reaped: whether its time was over.
    pub(super) fn reaped(&mut self, worker: WorkerId, seat: usize) -> Option<TimedOut> {
        let is_its = |hand: &Hand| hand.worker == worker && hand.seat == seat;
        self.queue.retain(|case| !is_its(&case.hand));
        self.asked.retain(|asked| !is_its(&asked.hand));
        let place = self.timed_out.iter().position(|timed_out| is_its(&timed_out.hand))?;
        Some(self.timed_out.swap_remove(place))
    }
}

impl Manager {
    /// Looks at the workers if it is time, and into one that is late.
    pub(super) fn look_at_lates(&mut self, host: &dyn Host) {
        let Some(next_ns) = self.lates.watch.next_ns() else { return };
        self.try_new_ones();
        self.go_on_with_asked();
        let now_ns = monotonic_ns();
        if self.context.is_asked(request::HURRY) {
            self.segment.header().requests.fetch_and(!request::HURRY, AcqRel);
            self.lates.watch.hurry();
        } else if now_ns < next_ns && self.lates.queue.is_empty() {
            return;
        }
        for (late, hand) in self.lates.watch.look(now_ns, hands(self.segment, &self.crew)) {
            let is_known = self.lates.queue.iter().any(|case| case.late == late && case.hand.held == hand.held)
                || self.lates.asked.iter().any(|asked| asked.late == late && asked.hand.held == hand.held)
                || self.lates.timed_out.iter().any(|timed_out| {
                    let known = &timed_out.hand;
                    (known.worker, known.generation) == (hand.worker, hand.generation)
                });
            if !is_known {
                self.lates.queue.push_back(Case { late, hand, hold: None, tries: 0 });
            }
        }
        if let Some(case) = self.lates.queue.pop_front() {
            self.look_into(case, host);
        }
    }

    fn look_into(&mut self, case: Case, host: &dyn Host) {
        let Case { late, hand, hold, tries } = case;
        let segment = self.segment;
        let is_there = || is_in_hand(segment, late, &hand);
        let subject = Subject { pid: hand.pid, reader: host.stack_reader(), is_there: &is_there };
        // Whose time is over is held until the signal that ends it is sent: it must not be with the next record then.
        let manner = if late == Late::TimedOut && tries < MOST_TRIES { Manner::Held } else { Manner::AsItIs };
        let look = match hold {
            Some(hold) if tries < MOST_TRIES => subject.go_on(hold, PATIENCE),
            _ => subject.look(manner, PATIENCE),
        };
        match look {
            Look::Stack { frames, hold } => {
                self.tell(late, &hand, frames, String::new(), hold.is_some());
                drop(hold);
            }
            Look::Elsewhere | Look::Over => {}
            Look::NotYet(hold) => {
                self.lates.queue.push_back(Case { late, hand, hold: Some(hold), tries: tries + 1 });
            }
            Look::Refused(error) => {
                self.note_refused(hand.worker, hand.seat, hand.pid, &error);
                self.ask(late, &hand);
            }
        }
    }

    /// Finds out who may not be looked into before it is late: it takes a moment to be able to look at itself.
    fn try_new_ones(&mut self) {
        for worker in self.segment.worker_ids() {
            for (seat, Member { pid, generation }) in self.crew.of(worker) {
                let entry = self.segment.seat(worker, seat);
                let tried = &mut self.lates.tried[worker.index() * 2 + seat];
                if *tried == generation || matches!(entry.state(), SeatState::Starting | SeatState::Empty) {
                    continue;
                }
                *tried = generation;
                if let Err(error) = may_look(pid)
                    && error.kind() == io::ErrorKind::PermissionDenied
                {
                    self.note_refused(worker, seat, pid, &error);
                }
            }
        }
    }

    /// A worker may not be looked into: it, and all that come after it, look at themselves.
    fn note_refused(&mut self, worker: WorkerId, seat: usize, pid: i32, error: &io::Error) {
        if !std::mem::replace(&mut self.lates.is_refused, true) {
            self.context.log.speaking_for(format!("worker={worker}"), pid).warning(&format!(
                "cannot be looked into: {error}; {PERMISSION}. Workers look at themselves instead, from their next wait on"
            ));
        }
        self.segment.seat(worker, seat).self_look.want();
        self.segment.seat_bell(worker, seat).write();
    }

    /// Asks a late worker what it is doing.
    fn ask(&mut self, late: Late, hand: &Hand) {
        let entry = self.segment.seat(hand.worker, hand.seat);
        if !entry.self_look.is_ready() {
            return self.tell(late, hand, Vec::new(), seen_from_outside(hand.pid), false);
        }
        let question = entry.self_look.ask(hand.held.since_ns, late == Late::TimedOut);
        self.segment.seat_bell(hand.worker, hand.seat).write();
        let until = Instant::now() + if late == Late::TimedOut { LAST_WORDS } else { ANSWER };
        self.lates.asked.push(Asked { late, hand: *hand, question, until });
    }

    /// Ends the wait for those that have told, are not late any more, or do not tell.
    fn go_on_with_asked(&mut self) {
        let now = Instant::now();
        for asked in std::mem::take(&mut self.lates.asked) {
            let Asked { late, hand, question, until } = &asked;
            let has_told = self.segment.seat(hand.worker, hand.seat).self_look.is_answered(*question);
            if !has_told && now < *until && is_in_hand(self.segment, *late, hand) {
                self.lates.asked.push(asked);
            } else if *late == Late::Slow && has_told {
                self.segment.header().slow_requests.fetch_add(1, Relaxed);
            } else if is_in_hand(self.segment, *late, hand) {
                self.tell(*late, hand, Vec::new(), seen_from_outside(hand.pid), false);
            }
        }
    }

    /// Stops a worker whose time is over and that cannot be held, so that it does not go on to the next record before it
    /// is killed. False: it has done so, and goes on.
    fn stop_late(&self, hand: &Hand) -> bool {
        let _ = process::kill(hand.pid, SIGSTOP);
        let end = Instant::now() + PATIENCE;
        while Pulse::of(hand.pid).is_ok_and(|pulse| pulse.state != 'T' && !pulse.is_over()) && Instant::now() < end {
            std::thread::sleep(STOP_PAUSE);
        }
        let is_late = is_in_hand(self.segment, Late::TimedOut, hand);
        if !is_late {
            let _ = process::kill(hand.pid, SIGCONT);
        }
        is_late
    }

    /// Tells of a late worker, and ends it if its time is over. One that is held cannot go on meanwhile.
    fn tell(&mut self, late: Late, hand: &Hand, frames: Vec<Frame>, facts: String, is_held: bool) {
        let seconds = Duration::from_nanos(monotonic_ns().saturating_sub(hand.held.since_ns)).as_secs_f64();
        let &Hand { worker, pid, .. } = hand;
        let (session, kind) = (hand.held.session, Some(hand.held.kind));
        let account = Account { worker, pid, session, seconds, kind, facts, frames };
        let Context { log, slow_log, .. } = &self.context;
        match late {
            Late::Slow => {
                self.segment.header().slow_requests.fetch_add(1, Relaxed);
                slow_log.add(&account, log);
            }
            Late::TimedOut => {
                if !is_held && !self.stop_late(hand) {
                    return;
                }
                self.segment.header().timeouts.fetch_add(1, Relaxed);
                // ESRCH: it has just ended, and is reaped next.
                let _ = process::kill(pid, SIGKILL);
                self.lates.timed_out.push(TimedOut { hand: *hand, seconds });
                let log = log.speaking_for(format!("worker={worker}"), pid);
                account.log(&log, &|log, line| log.warning(line), "killed: request_timeout is over");
            }
        }
    }
}

/// What there is to know about a process that may not be looked into.
fn seen_from_outside(pid: i32) -> String {
    let state = Pulse::of(pid).map_or('?', |pulse| pulse.state);
    let place = waits_in(pid).map_or_else(String::new, |place| format!(" in={place}"));
    format!("state={state}{place}")
}

/// What the workers have in hand.
fn hands(segment: &'static Segment, crew: &Crew) -> impl Iterator<Item = Hand> {
    segment.worker_ids().flat_map(move |worker| {
        crew.of(worker).filter_map(move |(seat, Member { pid, generation })| {
            let entry = segment.seat(worker, seat);
            let held = entry.in_hand.look()?;
            Some(Hand { worker, seat, pid, generation, held, until_ns: entry.extension.of(held.since_ns) })
        })
    })
}

/// Whether a worker is still late for the same record.
fn is_in_hand(segment: &Segment, late: Late, hand: &Hand) -> bool {
    let entry = segment.seat(hand.worker, hand.seat);
    let is_same = entry.generation() == hand.generation && entry.in_hand.look().as_ref() == Some(&hand.held);
    let has_more_time = || entry.extension.of(hand.held.since_ns).is_some_and(|until_ns| until_ns > monotonic_ns());
    is_same && !(late == Late::TimedOut && has_more_time())
}

/// For the kernel to hold a running worker, which takes less than a millisecond on a machine that is not overloaded.
const PATIENCE: Duration = Duration::from_millis(20);
/// Between two looks whether the kernel holds a worker.
const HOLD_PAUSE: Duration = Duration::from_millis(5);
/// Between two looks whether a signal has stopped a worker.
const STOP_PAUSE: Duration = Duration::from_micros(50);
/// For a worker to tell what it is doing.
const ANSWER: Duration = Duration::from_secs(1);
/// The same for one that is killed afterwards.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// A worker that cannot be held after so many is looked at, and ended, as it is: the kernel itself is at work in it.
const MOST_TRIES: u32 = 10;
