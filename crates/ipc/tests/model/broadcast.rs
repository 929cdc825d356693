//! A shared block: two reactors read it, its producer dies at any step between them, and the next process of the seat
//! wants it again.
//!
//! The block's bytes are plain words: the checker fails when one process writes them while another may read them.

use loom::thread;
use rotor_ipc::lane::{Consumer, Producer};
use rotor_ipc::payload::{BlockState, Places, StateWord};
use rotor_ipc::sync::{AtomicU64, LaneBytes, Step};

use crate::harness::{Ring, check_reaching, live_until, number_of, numbered, shared};

const READERS: usize = 2;

/// A block of a producer's pool, and its lanes to the readers.
#[derive(Clone, Copy)]
struct Pool {
    rings: [Ring; READERS],
    state: &'static StateWord,
    places: Places,
    bytes: LaneBytes,
}

#[derive(Clone, Copy, PartialEq)]
enum Rule {
    AsItIs,
    /// A reader's place is written after its record was published.
    PlacedLate,
    /// The block is shared after its readers were told.
    SharedLate,
    /// The places of the broadcast before are still there.
    PlacesKept,
    /// A reader leaves before it has read.
    LeftEarly,
    /// The first reader to leave frees the block.
    FreedByTheFirst,
    /// What the last reader gives back is nobody's meanwhile.
    PunchedInFilling,
    /// Recovery takes all readers of a dead producer's blocks away.
    TailsIgnored,
    /// Recovery takes no reader away.
    NobodyLeaves,
}

impl Pool {
    fn new() -> Self {
        let words: Vec<AtomicU64> = (0..Places::words(READERS)).map(|_| AtomicU64::new(0)).collect();
        Self {
            rings: [Ring::new(32), Ring::new(32)],
            state: shared(),
            places: Places::new(Box::leak(words.into_boxed_slice())),
            bytes: LaneBytes::on_heap(1),
        }
    }

    fn producers(&self) -> [Producer; READERS] {
        self.rings.map(|ring| ring.producer())
    }

    /// Takes the block, if it is free, and writes a message to it.
    fn begin(&self, number: u64, rule: Rule) -> bool {
        if !self.state.take() {
            return false;
        }
        self.bytes.set_word(0, number * 100);
        if rule != Rule::PlacesKept {
            self.places.forget(0);
        }
        if rule != Rule::SharedLate {
            self.state.share(0b11);
        }
        true
    }

    fn tell(&self, lane: &mut Producer, reader: usize, number: u64, rule: Rule) {
        let body = [0; 8];
        let position = lane.position_for(body.len()).expect("there is room");
        if rule != Rule::PlacedLate {
            self.places.write(reader, position);
        }
        lane.write(&numbered(number), &[&body]).expect("there is room");
        lane.publish();
        if rule == Rule::PlacedLate {
            self.places.write(reader, position);
        }
    }

    /// The whole of it. Says whether the block was free.
    fn post(&self, lanes: &mut [Producer; READERS], number: u64, rule: Rule) -> bool {
        let has_begun = self.begin(number, rule);
        if has_begun {
            for (reader, lane) in lanes.iter_mut().enumerate() {
                self.tell(lane, reader, number, rule);
            }
            if rule == Rule::SharedLate {
                self.state.share(0b11);
            }
        }
        has_begun
    }

    /// A reactor takes all that is there.
    fn take(&self, lane: &mut Consumer, reader: usize, taken: &mut Vec<u64>, rule: Rule) {
        let limit = lane.refresh().unwrap();
        while let Some(record) = lane.peek(limit).unwrap() {
            let number = number_of(&record);
            if rule == Rule::LeftEarly {
                self.state.leave(reader, BlockState::Free);
            }
            assert_eq!(self.bytes.word(0), number * 100, "the block holds another record's bytes");
            lane.pass(&record);
            lane.release();
            match rule {
                Rule::FreedByTheFirst => {
                    let _ = self.state.change(self.state.load(), BlockState::Free);
                }
                _ => {
                    self.state.leave(reader, BlockState::Free);
                }
            }
            taken.push(number);
        }
    }

    /// What the manager does in the pool of a dead producer.
    fn recover(&self, rule: Rule) {
        let published = |reader: u16| match rule {
            Rule::TailsIgnored => 0,
            _ => self.rings[usize::from(reader)].state.published(),
        };
        self.state.free_unpublished(published);
        if rule != Rule::NobodyLeaves {
            self.state.leave_unpublished(self.places, published);
        }
    }

    /// Nothing is left in use once everything was taken.
    fn assert_free(&self) {
        assert_eq!(self.state.load(), BlockState::Free, "a block is in use for ever");
    }
}

/// The producer dies at a step of telling a reader, the first one or the second, after another broadcast perhaps. The first
/// reader goes on all the time; then the next process of the seat broadcasts.
fn producer_dies(dies_at: Step, told: usize, rule: Rule) {
    check_reaching(3, move || {
        let pool = Pool::new();
        let mut lanes = pool.producers();
        let [mut first, mut second] = pool.rings.map(|ring| ring.consumer());
        let (mut taken, mut taken_second) = (Vec::new(), Vec::new());
        if rule == Rule::PlacesKept {
            pool.post(&mut lanes, 9, Rule::AsItIs);
            pool.take(&mut first, 0, &mut Vec::new(), Rule::AsItIs);
            pool.take(&mut second, 1, &mut Vec::new(), Rule::AsItIs);
        }
        if told > 0 {
            pool.begin(1, rule);
            pool.tell(&mut lanes[0], 0, 1, rule);
        }
        let reader = thread::spawn(move || {
            pool.take(&mut first, 0, &mut taken, rule);
            (first, taken)
        });
        live_until(Some(dies_at), || {
            if told > 0 {
                pool.tell(&mut lanes[1], 1, 1, rule);
            } else {
                pool.post(&mut lanes, 1, rule);
            }
        });
        pool.recover(rule);
        let mut lanes = pool.producers();
        let mut posted = pool.post(&mut lanes, 2, Rule::AsItIs);
        let was_reused = posted;
        pool.take(&mut second, 1, &mut taken_second, rule);
        let (mut first, mut taken) = reader.join().unwrap();
        let met = !taken.is_empty();
        pool.take(&mut first, 0, &mut taken, Rule::AsItIs);
        pool.assert_free();
        if !posted {
            posted = pool.post(&mut lanes, 2, Rule::AsItIs);
            pool.take(&mut first, 0, &mut taken, Rule::AsItIs);
            pool.take(&mut second, 1, &mut taken_second, Rule::AsItIs);
            pool.assert_free();
        }
        assert!(posted, "the next process finds the block free");
        let has_published = dies_at == Step::TailStored;
        let expected = |has_first: bool| if has_first { vec![1, 2] } else { vec![2] };
        assert_eq!(taken, expected(told > 0 || has_published), "the first reader");
        assert_eq!(taken_second, expected(told > 0 && has_published), "the second");
        // Of the block alone it is known that it can be free again before the first reader has looked.
        was_reused || met
    });
}

/// Nobody dies: both readers read and leave in any order, and the producer broadcasts again as soon as it can.
fn both_leave(rule: Rule) {
    check_reaching(3, move || {
        let pool = Pool::new();
        let mut lanes = pool.producers();
        pool.post(&mut lanes, 1, Rule::AsItIs);
        let readers: Vec<_> = (0..READERS)
            .map(|reader| {
                thread::spawn(move || {
                    let (mut lane, mut taken) = (pool.rings[reader].consumer(), Vec::new());
                    pool.take(&mut lane, reader, &mut taken, rule);
                    (lane, taken)
                })
            })
            .collect();
        let posted = pool.post(&mut lanes, 2, Rule::AsItIs);
        for (reader, joined) in readers.into_iter().map(|reader| reader.join().unwrap()).enumerate() {
            let (mut lane, mut taken) = joined;
            pool.take(&mut lane, reader, &mut taken, Rule::AsItIs);
            assert_eq!(taken, if posted { vec![1, 2] } else { vec![1] });
        }
        pool.assert_free();
        posted
    });
}

/// The last reader gives the space of a range back before the range is free, while its dead producer is recovered and the
/// next process takes what it can get.
fn last_reader_punches(rule: Rule) {
    check_reaching(3, move || {
        let pool = Pool::new();
        let mut lanes = pool.producers();
        pool.post(&mut lanes, 1, Rule::AsItIs);
        let mut second = pool.rings[1].consumer();
        pool.take(&mut second, 1, &mut Vec::new(), Rule::AsItIs);
        let manager = thread::spawn(move || {
            pool.recover(rule);
            pool.post(&mut pool.producers(), 2, Rule::AsItIs)
        });
        let mut first = pool.rings[0].consumer();
        let limit = first.refresh().unwrap();
        let record = first.peek(limit).unwrap().expect("it was posted");
        assert_eq!(pool.bytes.word(0), 100, "the block holds another record's bytes");
        first.pass(&record);
        first.release();
        let meanwhile = if rule == Rule::PunchedInFilling { BlockState::Filling } else { BlockState::Kept };
        assert!(pool.state.leave(0, meanwhile), "it is the last one");
        pool.bytes.set_word(0, 0);
        pool.state.change(meanwhile, BlockState::Free);
        let posted = manager.join().unwrap();
        pool.take(&mut first, 0, &mut Vec::new(), Rule::AsItIs);
        pool.take(&mut second, 1, &mut Vec::new(), Rule::AsItIs);
        pool.assert_free();
        posted
    });
}

#[test]
fn a_shared_block_is_free_again_whose_producer_died_before_it_was_shared() {
    producer_dies(Step::BlockFilling, 0, Rule::AsItIs);
}

#[test]
fn a_shared_block_is_free_again_whose_producer_died_before_it_told_anybody() {
    for step in [Step::BlockShared, Step::PlaceWritten, Step::BodyCopied] {
        producer_dies(step, 0, Rule::AsItIs);
    }
}

#[test]
fn a_shared_block_stays_with_those_whom_its_dead_producer_has_told() {
    producer_dies(Step::TailStored, 0, Rule::AsItIs);
    for step in [Step::PlaceWritten, Step::BodyCopied, Step::TailStored] {
        producer_dies(step, 1, Rule::AsItIs);
    }
}

#[test]
fn the_last_of_all_readers_frees_a_shared_block() {
    both_leave(Rule::AsItIs);
}

#[test]
fn the_space_of_a_shared_range_is_nobodys_until_it_is_given_back() {
    last_reader_punches(Rule::AsItIs);
}

fails!(
    fails_if_a_readers_place_is_written_after_its_record,
    "panicked",
    producer_dies(Step::TailStored, 0, Rule::PlacedLate)
);
fails!(fails_if_a_block_is_shared_after_its_readers_were_told, "panicked", {
    producer_dies(Step::TailStored, 0, Rule::SharedLate)
});
fails!(
    fails_if_the_places_of_the_broadcast_before_are_kept,
    "in use for ever",
    producer_dies(Step::BlockShared, 0, Rule::PlacesKept)
);
fails!(fails_if_a_reader_leaves_before_it_has_read, "panicked", both_leave(Rule::LeftEarly));
fails!(fails_if_the_first_reader_frees_a_shared_block, "panicked", both_leave(Rule::FreedByTheFirst));
fails!(
    fails_if_recovery_takes_readers_away_that_were_told,
    "panicked",
    producer_dies(Step::TailStored, 0, Rule::TailsIgnored)
);
fails!(
    fails_if_recovery_leaves_readers_that_were_not_told,
    "in use for ever",
    producer_dies(Step::TailStored, 0, Rule::NobodyLeaves)
);
fails!(fails_if_a_range_is_punched_out_as_if_its_producer_filled_it, "panicked", {
    last_reader_punches(Rule::PunchedInFilling)
});
