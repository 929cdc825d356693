//! The worker table: slots, their seats, who owns a slot's inbox, and what each process has in hand.
//!
//! A slot has two seats, named by the lowest bit of the generation; at most one process lives in each. The slot's
//! *owner word* says which generation takes from the inbox: `owned(a)`, or `owned(a)` with an offer to `b`. The
//! manager offers and withdraws, the owner commits, each by one CAS, so that exactly one of them wins.

mod hand;
mod self_look;

use rotor_sys::crash::Story;

use crate::idle::IdleWord;
use crate::sync::{AtomicI32, AtomicU32, AtomicU64, Ordering, Padded, Shared, Step, step};
use crate::wake::SleepWord;

pub use hand::{Extension, Held, InHand};
pub use self_look::{Question, SelfLook};

/// Counts the processes of a slot; its lowest bit is the seat. 0 is no process.
pub type Generation = u32;

/// The seat of a generation.
pub fn seat_of(generation: Generation) -> usize {
    (generation & 1) as usize
}

/// What a slot has beside its seats.
#[repr(C)]
#[derive(Debug, Default)]
pub struct SlotEntry {
    owner: AtomicU64,
    /// Recovery has counted up: look at all lanes of the inbox.
    pub rescan: AtomicU64,
    /// Its processes keep dying, and none is ready: not 0.
    shunned: AtomicU64,
    /// Messages of its inbox that are done with, counted where the dispatcher asks for it.
    pub done: Done,
    /// The owner sleeps: for what arrives in the inbox.
    pub sleep: Padded<SleepWord>,
    /// Whether the owner has something to do, where reactors ask before they post.
    pub idle: Padded<IdleWord>,
}

// SAFETY: repr(C), atomics only, zero is a slot without an owner.
unsafe impl Shared for SlotEntry {}

/// How many messages of a slot's inbox are done with, whichever of its processes had them in hand: exact, at whatever
/// instruction one of them dies.
#[repr(C)]
#[derive(Debug, Default)]
pub struct Done {
    /// Written before a message comes into the hand: the count with it.
    taking: AtomicU64,
    count: AtomicU64,
}

// SAFETY: repr(C), atomics only.
unsafe impl Shared for Done {}

impl Done {
    /// Owner, before it notes a message as in hand.
    pub fn begin(&self) {
        self.taking.store(self.count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Owner, or the manager for an owner that died with a message in hand: that message is done with.
    pub fn end(&self) {
        self.count.store(self.taking.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

/// What the owner word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// One generation takes from the inbox; 0: nobody yet.
    Owned(Generation),
    /// It does, and may hand over to the other.
    Offered {
        /// Who takes until it commits.
        from: Generation,
        /// Who takes from then on.
        to: Generation,
    },
}

impl Owner {
    fn encode(self) -> u64 {
        match self {
            Self::Owned(generation) => u64::from(generation),
            Self::Offered { from, to } => u64::from(from) | u64::from(to) << 32,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "two halves of the word")]
    fn decode(word: u64) -> Self {
        match (word as u32, (word >> 32) as u32) {
            (generation, 0) => Self::Owned(generation),
            (from, to) => Self::Offered { from, to },
        }
    }

    /// Who takes from the inbox now.
    pub fn current(self) -> Generation {
        match self {
            Self::Owned(generation) | Self::Offered { from: generation, .. } => generation,
        }
    }
}

impl SlotEntry {
    /// Manager: whether the slot waits for a process that gets ready, after others that died early.
    pub fn shun(&self, is_shunned: bool) {
        self.shunned.store(is_shunned.into(), Ordering::Relaxed);
    }

    /// Whether new work is better given to another slot.
    pub fn is_shunned(&self) -> bool {
        self.shunned.load(Ordering::Relaxed) != 0
    }

    /// What the owner word says now.
    pub fn owner(&self) -> Owner {
        // Pairs with the Release of a commit: what the former owner did with the inbox is over.
        Owner::decode(self.owner.load(Ordering::Acquire))
    }

    /// Gives the inbox to a slot's first process, or to the next after a crash. Only the manager does this, when
    /// no owner lives.
    pub fn appoint(&self, generation: Generation) {
        self.owner.store(Owner::Owned(generation).encode(), Ordering::Release);
    }

    /// Manager: offers the inbox of `from` to `to`, which is ready.
    pub fn offer(&self, from: Generation, to: Generation) -> bool {
        self.change(Owner::Owned(from), Owner::Offered { from, to })
    }

    /// Owner, between two callbacks, with all its posts published: hands over. From here on it touches neither
    /// the inbox nor the slot's sleep word.
    pub fn commit(&self, from: Generation, to: Generation) -> bool {
        let committed = self.change(Owner::Offered { from, to }, Owner::Owned(to));
        if committed {
            step(Step::Committed);
        }
        committed
    }

    /// Manager: takes an offer back.
    pub fn withdraw(&self, from: Generation, to: Generation) -> bool {
        self.change(Owner::Offered { from, to }, Owner::Owned(from))
    }

    /// Manager, after it has reaped `dead`: settles an offer in which it took part and says who owns the inbox
    /// now, which may be the dead one itself. Where it died with its offer open, the successor takes from here on:
    /// what it had in hand is settled before.
    pub fn settle(&self, dead: Generation) -> Generation {
        match self.owner() {
            Owner::Owned(generation) => generation,
            // The old one died with the offer open: the successor is ready, so it owns.
            Owner::Offered { from, to } if from == dead => {
                self.change(Owner::Offered { from, to }, Owner::Owned(to));
                to
            }
            // The successor died: the old one keeps the inbox, unless it has just committed.
            Owner::Offered { from, to } if to == dead => {
                if self.withdraw(from, to) {
                    from
                } else {
                    self.owner().current()
                }
            }
            Owner::Offered { from, .. } => from,
        }
    }

    fn change(&self, from: Owner, to: Owner) -> bool {
        self.owner.compare_exchange(from.encode(), to.encode(), Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// What a process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum SeatState {
    /// There is no process.
    Empty = 0,
    /// Forked, not yet ready.
    Starting = 1,
    /// Ready, and waits to be given the inbox.
    Ready = 2,
    /// Owns the inbox and has nothing to do.
    Idle = 3,
    /// In a callback.
    Busy = 4,
    /// Has handed over or was asked to end, and finishes what is pending.
    Leaving = 5,
}

impl SeatState {
    fn parse(value: u32) -> Self {
        match value {
            1 => Self::Starting,
            2 => Self::Ready,
            3 => Self::Idle,
            4 => Self::Busy,
            5 => Self::Leaving,
            _ => Self::Empty,
        }
    }
}

/// Counters of one process, written by it alone. They go on from one process of the seat to the next.
#[repr(C)]
#[derive(Debug, Default)]
pub struct SeatCounters {
    /// Messages whose callback has returned or thrown.
    pub requests: AtomicU64,
    /// `send` calls that were accepted.
    pub responses: AtomicU64,
    /// Records taken whose session was gone.
    pub dropped: AtomicU64,
    /// Messages larger than the memory limit leaves room for.
    pub refused: AtomicU64,
    /// Callbacks that threw.
    pub exceptions: AtomicU64,
    /// Times it waited for room in a lane.
    pub waits: AtomicU64,
    /// Messages taken beyond `max_request`, before the successor was ready.
    pub overshoot: AtomicU64,
    /// `send` calls that found a connection's output queue too full.
    pub overflows: AtomicU64,
    /// `send` calls that have waited for such a queue.
    pub send_waits: AtomicU64,
}

// SAFETY: repr(C), atomics only.
unsafe impl Shared for SeatCounters {}

/// One of a slot's two places for living processes.
#[repr(C)]
#[derive(Debug, Default)]
pub struct SeatEntry {
    pid: AtomicI32,
    state: AtomicU32,
    generation: AtomicU32,
    leave: AtomicU32,
    started_ns: AtomicU64,
    leave_since_ns: AtomicU64,
    /// Requests since this process started.
    pub requests_here: AtomicU64,
    /// What it works on.
    pub in_hand: InHand,
    /// How long that may take.
    pub extension: Extension,
    /// What it says when it crashes.
    pub crash: Story,
    /// What it shall find out about itself.
    pub self_look: SelfLook,
    /// Its counters.
    pub counters: Padded<SeatCounters>,
    /// It sleeps: for room in a lane, for an offer, for the inbox it owns.
    pub sleep: Padded<SleepWord>,
}

// SAFETY: repr(C), atomics only, zero is an empty seat.
unsafe impl Shared for SeatEntry {}

impl SeatEntry {
    /// Manager: a process of this generation is about to be forked.
    pub fn begin(&self, generation: Generation, now_ns: u64) {
        self.in_hand.clear();
        self.crash.begin();
        self.self_look.begin();
        self.leave.store(0, Ordering::Relaxed);
        self.leave_since_ns.store(0, Ordering::Relaxed);
        self.started_ns.store(now_ns, Ordering::Relaxed);
        self.requests_here.store(0, Ordering::Relaxed);
        self.generation.store(generation, Ordering::Relaxed);
        self.set_state(SeatState::Starting);
    }

    /// Manager: the process is reaped and recovered.
    pub fn end(&self) {
        self.pid.store(0, Ordering::Relaxed);
        self.crash.begin();
        self.in_hand.clear();
        self.set_state(SeatState::Empty);
    }

    /// The process's number; 0: none.
    pub fn pid(&self) -> i32 {
        self.pid.load(Ordering::Relaxed)
    }

    /// Notes the process's number.
    pub fn set_pid(&self, pid: i32) {
        self.pid.store(pid, Ordering::Relaxed);
    }

    /// The generation of the process in it, or of the last one.
    pub fn generation(&self) -> Generation {
        self.generation.load(Ordering::Relaxed)
    }

    /// When the process started (monotonic ns).
    pub fn started_ns(&self) -> u64 {
        self.started_ns.load(Ordering::Relaxed)
    }

    /// What the process is doing.
    pub fn state(&self) -> SeatState {
        SeatState::parse(self.state.load(Ordering::Acquire))
    }

    /// Says what the process is doing.
    pub fn set_state(&self, state: SeatState) {
        self.state.store(state as u32, Ordering::Release);
    }

    /// Asks the process to give up its slot and end.
    pub fn ask_to_leave(&self) {
        self.leave.store(1, Ordering::Release);
    }

    /// Manager: from now on (monotonic ns) it has `max_wait_time` to be gone.
    pub fn leave_by(&self, now_ns: u64) {
        self.leave_since_ns.store(now_ns, Ordering::Relaxed);
    }

    /// When the manager has last told it to go; 0: not yet.
    pub fn leave_since_ns(&self) -> u64 {
        self.leave_since_ns.load(Ordering::Relaxed)
    }

    /// Whether the process was asked to end.
    pub fn is_asked_to_leave(&self) -> bool {
        self.leave.load(Ordering::Acquire) != 0
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::record::Kind;

    #[test]
    fn an_offer_is_committed_or_withdrawn_and_never_both() {
        let slot = SlotEntry::default();
        slot.appoint(2);
        assert!(slot.offer(2, 3));
        assert!(!slot.offer(2, 5), "one offer at a time");
        assert!(slot.commit(2, 3));
        assert!(!slot.withdraw(2, 3));
        assert_eq!(slot.owner(), Owner::Owned(3));
    }

    #[test]
    fn a_message_is_counted_once_wherever_its_process_dies() {
        let done = Done::default();
        done.begin();
        assert_eq!(done.count(), 0);
        done.end();
        // Killed between the count and the clearing of its hand: recovery counts the same message.
        done.end();
        assert_eq!(done.count(), 1);
        // Killed before it was in hand: the next process begins anew.
        done.begin();
        done.begin();
        done.end();
        assert_eq!(done.count(), 2);
    }

    #[test]
    fn what_is_in_hand_may_take_as_long_as_it_has_said_itself() {
        let seat = SeatEntry::default();
        let held = Held { lane: 1, kind: Kind::Receive, position: 7, session: 3, since_ns: 100 };
        seat.in_hand.set(&held);
        assert_eq!((seat.in_hand.look(), seat.extension.of(100)), (Some(held), None));
        seat.extension.set(100, 900);
        seat.extension.set(100, 800);
        assert_eq!(seat.extension.of(100), Some(800));
        let next = Held { position: 8, since_ns: 101, ..held };
        seat.in_hand.set(&next);
        assert_eq!((seat.in_hand.look(), seat.extension.of(101)), (Some(next), None), "the next record has not");
        seat.in_hand.clear();
        assert_eq!(seat.in_hand.look(), None);
    }

    #[test]
    fn a_process_that_can_is_asked_again_about_the_same_record() {
        let seat = SeatEntry::default();
        seat.begin(2, 0);
        assert!(!seat.self_look.is_wanted());
        seat.self_look.want();
        assert!(seat.self_look.is_wanted() && !seat.self_look.is_ready());
        seat.self_look.set_ready();
        seat.self_look.want();
        assert!(!seat.self_look.is_wanted() && seat.self_look.is_ready());
        assert_eq!(seat.self_look.question(), None);
        let first = seat.self_look.ask(100, false);
        assert_eq!(seat.self_look.question(), Some(Question { number: first, since_ns: 100, time_is_over: false }));
        seat.self_look.answer(first);
        let second = seat.self_look.ask(100, true);
        assert!(seat.self_look.is_answered(first) && !seat.self_look.is_answered(second));
        seat.begin(4, 0);
        assert!(
            !seat.self_look.is_ready() && seat.self_look.question().is_none(),
            "the next process has nothing of it"
        );
    }

    #[test]
    fn after_a_death_the_inbox_belongs_to_whoever_can_take_from_it() {
        let slot = SlotEntry::default();
        slot.appoint(2);
        assert_eq!(slot.settle(2), 2, "the dead one owned it");
        slot.offer(2, 3);
        assert_eq!(slot.settle(2), 3, "the old one died with the offer open");
        assert_eq!(slot.owner(), Owner::Owned(3));
        slot.offer(3, 4);
        assert_eq!(slot.settle(4), 3, "the successor died");
        assert_eq!(slot.owner(), Owner::Owned(3));
        slot.offer(3, 4);
        slot.commit(3, 4);
        assert_eq!(slot.settle(4), 4, "the successor died after the commit: it owned");
    }
}
