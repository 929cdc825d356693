//! Shared memory between processes that may die at any instruction: lanes of records, the tables of sessions and
//! workers, payload blocks, wake-ups, and the recovery of what a dead process held.
//!
//! `sync` names the atomics; `ring` is positions and bytes; `record` and `payload` say what the bytes mean;
//! `lane`, `inbox` and `seats` give each side its handle; `looks` says when a wake-up may wait, `idle` which worker is
//! free; `sessions` and `workers` are the tables beside them; `layout` and `segment` place all of it; `recovery` stands above.

pub mod idle;
pub mod inbox;
pub mod lane;
#[cfg(not(loom))]
pub mod layout;
pub mod looks;
pub mod payload;
pub mod record;
#[cfg(not(loom))]
pub mod recovery;
pub mod ring;
pub mod seats;
#[cfg(not(loom))]
pub mod segment;
pub mod sessions;
pub mod sync;
pub mod wake;
pub mod workers;

use std::fmt;

/// The 64-bit number that user code sees as `$fd`: from 1, never used again while the server lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// The number of a slot, which its worker keeps across restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerId(pub u32);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl WorkerId {
    /// The number as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A 64-bit number as a size; where it does not fit, no memory is that large, and the largest size stands for it.
pub fn to_usize(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
