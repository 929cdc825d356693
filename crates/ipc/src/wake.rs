//! Wake-ups: a counter that says whether its owner sleeps, and a bell.
//!
//! The counter is odd while its owner sleeps and only its owner writes it. Going to sleep: make it odd
//! ([`Sleeper::announce`]), fence, look once more, wait, make it even ([`Sleeper::awake`]). Waking: publish,
//! fence, read the counter; odd and not the value that was rung for last: ring ([`Waker::wake`]). Of the two
//! sides' stores at least one is seen by the other, since a fence lies between each side's store and its look.
//!
//! Producers remember the value that they rang for in private memory. A shared flag that they swapped back
//! would leave the owner deaf for ever if one died between the swap and the ring.

use crate::sync::{AtomicU64, Bell, Ordering, Shared, Step, fence, step};

/// The counter. Only its owner writes it; it never goes back, also not from one process to the next.
#[repr(transparent)]
#[derive(Debug, Default)]
pub struct SleepWord(AtomicU64);

// SAFETY: a transparent wrapper of an atomic.
unsafe impl Shared for SleepWord {}

impl SleepWord {
    /// Whether its owner sleeps, or is about to. Read after a fence that follows what the owner must see.
    pub fn is_asleep(&self) -> bool {
        self.0.load(Ordering::Relaxed) & 1 == 1
    }
}

/// The owner's side of a sleep word; one exists at a time.
#[derive(Debug)]
pub struct Sleeper {
    word: &'static SleepWord,
    count: u64,
}

impl Sleeper {
    /// Takes over the word from whoever had it, awake. Its value goes on: a producer may remember an old one.
    pub fn attach(word: &'static SleepWord) -> Self {
        let found = word.0.load(Ordering::Relaxed);
        let count = found.wrapping_add(found & 1);
        word.0.store(count, Ordering::Relaxed);
        Self { word, count }
    }

    /// Says that the owner is about to sleep. [`fence_after_announcing`] and one more look must follow.
    pub fn announce(&mut self) {
        debug_assert!(self.count.is_multiple_of(2), "a wait has a value of its own");
        self.set(self.count.wrapping_add(1));
        step(Step::Announced);
    }

    /// Says that the owner is awake.
    pub fn awake(&mut self) {
        self.set(self.count.wrapping_add(self.count & 1));
    }

    fn set(&mut self, count: u64) {
        self.count = count;
        self.word.0.store(count, Ordering::Relaxed);
    }
}

/// Orders the announcement before the look that follows it. One fence serves several announcements.
pub fn fence_after_announcing() {
    // Pairs with `fence_after_publishing`: our odd word and the producer's tail must not both be missed.
    fence(Ordering::SeqCst);
}

/// Orders what was published before the looks at sleep words that follow.
pub fn fence_after_publishing() {
    // Pairs with `fence_after_announcing`.
    fence(Ordering::SeqCst);
}

/// A producer's side of somebody's sleep word.
#[derive(Debug)]
pub struct Waker {
    word: &'static SleepWord,
    bell: &'static Bell,
    rung_for: u64,
}

impl Waker {
    /// A waker that has rung for nothing yet.
    pub fn new(word: &'static SleepWord, bell: &'static Bell) -> Self {
        Self { word, bell, rung_for: 0 }
    }

    /// Rings if the owner sleeps and was not rung for in this sleep. To be called after
    /// [`fence_after_publishing`]. Says whether it rang.
    pub fn wake(&mut self) -> bool {
        let count = self.word.0.load(Ordering::Relaxed);
        if count & 1 == 0 || count == self.rung_for {
            return false;
        }
        self.rung_for = count;
        step(Step::SleepWordSeen);
        self.bell.write();
        true
    }

    /// Rings in any case: recovery does not know what the dead had rung for.
    pub fn wake_always(&self) {
        self.bell.write();
    }
}
