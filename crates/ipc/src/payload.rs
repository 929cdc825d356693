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

use crate::sync::{AtomicU64, Ordering, Shared, Step, step};

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

    /// Frees it if the dead `consumer` held it: posted to it, before its head.
    pub fn free_taken(&self, dead: u16, head: u64) -> bool {
        match self.load() {
            posted @ BlockState::Posted { consumer, position } if consumer == dead && is_before(position, head) => {
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

#[cfg(not(loom))]
pub use pool::{Filling, Kept, Payload, Pool, PoolLayout, PoolView, Reference};

#[cfg(not(loom))]
mod pool {
    use std::io;
    use std::mem::MaybeUninit;

    use rotor_sys::file::UnnamedFile;
    use rotor_sys::memory::{SharedBytes, SharedMemory};

    use super::{BlockState, SpillEntry, StateWord};
    use crate::record::{Header, Where};
    use crate::ring::Broken;
    use crate::sync::{Ordering, Step, step};
    use crate::to_usize;

    /// The body of a record whose bytes are elsewhere.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Reference {
        /// The number of the block, or of the spill entry, in the producer's pool.
        pub index: u64,
        /// How many bytes.
        pub len: u64,
    }

    impl Reference {
        /// As the body of a record.
        pub fn to_bytes(self) -> [u8; 16] {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&self.index.to_ne_bytes());
            bytes[8..].copy_from_slice(&self.len.to_ne_bytes());
            bytes
        }
    }

    /// Where a pool lies in the segment.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct PoolLayout {
        /// Offset of the state words.
        pub states: usize,
        /// Offset of the spill entries.
        pub spill: usize,
        /// How many spill entries.
        pub spill_count: usize,
        /// The small blocks.
        pub small: BlockClass,
        /// The large blocks.
        pub large: BlockClass,
    }

    /// Blocks of one size, one behind the other.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct BlockClass {
        /// How many.
        pub count: usize,
        /// The size of each in bytes; a multiple of the page size.
        pub size: usize,
        /// Offset of the first.
        pub data: usize,
    }

    impl PoolLayout {
        /// How many blocks there are.
        pub fn blocks(&self) -> usize {
            self.small.count + self.large.count
        }
    }

    /// Everybody's view of a pool.
    #[derive(Clone, Copy, Debug)]
    pub struct PoolView {
        memory: &'static SharedMemory,
        layout: PoolLayout,
        states: &'static [StateWord],
        spill: &'static [SpillEntry],
        file: &'static UnnamedFile,
    }

    impl PoolView {
        pub(crate) fn new(
            memory: &'static SharedMemory,
            layout: PoolLayout,
            states: &'static [StateWord],
            spill: &'static [SpillEntry],
            file: &'static UnnamedFile,
        ) -> Self {
            Self { memory, layout, states, spill, file }
        }

        /// The state words of the blocks, then those of the spill entries.
        pub fn states(&self) -> impl Iterator<Item = &'static StateWord> {
            self.states.iter().chain(self.spill.iter().map(|entry| &entry.state))
        }

        /// How many blocks are not free.
        pub fn in_use(&self) -> usize {
            self.states().filter(|state| state.load() != BlockState::Free).count()
        }

        /// Whether less than a quarter of the blocks of the class that holds `len` bytes is free.
        pub fn is_short_of(&self, len: usize) -> bool {
            let small = self.layout.small.count;
            let class = if len <= self.layout.small.size { &self.states[..small] } else { &self.states[small..] };
            is_short(class.iter())
        }

        /// Whether less than a quarter of what is like the place of `payload` is free, so that it must not stay there.
        /// What counts is where it lies: a small payload may be in a large block.
        pub fn is_short_for(&self, payload: &Payload<'_>) -> bool {
            match payload {
                Payload::Inline(_) => false,
                Payload::Spill { .. } => self.is_short_of_spill(),
                Payload::Block { state, .. } => {
                    let offset = std::ptr::from_ref(*state).addr().wrapping_sub(self.states.as_ptr().addr());
                    let (small, large) = self.states.split_at(self.layout.small.count);
                    is_short(if offset < size_of_val(small) { small.iter() } else { large.iter() })
                }
            }
        }

        /// The size of the largest blocks in bytes.
        pub fn largest_block(&self) -> usize {
            self.layout.small.size.max(self.layout.large.size)
        }

        /// Whether less than a quarter of the spill ranges is free.
        pub fn is_short_of_spill(&self) -> bool {
            is_short(self.spill.iter().map(|entry| &entry.state))
        }

        /// How many blocks and spill ranges are posted to `reader` and not given back yet.
        pub fn held_for(&self, reader: u16) -> usize {
            self.states()
                .filter(|state| matches!(state.load(), BlockState::Posted { consumer, .. } if consumer == reader))
                .count()
        }

        /// Frees what a dead producer held, given the published tail of each of its lanes.
        pub fn free_unpublished(&self, published: impl Fn(u16) -> u64) {
            for state in self.states() {
                state.free_unpublished(&published);
            }
        }

        /// Frees what a dead consumer held, given the head of the lane to it.
        pub fn free_taken(&self, dead: u16, head: u64) {
            for state in self.states() {
                state.free_taken(dead, head);
            }
        }

        /// Gives the memory of all free blocks back, and the disk space of the spill file if it has no range in
        /// use, for a pool whose owner is dead.
        pub fn punch_free(&self) {
            // A free entry's range may be part of another's that is not.
            if self.spill.iter().all(|entry| entry.state.load() == BlockState::Free) {
                for entry in self.spill {
                    let (offset, len) = (entry.offset.load(Ordering::Relaxed), entry.len.load(Ordering::Relaxed));
                    if len > 0 {
                        let _ = self.file.punch(offset, len);
                    }
                }
            }
            for (index, state) in self.states.iter().enumerate() {
                if state.change(BlockState::Free, BlockState::Filling) {
                    let (offset, size) = self.place(index);
                    // Without the kernel's help the memory stays in use, and nothing else is wrong.
                    let _ = self.memory.punch(offset, size);
                    state.change(BlockState::Filling, BlockState::Free);
                }
            }
        }

        fn place(&self, index: usize) -> (usize, usize) {
            let (class, index) = match index.checked_sub(self.layout.small.count) {
                None => (self.layout.small, index),
                Some(index) => (self.layout.large, index),
            };
            (class.data + index * class.size, class.size)
        }

        /// What `reference` points to; `header` and `position` are those of its record, `consumer` its reader.
        pub fn payload(
            &self,
            header: &Header,
            reference: Reference,
            consumer: u16,
            position: u64,
        ) -> Result<Payload<'static>, Broken> {
            let index = to_usize(reference.index);
            match header.location {
                Where::Block => {
                    let state = self.states.get(index);
                    let state = state.ok_or(Broken { what: "a record names block", found: reference.index })?;
                    let (offset, size) = self.place(index);
                    let len = to_usize(reference.len);
                    if len > size {
                        return Err(Broken { what: "a block's payload has length", found: reference.len });
                    }
                    Ok(Payload::Block { state, bytes: self.memory.bytes(offset, len), consumer, position })
                }
                Where::Spill => {
                    let entry = self.spill.get(index);
                    let entry = entry.ok_or(Broken { what: "a record names spill range", found: reference.index })?;
                    let (offset, len) = (entry.offset.load(Ordering::Relaxed), entry.len.load(Ordering::Relaxed));
                    if len != reference.len {
                        return Err(Broken { what: "a spill range has length", found: len });
                    }
                    Ok(Payload::Spill { entry, file: self.file, offset, len, consumer, position })
                }
                Where::Inline => Err(Broken { what: "an inline record refers to block", found: reference.index }),
            }
        }
    }

    /// Whether less than a quarter is free. Stops counting where it knows.
    fn is_short<'a>(states: impl ExactSizeIterator<Item = &'a StateWord>) -> bool {
        let enough = states.len().div_ceil(4);
        states.filter(|state| state.load() == BlockState::Free).take(enough).count() < enough
    }

    /// The bytes of a record, wherever they are.
    #[derive(Clone, Copy, Debug)]
    pub enum Payload<'a> {
        /// In the lane: gone when the head moves.
        Inline(SharedBytes<'a>),
        /// In a block.
        Block {
            /// The block's word.
            state: &'static StateWord,
            /// The bytes.
            bytes: SharedBytes<'a>,
            /// The consumer's number among the owner's.
            consumer: u16,
            /// The record's position.
            position: u64,
        },
        /// In a spill file.
        Spill {
            /// The entry of the range.
            entry: &'static SpillEntry,
            /// The file.
            file: &'static UnnamedFile,
            /// Where in the file.
            offset: u64,
            /// How many bytes.
            len: u64,
            /// The consumer's number among the owner's.
            consumer: u16,
            /// The record's position.
            position: u64,
        },
    }

    impl Payload<'_> {
        /// How many bytes.
        pub fn len(&self) -> usize {
            match self {
                Self::Inline(bytes) | Self::Block { bytes, .. } => bytes.len(),
                Self::Spill { len, .. } => to_usize(*len),
            }
        }

        /// Whether there are none.
        pub fn is_empty(&self) -> bool {
            self.len() == 0
        }

        /// Copies all bytes to the start of `into`. Only a spilled payload can fail, with the disk's error.
        ///
        /// # Panics
        /// When `into` is shorter.
        pub fn copy_into(&self, into: &mut [MaybeUninit<u8>]) -> io::Result<()> {
            match self {
                Self::Inline(bytes) | Self::Block { bytes, .. } => {
                    bytes.copy_into(into);
                    Ok(())
                }
                Self::Spill { file, offset, len, .. } => {
                    let len = to_usize(*len);
                    assert!(into.len() >= len, "{len} bytes do not fit into {}", into.len());
                    file.read_at(&mut into[..len], *offset)
                }
            }
        }

        /// Gives the block or range back, once the bytes were copied and the head has moved.
        pub fn free(&self) {
            match self {
                Self::Inline(_) => {}
                Self::Block { state, consumer, position, .. } => {
                    state.free_posted(*consumer, *position);
                }
                Self::Spill { entry, file, offset, len, consumer, position } => {
                    // The disk space goes before the entry does: afterwards it may be another message's.
                    let _ = file.punch(*offset, *len);
                    entry.state.free_posted(*consumer, *position);
                }
            }
        }

        /// Keeps the block or range beyond its record, for a reactor that sends from it; `None` for inline bytes.
        pub fn keep(&self) -> Option<Kept> {
            let (state, consumer, position) = match self {
                Self::Inline(_) => return None,
                Self::Block { state, consumer, position, .. } => (*state, *consumer, *position),
                Self::Spill { entry, consumer, position, .. } => (&entry.state, *consumer, *position),
            };
            let kept = state.change(BlockState::Posted { consumer, position }, BlockState::Kept);
            let spill = match self {
                Self::Spill { file, offset, len, .. } => Some((*file, *offset, *len)),
                Self::Inline(_) | Self::Block { .. } => None,
            };
            kept.then_some(Kept { state, spill })
        }
    }

    /// A block or range that a reactor keeps; given back on drop.
    #[derive(Debug)]
    pub struct Kept {
        state: &'static StateWord,
        spill: Option<(&'static UnnamedFile, u64, u64)>,
    }

    impl Drop for Kept {
        fn drop(&mut self) {
            if let Some((file, offset, len)) = self.spill {
                let _ = file.punch(offset, len);
            }
            self.state.change(BlockState::Kept, BlockState::Free);
        }
    }

    /// A block or range that its owner fills; given back on drop unless it was posted.
    #[derive(Debug)]
    pub struct Filling {
        state: &'static StateWord,
        index: usize,
        place: FillingPlace,
    }

    #[derive(Debug)]
    enum FillingPlace {
        Block(SharedBytes<'static>),
        Spill { file: &'static UnnamedFile, offset: u64, len: u64 },
    }

    impl Filling {
        /// The block's bytes; `None` for a spill range.
        pub fn bytes(&self) -> Option<SharedBytes<'static>> {
            match &self.place {
                FillingPlace::Block(bytes) => Some(*bytes),
                FillingPlace::Spill { .. } => None,
            }
        }

        /// Writes `bytes` at the start of the block or range. Only a spill range can fail, with the disk's error.
        ///
        /// # Panics
        /// When it is shorter.
        pub fn fill(&self, bytes: &[u8]) -> io::Result<()> {
            self.fill_at(bytes, 0)
        }

        /// Writes `bytes` at `offset` within the block or range. Only a spill range can fail, with the disk's error.
        ///
        /// # Panics
        /// When they do not fit there.
        pub fn fill_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
            match &self.place {
                FillingPlace::Block(place) => {
                    place.slice(to_usize(offset), bytes.len()).copy_from(bytes);
                    Ok(())
                }
                FillingPlace::Spill { file, offset: start, len } => {
                    let end = offset.checked_add(bytes.len() as u64);
                    assert!(
                        end.is_some_and(|end| end <= *len),
                        "{} bytes at {offset} of a range of {len}",
                        bytes.len()
                    );
                    file.write_at(bytes, start + offset)
                }
            }
        }

        /// Where a record says that the bytes are.
        pub fn location(&self) -> Where {
            match &self.place {
                FillingPlace::Block(_) => Where::Block,
                FillingPlace::Spill { .. } => Where::Spill,
            }
        }

        /// The body of the record that carries the first `len` bytes.
        pub fn reference(&self, len: usize) -> Reference {
            Reference { index: self.index as u64, len: len as u64 }
        }

        /// Ties it to the record at `position` of the owner's lane to `consumer`, just before that is published.
        pub fn post(self, consumer: u16, position: u64) {
            self.state.post(consumer, position);
            std::mem::forget(self);
        }
    }

    impl Drop for Filling {
        fn drop(&mut self) {
            if let FillingPlace::Spill { file, offset, len } = &self.place {
                let _ = file.punch(*offset, *len);
            }
            self.state.change(BlockState::Filling, BlockState::Free);
        }
    }

    /// The owner's side of a pool; one exists at a time.
    #[derive(Debug)]
    pub struct Pool {
        view: PoolView,
        /// When each block was last given out (monotonic ns); 0: its memory is punched out, or never existed.
        used_ns: Vec<u64>,
    }

    /// A block that is free for this long is punched out.
    const PUNCH_AFTER_NS: u64 = 1_000_000_000;

    impl Pool {
        /// Takes over a pool. Memory that a process before has left in free blocks is given back in time.
        pub fn attach(view: PoolView, now_ns: u64) -> Self {
            Self { used_ns: vec![now_ns; view.states.len()], view }
        }

        /// What everybody sees of it.
        pub fn view(&self) -> &PoolView {
            &self.view
        }

        /// The largest block in bytes.
        pub fn largest_block(&self) -> usize {
            let layout = &self.view.layout;
            if layout.large.count > 0 { layout.large.size } else { layout.small.size }
        }

        /// The smallest free block of at least `len` bytes, lowest first, so that few are ever touched.
        pub fn take_block(&mut self, len: usize, now_ns: u64) -> Option<Filling> {
            let small = self.view.layout.small;
            let from = if len <= small.size { 0 } else { small.count };
            if len > self.largest_block() {
                return None;
            }
            for index in from..self.view.states.len() {
                let (offset, size) = self.view.place(index);
                if size >= len && self.view.states[index].take() {
                    self.used_ns[index] = now_ns;
                    let place = FillingPlace::Block(self.view.memory.bytes(offset, size));
                    return Some(Filling { state: &self.view.states[index], index, place });
                }
            }
            None
        }

        /// Whether a range of the spill file is to be had.
        pub fn has_spill_range(&self) -> bool {
            self.view.spill.iter().any(|entry| entry.state.load() == BlockState::Free)
        }

        /// A range of the spill file for `len` bytes.
        pub fn take_spill(&mut self, len: u64) -> Option<Filling> {
            let mut taken: Vec<(u64, u64)> = self
                .view
                .spill
                .iter()
                .filter(|entry| entry.state.load() != BlockState::Free)
                .map(|entry| (entry.offset.load(Ordering::Relaxed), entry.len.load(Ordering::Relaxed)))
                .collect();
            taken.sort_unstable();
            let mut offset = 0_u64;
            for (start, size) in taken {
                if start.saturating_sub(offset) >= len {
                    break;
                }
                // A range that ends nowhere is damage: no room behind it.
                offset = offset.max(start.checked_add(size)?).checked_next_multiple_of(4096)?;
            }
            let (index, entry) = self.view.spill.iter().enumerate().find(|(_, entry)| entry.state.take())?;
            entry.offset.store(offset, Ordering::Relaxed);
            entry.len.store(len, Ordering::Relaxed);
            let place = FillingPlace::Spill { file: self.view.file, offset, len };
            Some(Filling { state: &entry.state, index, place })
        }

        /// Gives the memory of blocks back that were free for a second. Says whether any block has memory left.
        pub fn sweep(&mut self, now_ns: u64) -> bool {
            let mut left = false;
            for (index, used_ns) in self.used_ns.iter_mut().enumerate() {
                if *used_ns == 0 {
                    continue;
                }
                left = true;
                if now_ns.saturating_sub(*used_ns) < PUNCH_AFTER_NS || !self.view.states[index].take() {
                    continue;
                }
                let (offset, size) = self.view.place(index);
                if self.view.memory.punch(offset, size).is_ok() {
                    *used_ns = 0;
                }
                self.view.states[index].change(BlockState::Filling, BlockState::Free);
                step(Step::BlockFreed);
            }
            left
        }
    }

    pub use BlockClass as Class;
}

#[cfg(not(loom))]
pub use pool::Class as BlockClass;

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
