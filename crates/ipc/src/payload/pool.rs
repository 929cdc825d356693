//! The owner's side of a pool.

use std::io;

use rotor_sys::file::UnnamedFile;
use rotor_sys::memory::SharedBytes;

use super::view::{PoolView, Reference};
use super::{BlockState, Places, StateWord};
use crate::record::Where;
use crate::sync::{Ordering, Step, step};
use crate::to_usize;

/// A block or range that its owner fills; given back on drop unless it was posted.
#[derive(Debug)]
pub struct Filling {
    state: &'static StateWord,
    index: usize,
    place: FillingPlace,
    places: Places,
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
                assert!(end.is_some_and(|end| end <= *len), "{} bytes at {offset} of a range of {len}", bytes.len());
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

    /// Shares it among the consumers from `first` on that have a bit in `readers`; at least one has.
    pub fn share(self, first: u16, readers: u64) -> Sharing {
        self.places.forget(first);
        self.state.share(readers);
        let sharing = Sharing { state: self.state, places: self.places, untold: readers };
        std::mem::forget(self);
        sharing
    }
}

/// A block or range whose readers are being told of it; those that are not told leave it on drop.
#[derive(Debug)]
pub struct Sharing {
    state: &'static StateWord,
    places: Places,
    untold: u64,
}

impl Sharing {
    /// Ties it to the record at `position` of the owner's lane to a reader, just before that is published. `reader` counts
    /// from the first.
    pub fn post(&mut self, reader: usize, position: u64) {
        self.places.write(reader, position);
        self.untold &= !(1 << reader);
    }
}

impl Drop for Sharing {
    fn drop(&mut self) {
        for reader in (0..super::MOST_READERS).filter(|reader| self.untold & 1 << reader != 0) {
            self.state.leave(reader, BlockState::Free);
        }
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
        let layout = self.view.layout;
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
                let places = self.view.places(index);
                return Some(Filling { state: &self.view.states[index], index, place, places });
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
        let places = self.view.places(self.view.states.len() + index);
        Some(Filling { state: &entry.state, index, place, places })
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
