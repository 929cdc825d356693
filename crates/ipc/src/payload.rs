//! Payload blocks: room for large bytes outside the lanes, and ranges of a spill file for what fits in no block.
//!
//! A pool belongs to one producer. Each block has a state word that changes by CAS on the whole:
//!
//! ```text
//! free ─ the owner takes it ─► filling ─ position known ─► posted(consumer, position) ─┬─ consumer copied ─► free
//!                                                                                      └─ reactor sends from it ─► kept ─► free
//! ```
//!
//! The word says *posted* with the record's position before the record is published, and the consumer moves its
//! head before it frees. So after a death every block can be told apart: a dead producer's that is filling, or
//! posted at or past the published tail, was never seen; a dead consumer's that is posted before the head was
//! taken and never freed.

#[cfg(not(loom))]
mod pool;
#[cfg(not(loom))]
mod view;

use crate::sync::{AtomicU64, Ordering, Shared, Step, step};

#[cfg(not(loom))]
pub use pool::{Filling, Pool};
#[cfg(not(loom))]
pub use view::{BlockClass, Kept, Payload, PoolLayout, PoolView, Reference};

/// What a block's state word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockState {
    /// The pool's owner, or whoever punches it out, may take it.
    Free,
    /// Its owner writes to it.
    Filling,
    /// It belongs to the record at `position` of the owner's lane to `consumer`.
    Posted {
        /// The number of the consumer among those the owner posts to.
        consumer: u16,
        /// The record's position, modulo 2^49.
        position: u64,
    },
    /// A reactor sends from it; the record is gone from the lane.
    Kept,
}

/// The shared word of a block.
#[repr(transparent)]
#[derive(Debug, Default)]
pub struct StateWord(AtomicU64);

// SAFETY: a transparent wrapper of an atomic; zero is a free block.
unsafe impl Shared for StateWord {}

/// Positions are multiples of eight, and so many bits of them divided by eight fit beside tag and consumer.
const POSITION_BITS: u32 = 46;

impl BlockState {
    const TAGS: u64 = 3;

    fn encode(self) -> u64 {
        match self {
            Self::Free => 0,
            Self::Filling => 1,
            Self::Kept => 3,
            Self::Posted { consumer, position } => 2 | u64::from(consumer) << 2 | (position / 8) << 18,
        }
    }

    fn decode(word: u64) -> Self {
        match word & Self::TAGS {
            0 => Self::Free,
            1 => Self::Filling,
            2 => {
                let consumer = (word >> 2 & 0xffff) as u16;
                Self::Posted { consumer, position: (word >> 18) * 8 }
            }
            _ => Self::Kept,
        }
    }
}

/// Whether the position kept in a state word lies before `limit`, a position of the same lane less than 2^48 away.
pub fn is_before(position: u64, limit: u64) -> bool {
    let distance = (limit / 8).wrapping_sub(position / 8) & ((1 << POSITION_BITS) - 1);
    distance != 0 && distance < 1 << (POSITION_BITS - 1)
}

impl StateWord {
    /// What it says now.
    pub fn load(&self) -> BlockState {
        BlockState::decode(self.0.load(Ordering::Acquire))
    }

    /// Changes it if it says exactly `from`.
    pub fn change(&self, from: BlockState, to: BlockState) -> bool {
        // Release: what was written to the block, or that it is no longer read, is over before the change is
        // seen. Acquire: the same for the one that takes it.
        self.0.compare_exchange(from.encode(), to.encode(), Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Takes a free block for filling.
    pub fn take(&self) -> bool {
        let taken = self.change(BlockState::Free, BlockState::Filling);
        if taken {
            step(Step::BlockFilling);
        }
        taken
    }

    /// Ties a filling block to the record that is about to be published.
    pub fn post(&self, consumer: u16, position: u64) {
        let changed = self.change(BlockState::Filling, BlockState::Posted { consumer, position });
        debug_assert!(changed, "only a filling block is posted");
        step(Step::BlockPosted);
    }

    /// Frees what was posted for the record at `position`, after the head has moved past it.
    pub fn free_posted(&self, consumer: u16, position: u64) -> bool {
        let freed = self.change(BlockState::Posted { consumer, position }, BlockState::Free);
        step(Step::BlockFreed);
        freed
    }

    /// Frees it if a dead producer held it: filling, or posted at or past the tail that was published.
    pub fn free_unpublished(&self, published: impl Fn(u16) -> u64) -> bool {
        match self.load() {
            BlockState::Filling => self.change(BlockState::Filling, BlockState::Free),
            posted @ BlockState::Posted { consumer, position } if !is_before(position, published(consumer)) => {
                self.change(posted, BlockState::Free)
            }
            BlockState::Posted { .. } | BlockState::Free | BlockState::Kept => false,
        }
    }

    /// Frees it if the dead `consumer` held it: posted to it, before its head. What is to be done before that is done
    /// while it is still the dead one's.
    pub fn free_taken(&self, dead: u16, head: u64, before: impl FnOnce()) -> bool {
        match self.load() {
            posted @ BlockState::Posted { consumer, position } if consumer == dead && is_before(position, head) => {
                before();
                self.change(posted, BlockState::Free)
            }
            BlockState::Posted { .. } | BlockState::Filling | BlockState::Free | BlockState::Kept => false,
        }
    }
}

/// A range of the producer's spill file; the state word is a block's.
#[repr(C)]
#[derive(Debug, Default)]
pub struct SpillEntry {
    state: StateWord,
    offset: AtomicU64,
    len: AtomicU64,
}

// SAFETY: repr(C), atomics only, zero is a free entry.
unsafe impl Shared for SpillEntry {}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_state_word_keeps_consumer_and_position() {
        for state in [
            BlockState::Free,
            BlockState::Filling,
            BlockState::Kept,
            BlockState::Posted { consumer: u16::MAX, position: (1 << 49) - 8 },
            BlockState::Posted { consumer: 0, position: 0 },
        ] {
            assert_eq!(BlockState::decode(state.encode()), state);
        }
    }

    #[test]
    fn positions_are_compared_across_the_wrap_of_the_word() {
        assert!(is_before(0, 8) && !is_before(8, 8) && !is_before(16, 8));
        let wrap = 1 << 49;
        assert!(is_before(wrap - 8, wrap + 8), "the word keeps wrap - 8, the lane is past the wrap");
        assert!(!is_before(0, wrap - 8), "the word keeps the position wrap as 0, the lane is before it");
    }
}
