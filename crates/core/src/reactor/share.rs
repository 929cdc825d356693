//! The bytes of a broadcast as the connections of one reactor have them: all refer to one copy, wherever it lies, and the
//! last one to go gives it back.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use rotor_ipc::payload::{PoolView, Shared};
use rotor_sys::memory::SharedBytes;
use rotor_sys::socket::Piece;

/// One copy of bytes for many connections of a reactor.
pub struct Share {
    len: usize,
    place: Cell<Place>,
    /// The reactor's part in the block, as long as the bytes are there.
    held: Cell<Option<Held>>,
    private: OnceCell<Arc<Vec<u8>>>,
}

/// Where the bytes are.
#[derive(Clone, Copy)]
enum Place {
    /// In a lane: gone when its head moves.
    Lane(SharedBytes<'static>),
    /// In a block that other reactors may read, too.
    Block(SharedBytes<'static>),
    /// On the disk, from where they are being read.
    Disk,
    /// In memory of the master's.
    Private,
    /// Nowhere: the disk has failed.
    Lost,
}

struct Held {
    shared: Shared,
    pool: PoolView,
}

impl Share {
    /// Of bytes that lie in a lane.
    pub fn of_lane(bytes: SharedBytes<'static>) -> Self {
        Self::new(bytes.len(), Place::Lane(bytes))
    }

    /// Of bytes that lie in a block; `None`: in a spill range, which comes back.
    pub fn of_block(shared: Shared, pool: PoolView) -> Result<Self, Shared> {
        let Some(bytes) = shared.bytes() else { return Err(shared) };
        let share = Self::new(bytes.len(), Place::Block(bytes));
        share.held.set(Some(Held { shared, pool }));
        Ok(share)
    }

    /// Of so many bytes that are being read from the disk.
    pub fn of_disk(len: usize) -> Self {
        Self::new(len, Place::Disk)
    }

    /// Of bytes that the reactors have in common.
    pub fn of_private(bytes: Arc<Vec<u8>>) -> Self {
        let share = Self::new(bytes.len(), Place::Disk);
        share.come(bytes);
        share
    }

    fn new(len: usize, place: Place) -> Self {
        Self { len, place: Cell::new(place), held: Cell::new(None), private: OnceCell::new() }
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the bytes are still to come from the disk.
    pub fn is_on_disk(&self) -> bool {
        matches!(self.place.get(), Place::Disk)
    }

    /// Whether the disk did not give them back.
    pub fn is_lost(&self) -> bool {
        matches!(self.place.get(), Place::Lost)
    }

    /// The bytes from `sent` on, for a write; `None` while they are not here.
    pub fn piece(&self, sent: usize) -> Option<Piece<'_>> {
        match self.place.get() {
            Place::Lane(bytes) | Place::Block(bytes) => Some(Piece::Shared(bytes.slice(sent, self.len - sent))),
            Place::Private => self.private.get().map(|bytes| Piece::Private(&bytes[sent..])),
            Place::Disk | Place::Lost => None,
        }
    }

    /// Somebody has not taken all of it: from here on the bytes lie where they may stay for as long as that takes. A
    /// block may while its pool has others like it; else there is one copy for all that are slow.
    pub fn stay(&self) {
        match self.place.get() {
            Place::Lane(bytes) => self.copy_out(bytes),
            Place::Block(bytes) => {
                let held = self.held.take();
                let is_short = held.as_ref().is_none_or(|held| held.pool.is_short_for_shared(&held.shared));
                if is_short {
                    self.copy_out(bytes);
                } else {
                    self.held.set(held);
                }
            }
            Place::Disk | Place::Private | Place::Lost => {}
        }
    }

    fn copy_out(&self, bytes: SharedBytes<'static>) {
        let mut copy = Vec::new();
        bytes.append_to(&mut copy);
        self.come(Arc::new(copy));
    }

    /// The bytes have come to private memory.
    pub fn come(&self, bytes: Arc<Vec<u8>>) {
        // They are written once: nothing brings bytes to private memory that are there.
        let _ = self.private.set(bytes);
        self.place.set(Place::Private);
    }

    /// The bytes will never come.
    pub fn lose(&self) {
        self.place.set(Place::Lost);
    }
}

#[cfg(test)]
mod tests;
