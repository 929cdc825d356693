//! A lane: a ring of records with its two handles, and a view for others.

mod view;

pub use view::View;

use crate::record::{self, FirstWord, HEADER, Header};
use crate::ring::{self, Broken, RingState};
use crate::sync::{LaneBytes, Step, step};

/// Why a record was not posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostError {
    /// No room now.
    Full,
    /// The lane is damaged.
    Broken(Broken),
}

impl From<Broken> for PostError {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// The largest body that a lane of this capacity carries behind a header: a lane holds at least four such
/// records, so that it never serves one message at a time.
pub fn inline_limit(capacity: usize) -> usize {
    (capacity / 4 - HEADER).min(16 * 1024)
}

/// The posting side of a lane.
#[derive(Debug)]
pub struct Producer {
    ring: ring::Producer,
}

impl Producer {
    /// Takes over the posting side.
    pub fn attach(state: &'static RingState, bytes: LaneBytes) -> Self {
        Self { ring: ring::Producer::attach(state, bytes) }
    }

    /// The largest body that may be posted inline, in bytes.
    pub fn inline_limit(&self) -> usize {
        inline_limit(self.ring.capacity())
    }

    /// The position that a record with a body of `body` bytes gets if it is written next; makes sure that
    /// there is room for it.
    pub fn position_for(&mut self, body: usize) -> Result<u64, PostError> {
        Ok(self.ring.room(record::size_with(body))?.ok_or(PostError::Full)?.at)
    }

    /// Writes a record whose body is `parts` one behind the other. It is visible after [`Self::publish`].
    /// Returns its position.
    pub fn write(&mut self, header: &Header, parts: &[&[u8]]) -> Result<u64, PostError> {
        let body = parts.iter().map(|part| part.len()).sum();
        let size = record::size_with(body);
        let room = self.ring.room(size)?.ok_or(PostError::Full)?;
        let bytes = self.ring.bytes();
        if room.gap > 0 {
            bytes.set_word(self.ring.place(room.gap_at), record::pad_word(crate::to_usize(room.gap)));
        }
        let place = self.ring.place(room.at);
        bytes.set_word(place, record::first_word(header, body));
        bytes.set_word(place + 8, header.session);
        bytes.set_word(place + 16, header.extra);
        let mut at = place + HEADER;
        for part in parts {
            bytes.copy_from(at, part);
            at += part.len();
        }
        step(Step::BodyCopied);
        self.ring.advance_to(room.at + size as u64);
        Ok(room.at)
    }

    /// Makes what was written visible.
    pub fn publish(&mut self) {
        self.ring.publish();
    }

    /// Whether something is written and not yet visible.
    pub fn has_unpublished(&self) -> bool {
        self.ring.has_unpublished()
    }

    /// Says that nothing more will come.
    pub fn close(&mut self) {
        self.ring.close();
    }

    /// The position before which everything was taken.
    pub fn taken(&self) -> u64 {
        self.ring.taken()
    }

    /// Bytes that lie unread.
    pub fn depth(&self) -> u64 {
        self.ring.depth()
    }

    /// The position of the next record.
    pub fn tail(&self) -> u64 {
        self.ring.tail()
    }
}

/// A record that lies in a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its header.
    pub header: Header,
    /// Its position in the lane.
    pub position: u64,
    /// The position behind it.
    pub end: u64,
    /// Where its body is in the lane's bytes.
    pub(crate) body_at: usize,
    /// The length of its body.
    pub body: usize,
}

/// The taking side of a lane.
#[derive(Debug)]
pub struct Consumer {
    ring: ring::Consumer,
}

impl Consumer {
    /// Takes over the taking side.
    pub fn attach(state: &'static RingState, bytes: LaneBytes) -> Self {
        Self { ring: ring::Consumer::attach(state, bytes) }
    }

    /// Looks how far the producer is.
    pub fn refresh(&mut self) -> Result<u64, Broken> {
        self.ring.refresh()
    }

    /// How far the producer was when last looked.
    pub fn tail_seen(&self) -> u64 {
        self.ring.tail_seen()
    }

    /// The next record before `limit`, a position that [`Self::refresh`] has returned. It stays until
    /// [`Self::pass`].
    pub fn peek(&mut self, limit: u64) -> Result<Option<Record>, Broken> {
        let limit = limit.min(self.ring.tail_seen());
        loop {
            let position = self.ring.cursor();
            if position >= limit {
                return Ok(None);
            }
            let place = self.ring.place(position);
            let available = crate::to_usize(self.ring.tail_seen() - position);
            let to_end = self.ring.bytes().len() - place;
            let first = self.ring.bytes().word(place);
            match record::parse_first_word(first)? {
                FirstWord::Pad { len } => {
                    if len != to_end || len > available {
                        return Err(Broken { what: "a lane's gap has length", found: len as u64 });
                    }
                    self.ring.advance_to(position + len as u64);
                }
                FirstWord::Record { kind, location, aux, body } => {
                    let size = record::size_with(body);
                    if size > available || size > to_end {
                        return Err(Broken { what: "a record has length", found: body as u64 });
                    }
                    let session = self.ring.bytes().word(place + 8);
                    let extra = self.ring.bytes().word(place + 16);
                    return Ok(Some(Record {
                        header: Header { kind, location, aux, session, extra },
                        position,
                        end: position + size as u64,
                        body_at: place + HEADER,
                        body,
                    }));
                }
            }
        }
    }

    /// Counts `record` as read; the producer does not know before [`Self::release`].
    pub fn pass(&mut self, record: &Record) {
        self.ring.advance_to(record.end);
    }

    /// Gives back the room of all that was read.
    pub fn release(&mut self) {
        self.ring.release();
    }

    /// Recovery: moves the head past the record that was in the hand of a dead consumer, at `position`, if it died
    /// before it did so itself (P4).
    pub fn skip(&mut self, position: u64) {
        let Ok(tail) = self.refresh() else { return };
        if let Ok(Some(record)) = self.peek(tail)
            && record.position == position
        {
            self.pass(&record);
            self.release();
        }
    }

    /// Whether something was read and not given back yet.
    pub fn has_unreleased(&self) -> bool {
        self.ring.has_unreleased()
    }

    /// Whether the producer has closed the lane and everything in it was taken.
    pub fn is_drained(&self) -> bool {
        self.ring.state().is_drained()
    }

    /// Whether everything before `limit`, a position that [`Self::refresh`] has returned, was taken.
    pub fn has_taken(&self, limit: u64) -> bool {
        self.ring.cursor() >= limit
    }

    /// Whether there is nothing unread, as far as was looked.
    pub fn is_empty(&self) -> bool {
        self.ring.cursor() == self.ring.tail_seen()
    }

    /// The word at `index` of the record's body.
    pub fn word(&self, record: &Record, index: usize) -> Option<u64> {
        (index * 8 + 8 <= record.body).then(|| self.ring.bytes().word(record.body_at + index * 8))
    }

    /// The record's body.
    #[cfg(not(loom))]
    pub fn bytes(&self, record: &Record) -> rotor_sys::memory::SharedBytes<'static> {
        self.ring.bytes().bytes(record.body_at, record.body)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::record::{Kind, Where};
    use rotor_sys::memory::SharedMemory;

    fn lane(capacity: usize) -> (Producer, Consumer, &'static SharedMemory) {
        let memory = SharedMemory::create(c"rotor-lane", capacity + 4096).unwrap();
        // SAFETY: zeroed memory of the right size and alignment, mapped for ever, is an empty ring.
        let state = unsafe { memory.place::<RingState>(0).as_ref() };
        let bytes = LaneBytes::new(memory.bytes(4096, capacity));
        (Producer::attach(state, bytes), Consumer::attach(state, bytes), memory)
    }

    fn header(session: u64) -> Header {
        Header { kind: Kind::Receive, location: Where::Inline, aux: 7, session, extra: !session }
    }

    fn take(consumer: &mut Consumer) -> Option<(u64, Vec<u8>)> {
        let limit = consumer.refresh().unwrap();
        let record = consumer.peek(limit).unwrap()?;
        let mut body = Vec::new();
        consumer.bytes(&record).append_to(&mut body);
        assert_eq!(record.header, header(record.header.session));
        consumer.pass(&record);
        consumer.release();
        Some((record.header.session, body))
    }

    #[test]
    fn records_of_every_length_come_out_as_they_went_in_round_the_end() {
        let (mut producer, mut consumer, _) = lane(1024);
        for session in 1..5000_u64 {
            let body: Vec<u8> = (0..session * 7 % 230).map(|byte| u8::try_from(byte % 256).unwrap()).collect();
            let (left, right) = body.split_at(body.len() / 3);
            producer.write(&header(session), &[left, right]).unwrap();
            producer.publish();
            assert_eq!(take(&mut consumer), Some((session, body)));
        }
        assert_eq!(take(&mut consumer), None);
    }

    #[test]
    fn a_full_lane_refuses_and_changes_nothing() {
        let (mut producer, mut consumer, _) = lane(256);
        let mut posted = 0;
        while producer.write(&header(posted + 1), &[&[0; 30]]).is_ok() {
            posted += 1;
        }
        producer.publish();
        assert_eq!(producer.write(&header(99), &[&[0; 30]]), Err(PostError::Full));
        for session in 1..=posted {
            assert_eq!(take(&mut consumer).unwrap().0, session);
        }
        assert_eq!(take(&mut consumer), None);
        assert!(producer.write(&header(100), &[&[0; 30]]).is_ok());
    }

    #[test]
    fn what_was_written_and_not_published_is_never_seen_and_the_next_producer_overwrites_it() {
        let (mut producer, mut consumer, memory) = lane(256);
        producer.write(&header(1), &[b"lost"]).unwrap();
        assert_eq!(take(&mut consumer), None);
        // SAFETY: as in `lane`.
        let state = unsafe { memory.place::<RingState>(0).as_ref() };
        let mut next = Producer::attach(state, LaneBytes::new(memory.bytes(4096, 256)));
        next.write(&header(2), &[b"kept"]).unwrap();
        next.publish();
        assert_eq!(take(&mut consumer), Some((2, b"kept".to_vec())));
    }

    #[test]
    fn a_damaged_record_is_an_error_and_no_panic() {
        for garbage in [u64::MAX, 1 << 32, 0xffff_fff0 | 1 << 32, 9 << 32, 3] {
            let (mut producer, mut consumer, memory) = lane(256);
            producer.write(&header(1), &[b"body"]).unwrap();
            producer.publish();
            memory.bytes(4096, 8).copy_from(&garbage.to_ne_bytes());
            let limit = consumer.refresh().unwrap();
            let found = consumer.peek(limit);
            assert!(found.is_err() || found.unwrap().is_some_and(|record| record.body == 0), "{garbage:x}");
        }
    }

    #[test]
    fn damaged_positions_are_errors_and_no_panics() {
        const TAIL: usize = 0;
        const HEAD: usize = 64;
        for garbage in [1, 7, 1 << 40, 1 << 63, u64::MAX - 7, u64::MAX] {
            for word in [TAIL, HEAD] {
                let (mut producer, mut consumer, memory) = lane(256);
                memory.bytes(word, 8).copy_from(&garbage.to_ne_bytes());
                // SAFETY: as in `lane`.
                let state = unsafe { memory.place::<RingState>(0).as_ref() };
                let bytes = LaneBytes::new(memory.bytes(4096, 256));
                let (mut next_producer, mut next_consumer) =
                    (Producer::attach(state, bytes), Consumer::attach(state, bytes));
                consumer.skip(0);
                assert!(next_consumer.refresh().is_err(), "{garbage:x}");
                assert_eq!(next_consumer.peek(u64::MAX), Ok(None));
                // A producer that lives keeps its own position, and looks at the other's once it needs the room.
                for producer in [&mut producer, &mut next_producer] {
                    let refused = (0..9).find_map(|_| producer.write(&header(1), &[b"x"]).err());
                    assert!(refused.is_some(), "{garbage:x}");
                }
                assert!(!consumer.is_drained());
            }
        }
    }

    #[test]
    fn a_closed_lane_is_drained_once_its_last_record_was_taken() {
        let (mut idle, consumer, _) = lane(256);
        assert!(!consumer.is_drained());
        idle.close();
        assert!(consumer.is_drained(), "nothing was ever posted");
        let (mut producer, mut consumer, _) = lane(256);
        producer.write(&header(1), &[b"last"]).unwrap();
        producer.publish();
        producer.close();
        assert!(!consumer.is_drained());
        take(&mut consumer).unwrap();
        assert!(consumer.is_drained());
    }
}
