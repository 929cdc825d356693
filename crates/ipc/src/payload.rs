//! Payload blocks: room for large bytes outside the lanes, and ranges of a spill file for what fits in no block.
//!
//! A pool belongs to one producer. Each block has a state word that changes by CAS on the whole:
//!
//! ```text
//! free ─ the owner takes it ─► filling ─ position known ─► posted(consumer, position) ─┬─ consumer copied ─► free
//!                                  │                                                   └─ reactor sends from it ─► kept ─► free
//!                                  └─ readers known ─► shared(readers) ─ the last of them is done ─► free
//! ```
//!
//! The word says *posted* with the record's position before the record is published, and the consumer moves its
//! head before it frees. So after a death every block can be told apart: a dead producer's that is filling, or
//! posted at or past the published tail, was never seen; a dead consumer's that is posted before the head was
//! taken and never freed.
//!
//! A block that is *shared* has one bit for each reactor that reads it, in the word itself, so that the last one to go
//! frees it by the very change with which it goes. Beside the word stands, for each reader, where its record lies: written
//! before that record is published, and forgotten before the block is shared. After the producer's death a reader whose
//! place is not written, or lies at or past the published tail, will never know of the block, and its bit is taken away.

#[cfg(not(loom))]
mod pool;
#[cfg(not(loom))]
mod view;

use crate::sync::{self, AtomicU64, Ordering, Step, step};

#[cfg(not(loom))]
pub use pool::Sharing;
#[cfg(not(loom))]
pub use pool::{Filling, Pool};
#[cfg(not(loom))]
pub use view::{BlockClass, Kept, Payload, PoolLayout, PoolView, Reference, Shared};

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
    /// Several reactors read it or are about to.
    Shared {
        /// A bit for each that is not done with it; never none.
        readers: u64,
    },
}

/// The shared word of a block.
#[repr(transparent)]
#[derive(Debug, Default)]
pub struct StateWord(AtomicU64);

// SAFETY: a transparent wrapper of an atomic; zero is a free block.
unsafe impl sync::Shared for StateWord {}

/// Positions are multiples of eight, and so many bits of them divided by eight fit beside tag and consumer.
const POSITION_BITS: u32 = 46;

impl BlockState {
    const TAGS: u64 = 3;

    fn encode(self) -> u64 {
        match self {
            Self::Free => 0,
            Self::Filling => 1,
            Self::Kept => 3,
            Self::Shared { readers } => 3 | readers << 2,
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
            _ if word >> 2 == 0 => Self::Kept,
            _ => Self::Shared { readers: word >> 2 },
        }
    }
}

/// So many readers fit into a word beside the tag.
pub const MOST_READERS: usize = 62;

/// Where the records lie that tell the readers of a shared block of it: the number of the first reader, then a position
/// for each.
#[derive(Clone, Copy, Debug)]
pub struct Places(&'static [AtomicU64]);

/// Of a record that is not written, and of one that will never be: behind every tail.
const NOWHERE: u64 = u64::MAX;

impl Places {
    /// Words for one block: [`Self::words`] of them, or none where it is never shared.
    pub fn new(words: &'static [AtomicU64]) -> Self {
        Self(words)
    }

    /// How many words a block needs that up to so many can read.
    pub fn words(readers: usize) -> usize {
        if readers == 0 { 0 } else { 1 + readers.min(MOST_READERS) }
    }

    /// Forgets all places, for readers that are numbered from `first`.
    pub fn forget(self, first: u16) {
        let Some((begin, places)) = self.0.split_first() else { return };
        begin.store(first.into(), Ordering::Relaxed);
        for place in places {
            place.store(NOWHERE, Ordering::Relaxed);
        }
    }

    /// Notes where the record of a reader lies that is about to be published; `reader` counts from the first.
    pub fn write(self, reader: usize, position: u64) {
        if let Some(place) = self.0.get(1 + reader) {
            place.store(position, Ordering::Relaxed);
        }
        step(Step::PlaceWritten);
    }

    /// Whether the record of a reader was published, given the tail of the lane to each.
    fn was_published(self, reader: usize, published: &impl Fn(u16) -> u64) -> bool {
        let (Some(first), Some(place)) = (self.0.first(), self.0.get(1 + reader)) else { return false };
        let number = u16::try_from(first.load(Ordering::Relaxed)).ok();
        let number = number.and_then(|first| first.checked_add(u16::try_from(reader).ok()?));
        number.is_some_and(|number| place.load(Ordering::Relaxed) < published(number))
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

    /// Shares a filling block among readers, by their bits: at least one. Their places are forgotten by now.
    pub fn share(&self, readers: u64) {
        let changed = self.change(BlockState::Filling, BlockState::Shared { readers });
        debug_assert!(changed, "only a filling block is shared");
        step(Step::BlockShared);
    }

    /// A reader is done with it, or will never know of it; the last one leaves it in the state `at_last`. Says whether
    /// that is so.
    pub fn leave(&self, reader: usize, at_last: BlockState) -> bool {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let readers = match BlockState::decode(word) {
                BlockState::Shared { readers } if readers & 1 << reader != 0 => readers & !(1 << reader),
                _ => return false,
            };
            let next = if readers == 0 { at_last } else { BlockState::Shared { readers } };
            // As in `change`.
            match self.0.compare_exchange_weak(word, next.encode(), Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => {
                    step(Step::BlockLeft);
                    return readers == 0;
                }
                Err(found) => word = found,
            }
        }
    }

    /// Takes the bits of those readers away that a dead producer has not told of it.
    pub fn leave_unpublished(&self, places: Places, published: impl Fn(u16) -> u64) {
        let BlockState::Shared { readers } = self.load() else { return };
        for reader in (0..MOST_READERS).filter(|reader| readers & 1 << reader != 0) {
            if !places.was_published(reader, &published) {
                self.leave(reader, BlockState::Free);
            }
        }
    }

    /// Frees it if a dead producer held it: filling, or posted at or past the tail that was published.
    pub fn free_unpublished(&self, published: impl Fn(u16) -> u64) -> bool {
        match self.load() {
            BlockState::Filling => self.change(BlockState::Filling, BlockState::Free),
            posted @ BlockState::Posted { consumer, position } if !is_before(position, published(consumer)) => {
                self.change(posted, BlockState::Free)
            }
            BlockState::Posted { .. } | BlockState::Free | BlockState::Kept | BlockState::Shared { .. } => false,
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
            BlockState::Posted { .. }
            | BlockState::Filling
            | BlockState::Free
            | BlockState::Kept
            | BlockState::Shared { .. } => false,
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
unsafe impl sync::Shared for SpillEntry {}

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
            BlockState::Shared { readers: 1 },
            BlockState::Shared { readers: u64::MAX >> 2 },
        ] {
            assert_eq!(BlockState::decode(state.encode()), state);
        }
    }

    #[test]
    fn the_last_reader_frees_a_shared_block_and_nobody_leaves_twice() {
        let word = StateWord::default();
        assert!(word.take());
        word.share(0b101);
        assert!(!word.leave(1, BlockState::Free), "it is no reader");
        assert!(!word.leave(2, BlockState::Free));
        assert!(!word.leave(2, BlockState::Free));
        assert_eq!(word.load(), BlockState::Shared { readers: 1 });
        assert!(word.leave(0, BlockState::Kept));
        assert_eq!(word.load(), BlockState::Kept);
    }

    #[test]
    fn readers_that_a_dead_producer_has_not_told_are_taken_away() {
        let words: &'static [AtomicU64] = (0..Places::words(100)).map(|_| AtomicU64::new(0)).collect::<Vec<_>>().leak();
        let (word, places) = (StateWord::default(), Places::new(words));
        assert!(word.take());
        places.forget(62);
        word.share(0b1111);
        places.write(0, 8);
        places.write(1, 16);
        places.write(2, 24);
        // The lanes to 62 and 63 are published up to 16, the one to 64 is empty, nothing is written for 65.
        word.leave_unpublished(places, |reader| if reader < 64 { 16 } else { 0 });
        assert_eq!(word.load(), BlockState::Shared { readers: 1 });
    }

    #[test]
    fn positions_are_compared_across_the_wrap_of_the_word() {
        assert!(is_before(0, 8) && !is_before(8, 8) && !is_before(16, 8));
        let wrap = 1 << 49;
        assert!(is_before(wrap - 8, wrap + 8), "the word keeps wrap - 8, the lane is past the wrap");
        assert!(!is_before(0, wrap - 8), "the word keeps the position wrap as 0, the lane is before it");
    }
}
