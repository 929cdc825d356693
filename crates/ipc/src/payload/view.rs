//! Everybody's view of a pool, and what the records of its owner refer to.

use std::io;
use std::mem::MaybeUninit;

use rotor_sys::file::UnnamedFile;
use rotor_sys::memory::{SharedBytes, SharedMemory};

use super::{BlockState, Places, SpillEntry, StateWord};
use crate::record::{Header, Where};
use crate::ring::Broken;
use crate::sync::{AtomicU64, Ordering};
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
    /// Offset of the words that say where records of shared blocks lie.
    pub places: usize,
    /// How many such words each block and spill entry has.
    pub place_words: usize,
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
    pub(super) memory: &'static SharedMemory,
    pub(super) layout: &'static PoolLayout,
    pub(super) states: &'static [StateWord],
    pub(super) spill: &'static [SpillEntry],
    places: &'static [AtomicU64],
    pub(super) file: &'static UnnamedFile,
}

impl PoolView {
    pub(crate) fn new(
        memory: &'static SharedMemory,
        layout: &'static PoolLayout,
        states: &'static [StateWord],
        spill: &'static [SpillEntry],
        places: &'static [AtomicU64],
        file: &'static UnnamedFile,
    ) -> Self {
        Self { memory, layout, states, spill, places, file }
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
            Payload::Block { state, .. } => self.is_short_like(state),
        }
    }

    /// The same for a shared block.
    pub fn is_short_for_shared(&self, shared: &Shared) -> bool {
        match shared.place {
            SharedPlace::Block(_) => self.is_short_like(shared.state),
            SharedPlace::Spill { .. } => self.is_short_of_spill(),
        }
    }

    fn is_short_like(&self, state: &StateWord) -> bool {
        let offset = std::ptr::from_ref(state).addr().wrapping_sub(self.states.as_ptr().addr());
        let (small, large) = self.states.split_at(self.layout.small.count);
        is_short(if offset < size_of_val(small) { small.iter() } else { large.iter() })
    }

    /// How many small blocks there are.
    pub fn small_blocks(&self) -> usize {
        self.layout.small.count
    }

    /// The size of the small blocks in bytes.
    pub fn small_block(&self) -> usize {
        self.layout.small.size
    }

    /// The words for a block, or behind the blocks for a spill entry.
    pub(super) fn places(&self, index: usize) -> Places {
        Places::new(&self.places[index * self.layout.place_words..][..self.layout.place_words])
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
        for (index, state) in self.states().enumerate() {
            state.free_unpublished(&published);
            state.leave_unpublished(self.places(index), &published);
        }
    }

    /// Frees what a dead consumer held, given the head of the lane to it; the disk space of spill ranges goes as well.
    pub fn free_taken(&self, dead: u16, head: u64) {
        for state in self.states {
            state.free_taken(dead, head, || {});
        }
        for entry in self.spill {
            entry.state.free_taken(dead, head, || {
                let (offset, len) = (entry.offset.load(Ordering::Relaxed), entry.len.load(Ordering::Relaxed));
                let _ = self.file.punch(offset, len);
            });
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

    pub(super) fn place(&self, index: usize) -> (usize, usize) {
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
        match header.location {
            Where::Block => {
                let (state, bytes) = self.block(reference)?;
                Ok(Payload::Block { state, bytes, consumer, position })
            }
            Where::Spill => {
                let (entry, offset, len) = self.range(reference)?;
                Ok(Payload::Spill { entry, file: self.file, offset, len, consumer, position })
            }
            Where::Inline => Err(Broken { what: "an inline record refers to block", found: reference.index }),
        }
    }

    /// The part of `consumer` in the shared block or range that `reference` points to.
    pub fn shared(&self, location: Where, reference: Reference, consumer: u16) -> Result<Shared, Broken> {
        let reader = usize::from(consumer) % super::MOST_READERS;
        match location {
            Where::Block => {
                let (state, bytes) = self.block(reference)?;
                Ok(Shared { state, reader, place: SharedPlace::Block(bytes) })
            }
            Where::Spill => {
                let (entry, offset, len) = self.range(reference)?;
                let place = SharedPlace::Spill { file: self.file, offset, len };
                Ok(Shared { state: &entry.state, reader, place })
            }
            Where::Inline => Err(Broken { what: "an inline record refers to block", found: reference.index }),
        }
    }

    fn block(&self, reference: Reference) -> Result<(&'static StateWord, SharedBytes<'static>), Broken> {
        let index = to_usize(reference.index);
        let state = self.states.get(index);
        let state = state.ok_or(Broken { what: "a record names block", found: reference.index })?;
        let (offset, size) = self.place(index);
        let len = to_usize(reference.len);
        if len > size {
            return Err(Broken { what: "a block's payload has length", found: reference.len });
        }
        Ok((state, self.memory.bytes(offset, len)))
    }

    fn range(&self, reference: Reference) -> Result<(&'static SpillEntry, u64, u64), Broken> {
        let entry = self.spill.get(to_usize(reference.index));
        let entry = entry.ok_or(Broken { what: "a record names spill range", found: reference.index })?;
        let (offset, len) = (entry.offset.load(Ordering::Relaxed), entry.len.load(Ordering::Relaxed));
        if len != reference.len {
            return Err(Broken { what: "a spill range has length", found: len });
        }
        Ok((entry, offset, len))
    }
}

/// A reactor's part in a block or range that others read, too; given back on drop.
#[derive(Debug)]
pub struct Shared {
    state: &'static StateWord,
    reader: usize,
    place: SharedPlace,
}

#[derive(Clone, Copy, Debug)]
enum SharedPlace {
    Block(SharedBytes<'static>),
    Spill { file: &'static UnnamedFile, offset: u64, len: u64 },
}

impl Shared {
    /// The block's bytes; `None` for a spill range.
    pub fn bytes(&self) -> Option<SharedBytes<'static>> {
        match self.place {
            SharedPlace::Block(bytes) => Some(bytes),
            SharedPlace::Spill { .. } => None,
        }
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        match self.place {
            SharedPlace::Block(bytes) => bytes.len(),
            SharedPlace::Spill { len, .. } => to_usize(len),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of all bytes. Only a spill range can fail, with the disk's error.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        match self.place {
            SharedPlace::Block(bytes) => {
                let mut copy = Vec::new();
                bytes.append_to(&mut copy);
                Ok(copy)
            }
            SharedPlace::Spill { file, offset, len } => {
                let mut copy = vec![0; to_usize(len)];
                file.read_exact_at(&mut copy, offset)?;
                Ok(copy)
            }
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        match self.place {
            SharedPlace::Block(_) => {
                self.state.leave(self.reader, BlockState::Free);
            }
            SharedPlace::Spill { file, offset, len } => {
                // The disk space goes before the entry does, and nobody else has it meanwhile, whoever dies.
                if self.state.leave(self.reader, BlockState::Kept) {
                    let _ = file.punch(offset, len);
                    self.state.change(BlockState::Kept, BlockState::Free);
                }
            }
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
