//! What a process has in hand, and how long that may take.

use crate::record::Kind;
use crate::sync::{AtomicU64, Ordering, Shared, Step, fence, step};

/// The record a process is working on. The lane word is written last and cleared first.
#[repr(C)]
#[derive(Debug, Default)]
pub struct InHand {
    lane: AtomicU64,
    position: AtomicU64,
    session: AtomicU64,
    since_ns: AtomicU64,
}

// SAFETY: repr(C), atomics only, zero is an empty hand.
unsafe impl Shared for InHand {}

/// The lane word is the lane's number and one, and the record's kind from this bit on.
const KIND_SHIFT: u32 = 56;

/// What [`InHand`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The lane of the inbox, by the number of its producer.
    pub lane: usize,
    /// What the record says.
    pub kind: Kind,
    /// The record's position there.
    pub position: u64,
    /// The session it is about.
    pub session: u64,
    /// When it was taken (monotonic ns).
    pub since_ns: u64,
}

impl InHand {
    /// Notes the record that is about to be taken (P4).
    pub fn set(&self, held: &Held) {
        self.lane.store(0, Ordering::Relaxed);
        step(Step::InHandCleared);
        // Release: the fields below are not seen with the lane word of the record before.
        fence(Ordering::Release);
        self.position.store(held.position, Ordering::Relaxed);
        self.session.store(held.session, Ordering::Relaxed);
        self.since_ns.store(held.since_ns, Ordering::Relaxed);
        // Pairs with the Acquire in `get`.
        self.lane.store((held.lane as u64 + 1) | (held.kind as u64) << KIND_SHIFT, Ordering::Release);
        step(Step::InHandWritten);
    }

    /// The callback has returned.
    pub fn clear(&self) {
        self.lane.store(0, Ordering::Release);
    }

    /// What is in the hand of a living process, which may be changing it.
    pub fn look(&self) -> Option<Held> {
        let held = self.get();
        // Pairs with the fence in `set`: once any field of the next record was seen, so is that the lane word was
        // cleared before, and the second look differs.
        fence(Ordering::Acquire);
        held.filter(|held| self.get().as_ref() == Some(held))
    }

    /// What is in hand.
    pub fn get(&self) -> Option<Held> {
        let word = self.lane.load(Ordering::Acquire);
        let kind = Kind::parse(word.to_le_bytes()[7])?;
        Some(Held {
            lane: crate::to_usize((word & ((1 << KIND_SHIFT) - 1)).checked_sub(1)?),
            kind,
            position: self.position.load(Ordering::Relaxed),
            session: self.session.load(Ordering::Relaxed),
            since_ns: self.since_ns.load(Ordering::Relaxed),
        })
    }
}

/// How long the record in hand may take, as its own callback has said. It belongs to the record of the same `since_ns`
/// alone, so that nothing has to be undone when the record is done.
#[repr(C)]
#[derive(Debug, Default)]
pub struct Extension {
    since_ns: AtomicU64,
    until_ns: AtomicU64,
}

// SAFETY: repr(C), atomics only, zero belongs to no record.
unsafe impl Shared for Extension {}

impl Extension {
    /// The process: the record in hand since `since_ns` may take until `until_ns`.
    pub fn set(&self, since_ns: u64, until_ns: u64) {
        self.since_ns.store(0, Ordering::Relaxed);
        fence(Ordering::Release);
        self.until_ns.store(until_ns, Ordering::Relaxed);
        self.since_ns.store(since_ns, Ordering::Release);
    }

    /// What was said about the record in hand since `since_ns`. Between two values it is as if nothing had been said,
    /// and whoever asks asks once more before it acts.
    pub fn of(&self, since_ns: u64) -> Option<u64> {
        if self.since_ns.load(Ordering::Acquire) != since_ns {
            return None;
        }
        let until_ns = self.until_ns.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        (self.since_ns.load(Ordering::Relaxed) == since_ns).then_some(until_ns)
    }
}
