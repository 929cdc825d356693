//! How the manager has a process look at itself.

use crate::sync::{AtomicU32, AtomicU64, Ordering, Shared};

/// What a manager that may not look into a process has it find out about itself.
#[repr(C)]
#[derive(Debug, Default)]
pub struct SelfLook {
    state: AtomicU32,
    over: AtomicU32,
    since_ns: AtomicU64,
    question: AtomicU64,
    answered: AtomicU64,
}

// SAFETY: repr(C), atomics only, zero is a process of which nothing is wanted.
unsafe impl Shared for SelfLook {}

/// A question to a process: what it is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Questions to one process are counted, from 1.
    pub number: u64,
    /// When it has taken the record that is meant (monotonic ns).
    pub since_ns: u64,
    /// Whether its time for that is over.
    pub time_is_over: bool,
}

impl SelfLook {
    const WANTED: u32 = 1;
    const READY: u32 = 2;

    pub(super) fn begin(&self) {
        self.state.store(0, Ordering::Relaxed);
        self.question.store(0, Ordering::Relaxed);
        self.answered.store(0, Ordering::Relaxed);
    }

    /// Manager: the process shall be able to answer.
    pub fn want(&self) {
        // An error: it is able to already.
        let _ = self.state.compare_exchange(0, Self::WANTED, Ordering::Release, Ordering::Relaxed);
    }

    /// Process: whether it shall become able to.
    pub fn is_wanted(&self) -> bool {
        self.state.load(Ordering::Relaxed) == Self::WANTED
    }

    /// Process: it is able to.
    pub fn set_ready(&self) {
        self.state.store(Self::READY, Ordering::Release);
    }

    /// Manager: whether it is able to.
    pub fn is_ready(&self) -> bool {
        self.state.load(Ordering::Acquire) == Self::READY
    }

    /// Manager: asks about the record that the process has taken at `since_ns`, and rings afterwards. Gives the
    /// question's number.
    pub fn ask(&self, since_ns: u64, time_is_over: bool) -> u64 {
        self.over.store(time_is_over.into(), Ordering::Relaxed);
        self.since_ns.store(since_ns, Ordering::Relaxed);
        // Pairs with the Acquire in `question`. One that is asked while the last is read shows at the clock.
        self.question.fetch_add(1, Ordering::Release) + 1
    }

    /// Process: the last question.
    pub fn question(&self) -> Option<Question> {
        let number = self.question.load(Ordering::Acquire);
        (number != 0).then(|| Question {
            number,
            since_ns: self.since_ns.load(Ordering::Relaxed),
            time_is_over: self.over.load(Ordering::Relaxed) != 0,
        })
    }

    /// Process: it has told.
    pub fn answer(&self, number: u64) {
        self.answered.store(number, Ordering::Release);
    }

    /// Manager: whether it has answered this question.
    pub fn is_answered(&self, number: u64) -> bool {
        self.answered.load(Ordering::Acquire) == number
    }
}
