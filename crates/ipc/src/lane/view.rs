//! What lies in a lane, for whoever only looks. Neither side knows of it, and both go on meanwhile.

use super::record::{self, FirstWord, HEADER, Kind, Where};
use crate::ring::{Broken, RingState};
use crate::sync::{LaneBytes, Ordering, fence};

/// Anybody's view of a lane.
#[derive(Clone, Copy, Debug)]
pub struct View {
    state: &'static RingState,
    bytes: LaneBytes,
}

/// A record, or a gap, as the view has seen it.
struct Seen {
    end: u64,
    /// Bytes of the message that it is, if it is one of the session that is looked for.
    bytes: u64,
}

impl View {
    /// Looks at a lane.
    pub fn new(state: &'static RingState, bytes: LaneBytes) -> Self {
        Self { state, bytes }
    }

    /// How many bytes of messages of a session lie there that nobody has taken yet. The time is that of what lies there
    /// altogether.
    pub fn unread_of(&self, session: u64) -> Result<u64, Broken> {
        let end = self.state.published();
        let mut at = self.state.taken();
        let mut unread = 0;
        while at < end {
            let seen = self.look(at, end, session);
            // Who writes here has seen the head behind this place before; had we read what was written, we see that head.
            fence(Ordering::Acquire);
            let taken = self.state.taken();
            if taken > at {
                // So what was counted was taken, too.
                (at, unread) = (taken, 0);
                continue;
            }
            let seen = seen?;
            (at, unread) = (seen.end, unread + seen.bytes);
        }
        Ok(unread)
    }

    fn look(&self, at: u64, end: u64, session: u64) -> Result<Seen, Broken> {
        let capacity = self.bytes.len();
        if !at.is_multiple_of(8) || end - at > capacity as u64 {
            return Err(Broken { what: "a lane's head is at", found: at });
        }
        let place = crate::to_usize(at % capacity as u64);
        let room = crate::to_usize(end - at).min(capacity - place);
        match record::parse_first_word(self.bytes.word(place))? {
            FirstWord::Pad { len } if len == capacity - place && len <= room => {
                Ok(Seen { end: at + len as u64, bytes: 0 })
            }
            FirstWord::Pad { len } => Err(Broken { what: "a lane's gap has length", found: len as u64 }),
            FirstWord::Record { kind, location, body, .. } => {
                let size = record::size_with(body);
                let is_reference = location != Where::Inline;
                if size > room || (is_reference && body < 16) {
                    return Err(Broken { what: "a record has length", found: body as u64 });
                }
                let is_counted = kind == Kind::Receive && self.bytes.word(place + 8) == session;
                let bytes = match (is_counted, is_reference) {
                    (false, _) => 0,
                    (true, false) => body as u64,
                    (true, true) => self.bytes.word(place + HEADER + 8),
                };
                Ok(Seen { end: at + size as u64, bytes })
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::{Consumer, Producer};
    use super::*;
    use crate::record::Header;
    use rotor_sys::memory::SharedMemory;

    fn lane(capacity: usize) -> (Producer, Consumer, View) {
        let memory = SharedMemory::create(c"rotor-view", capacity + 4096).unwrap();
        // SAFETY: zeroed memory of the right size and alignment, mapped for ever, is an empty ring.
        let state = unsafe { memory.place::<RingState>(0).as_ref() };
        let bytes = LaneBytes::new(memory.bytes(4096, capacity));
        (Producer::attach(state, bytes), Consumer::attach(state, bytes), View::new(state, bytes))
    }

    fn header(kind: Kind, location: Where, session: u64) -> Header {
        Header { kind, location, aux: 0, session, extra: 0 }
    }

    fn take(consumer: &mut Consumer) -> bool {
        let limit = consumer.refresh().unwrap();
        let Some(record) = consumer.peek(limit).unwrap() else { return false };
        consumer.pass(&record);
        consumer.release();
        true
    }

    #[test]
    fn messages_of_the_session_count_until_they_are_taken_wherever_their_bytes_are() {
        let (mut producer, mut consumer, view) = lane(1024);
        let reference: Vec<u8> = [3_u64, 5000].iter().flat_map(|word| word.to_ne_bytes()).collect();
        // More than once around the ring.
        for _ in 0..20 {
            producer.write(&header(Kind::Receive, Where::Inline, 1), &[b"ten bytes "]).unwrap();
            producer.write(&header(Kind::Receive, Where::Inline, 2), &[b"others"]).unwrap();
            producer.write(&header(Kind::Receive, Where::Block, 1), &[&reference]).unwrap();
            producer.write(&header(Kind::Connect, Where::Inline, 1), &[]).unwrap();
            assert_eq!(view.unread_of(1), Ok(0), "nothing is published");
            producer.publish();
            assert_eq!((view.unread_of(1), view.unread_of(2), view.unread_of(3)), (Ok(5010), Ok(6), Ok(0)));
            assert!(take(&mut consumer));
            assert_eq!(view.unread_of(1), Ok(5000));
            while take(&mut consumer) {}
            assert_eq!((view.unread_of(1), view.unread_of(2)), (Ok(0), Ok(0)));
        }
    }

    #[test]
    fn what_is_counted_while_both_sides_go_on_lay_there() {
        const ROUNDS: usize = if cfg!(miri) { 200 } else { 200_000 };
        let (mut producer, mut consumer, view) = lane(1024);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    // Bodies of any bytes: they are no headers.
                    let body = vec![0xff; round % 100];
                    while producer.write(&header(Kind::Receive, Where::Inline, 1), &[&body]).is_err() {
                        std::thread::yield_now();
                    }
                    producer.publish();
                }
            });
            scope.spawn(move || {
                let mut taken = 0;
                while taken < ROUNDS {
                    if take(&mut consumer) {
                        taken += 1;
                    } else {
                        std::thread::yield_now();
                    }
                }
            });
            for _ in 0..ROUNDS {
                let unread = view.unread_of(1).expect("the lane is whole");
                assert!(unread < 1024, "{unread} bytes in a lane of 1024");
            }
        });
    }

    #[test]
    fn a_lane_that_is_damaged_is_no_panic() {
        let (mut producer, _, view) = lane(1024);
        producer.write(&header(Kind::Receive, Where::Inline, 1), &[&[0; 40]]).unwrap();
        producer.publish();
        for word in [0, u64::MAX, 200 << 32, 1 << 32 | 0xffff_ffff, 1 << 32 | 100, 1 << 40 | 1 << 32, 9 << 40 | 1 << 32]
        {
            view.bytes.set_word(0, word);
            assert!(view.unread_of(1).is_err(), "the word {word:#x}");
        }
        view.state.skip_to(4);
        assert!(view.unread_of(1).is_err(), "a head inside a word");
    }
}
