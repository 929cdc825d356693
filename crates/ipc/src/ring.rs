//! A ring of bytes in the segment: one consumer and one producer.
//!
//! Positions only grow; `position % capacity` is the place. `head <= tail <= head + capacity` holds at all
//! times; the producer alone writes the tail, the consumer alone the head. What lies between them belongs to
//! the consumer, the rest to the producer. Each side keeps its own position in private memory and reads the
//! other's as input: a value that breaks the invariant is [`Broken`].

use crate::sync::{AtomicU64, LaneBytes, Ordering, Padded, Shared, Step, step};
use crate::wake::SleepWord;

/// A position or a record in the segment that cannot be: a bug, or a process has overwritten shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What was wrong.
    pub what: &'static str,
    /// The value that was found.
    pub found: u64,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "shared memory is damaged: {} {}", self.what, self.found)
    }
}

impl std::error::Error for Broken {}

/// The shared part of a ring, beside its bytes.
#[repr(C)]
#[derive(Debug, Default)]
pub struct RingState {
    /// Written by the producer: everything before it is whole.
    tail: Padded<AtomicU64>,
    /// Written by the consumer: everything before it may be overwritten.
    head: Padded<AtomicU64>,
    /// Written by the producer, rarely.
    rare: Padded<RareState>,
}

#[repr(C)]
#[derive(Debug, Default)]
struct RareState {
    /// Odd while the producer waits for room.
    room: SleepWord,
    /// 0: open. Else one more than the position of the end: nothing will be posted at or past it.
    closed: AtomicU64,
}

// SAFETY: repr(C), atomics only, zero is an empty open ring.
unsafe impl Shared for RareState {}
// SAFETY: as above.
unsafe impl Shared for RingState {}

impl RingState {
    /// The position before which everything is whole, for recovery and for whoever only looks.
    pub fn published(&self) -> u64 {
        self.tail.load(Ordering::Acquire)
    }

    /// The position before which everything was taken.
    pub fn taken(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// Moves the head past a record that died with its consumer. Only recovery does this, when no consumer lives.
    pub fn skip_to(&self, position: u64) {
        self.head.store(position, Ordering::Release);
    }

    /// The word by which the producer says that it waits for room.
    pub fn room(&'static self) -> &'static SleepWord {
        &self.rare.0.room
    }

    /// Whether the producer has closed the ring and everything before the end was taken.
    pub fn is_drained(&self) -> bool {
        let closed = self.rare.closed.load(Ordering::Acquire);
        closed != 0 && self.head.load(Ordering::Relaxed) >= closed - 1
    }
}

/// The writing side; one exists at a time.
#[derive(Debug)]
pub struct Producer {
    state: &'static RingState,
    bytes: LaneBytes,
    /// Where the next byte goes; ahead of the shared tail by what is not published yet.
    tail: u64,
    published: u64,
    /// A head seen earlier: the consumer has taken at least this much.
    head_seen: u64,
}

impl Producer {
    /// Takes over the writing side. What a dead producer had not published is overwritten.
    pub fn attach(state: &'static RingState, bytes: LaneBytes) -> Self {
        let tail = state.tail.load(Ordering::Acquire);
        Self { state, bytes, tail, published: tail, head_seen: state.head.load(Ordering::Acquire) }
    }

    /// The bytes of the ring.
    pub fn capacity(&self) -> usize {
        self.bytes.len()
    }

    /// Finds `len` contiguous bytes, `None` when the ring is too full for them. Returns their position and,
    /// if the ring had to be wrapped, the position and length of the gap before them.
    pub fn room(&mut self, len: usize) -> Result<Option<Room>, Broken> {
        let capacity = self.bytes.len() as u64;
        let len = len as u64;
        let to_end = capacity - self.tail % capacity;
        let gap = if len <= to_end { 0 } else { to_end };
        // Where we took over is input, too: neither it nor the head seen then was checked yet.
        let end = self.tail.checked_add(gap + len).filter(|_| self.tail.is_multiple_of(WORD));
        let end = end.ok_or(Broken { what: "a lane's tail is at", found: self.tail })?;
        if end.wrapping_sub(self.head_seen) > capacity {
            // Pairs with the Release in `Consumer::release`: its copies are over before we write there.
            let head = self.state.head.load(Ordering::Acquire);
            if head > self.tail || self.tail - head > capacity {
                return Err(Broken { what: "a lane's head is at", found: head });
            }
            self.head_seen = head;
            if end - head > capacity {
                return Ok(None);
            }
        }
        Ok(Some(Room { gap_at: self.tail, gap, at: self.tail + gap }))
    }

    /// Counts everything up to `position` as written.
    pub fn advance_to(&mut self, position: u64) {
        debug_assert!(position >= self.tail);
        self.tail = position;
    }

    /// The position of the next byte.
    pub fn tail(&self) -> u64 {
        self.tail
    }

    /// Whether something is written and not yet visible.
    pub fn has_unpublished(&self) -> bool {
        self.tail != self.published
    }

    /// Makes all that was written visible, whole, by one store.
    pub fn publish(&mut self) {
        // Pairs with the Acquire in `Consumer::refresh`. Killed before this store, we have published nothing (P3).
        self.state.tail.store(self.tail, Ordering::Release);
        self.published = self.tail;
        step(Step::TailStored);
    }

    /// Says that nothing more will come. Not a record: the consumer's next process must see it too.
    pub fn close(&mut self) {
        debug_assert!(!self.has_unpublished());
        self.state.rare.closed.store(self.tail + 1, Ordering::Release);
    }

    /// The position before which the consumer has taken everything.
    pub fn taken(&self) -> u64 {
        self.state.taken()
    }

    /// How many bytes lie unread, as far as is known without asking the consumer.
    pub fn depth(&self) -> u64 {
        self.tail.saturating_sub(self.state.head.load(Ordering::Relaxed))
    }

    /// The bytes at `position`.
    pub fn bytes(&self) -> &LaneBytes {
        &self.bytes
    }

    /// The place of a position in the bytes.
    pub fn place(&self, position: u64) -> usize {
        place(position, self.bytes.len())
    }
}

/// Contiguous room in a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Where the gap begins that must be marked as such.
    pub gap_at: u64,
    /// Its length; 0: there is none.
    pub gap: u64,
    /// Where the room begins.
    pub at: u64,
}

/// The reading side; one exists at a time.
#[derive(Debug)]
pub struct Consumer {
    state: &'static RingState,
    bytes: LaneBytes,
    /// Where the next unread byte is; ahead of the shared head by what is not released yet.
    cursor: u64,
    released: u64,
    tail_seen: u64,
}

impl Consumer {
    /// Takes over the reading side where the one before has left it.
    pub fn attach(state: &'static RingState, bytes: LaneBytes) -> Self {
        let head = state.head.load(Ordering::Acquire);
        Self { state, bytes, cursor: head, released: head, tail_seen: head }
    }

    /// Looks how far the producer is and returns that position.
    pub fn refresh(&mut self) -> Result<u64, Broken> {
        // Pairs with the Release in `Producer::publish`: what lies before the tail is whole.
        let tail = self.state.tail.load(Ordering::Acquire);
        if tail < self.cursor || tail - self.released > self.bytes.len() as u64 || !tail.is_multiple_of(WORD) {
            return Err(Broken { what: "a lane's tail is at", found: tail });
        }
        // As we found it when we took over; we ourselves move it by whole records.
        if !self.cursor.is_multiple_of(WORD) {
            return Err(Broken { what: "a lane's head is at", found: self.cursor });
        }
        self.tail_seen = tail;
        Ok(tail)
    }

    /// The position of the next unread byte.
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// How far the producer was when last looked.
    pub fn tail_seen(&self) -> u64 {
        self.tail_seen
    }

    /// Counts everything before `position` as read; the producer does not know yet.
    pub fn advance_to(&mut self, position: u64) {
        debug_assert!(position >= self.cursor && position <= self.tail_seen);
        self.cursor = position;
    }

    /// Whether something was read and not given back yet.
    pub fn has_unreleased(&self) -> bool {
        self.cursor != self.released
    }

    /// Gives the room of all that was read back to the producer.
    pub fn release(&mut self) {
        // Pairs with the Acquire in `Producer::room`: our copies are over before it writes there.
        self.state.head.store(self.cursor, Ordering::Release);
        self.released = self.cursor;
        step(Step::HeadStored);
    }

    /// The shared part.
    pub fn state(&self) -> &'static RingState {
        self.state
    }

    /// The bytes of the ring.
    pub fn bytes(&self) -> &LaneBytes {
        &self.bytes
    }

    /// The place of a position in the bytes.
    pub fn place(&self, position: u64) -> usize {
        place(position, self.bytes.len())
    }
}

/// Every record and every gap begins and ends on a word.
const WORD: u64 = 8;

fn place(position: u64, capacity: usize) -> usize {
    crate::to_usize(position % capacity as u64)
}
