//! Block state × head: a payload block whose producer or consumer dies at any step, or both.
//!
//! The block's bytes are plain words: the checker fails when one process writes them while another may read them.

use loom::thread;
use rotor_ipc::lane::{Consumer, Producer};
use rotor_ipc::payload::{BlockState, StateWord};
use rotor_ipc::record::Kind;
use rotor_ipc::sync::{LaneBytes, Step, step};
use rotor_ipc::workers::{Held, InHand};

use crate::harness::{Ring, check_reaching, live_until, number_of, numbered, shared};

/// The consumer's number among the producer's.
const CONSUMER: u16 = 0;

/// A lane and the one block of its producer's pool.
#[derive(Clone, Copy)]
struct Pool {
    ring: Ring,
    state: &'static StateWord,
    bytes: LaneBytes,
    in_hand: &'static InHand,
}

#[derive(Clone, Copy, PartialEq)]
enum Rule {
    AsItIs,
    /// The block is tied to its record after that was published.
    PostedLate,
    /// The block is free before its bytes were copied.
    FreedBeforeTheCopy,
    /// The head moves before the copy, so that recovery frees what a living process copies.
    HeadBeforeTheCopy,
    /// Recovery frees all that a dead producer had posted.
    TailIgnored,
    /// Recovery frees all that a dead consumer had been sent.
    HeadIgnored,
    /// Recovery frees nothing.
    NothingFreed,
}

impl Pool {
    fn new() -> Self {
        Self { ring: Ring::new(32), state: shared(), bytes: LaneBytes::on_heap(1), in_hand: shared() }
    }

    /// Posts a record whose bytes are in the block, if that is free.
    fn post(&self, lane: &mut Producer, number: u64, rule: Rule) -> bool {
        if !self.state.take() {
            return false;
        }
        self.bytes.set_word(0, number * 100);
        let body = [0; 8];
        let position = lane.position_for(body.len()).expect("there is room");
        if rule != Rule::PostedLate {
            self.state.post(CONSUMER, position);
        }
        lane.write(&numbered(number), &[&body]).expect("there is room");
        lane.publish();
        if rule == Rule::PostedLate {
            self.state.post(CONSUMER, position);
        }
        true
    }

    /// Takes all that is there: in hand, copy, head, free.
    fn take(&self, lane: &mut Consumer, begun: &mut Vec<u64>, rule: Rule) {
        let limit = lane.refresh().unwrap();
        while let Some(record) = lane.peek(limit).unwrap() {
            let number = number_of(&record);
            self.in_hand.set(&Held {
                lane: 0,
                kind: Kind::Receive,
                position: record.position,
                session: number,
                since_ns: 0,
            });
            if rule == Rule::FreedBeforeTheCopy {
                self.state.free_posted(CONSUMER, record.position);
            }
            if rule == Rule::HeadBeforeTheCopy {
                lane.pass(&record);
                lane.release();
                self.state.free_posted(CONSUMER, record.position);
            }
            assert_eq!(self.bytes.word(0), number * 100, "the block holds another record's bytes");
            step(Step::BytesCopied);
            if rule != Rule::HeadBeforeTheCopy {
                lane.pass(&record);
                lane.release();
                self.state.free_posted(CONSUMER, record.position);
            }
            begun.push(number);
            self.in_hand.clear();
        }
    }

    /// What the manager does in the pool and the lanes of a dead producer.
    fn recover_producer(&self, rule: Rule) {
        let published = |_| if rule == Rule::TailIgnored { 0 } else { self.ring.state.published() };
        if rule != Rule::NothingFreed {
            self.state.free_unpublished(published);
        }
    }

    /// And in others' pools for a dead consumer.
    fn recover_consumer(&self, rule: Rule) {
        if let Some(held) = self.in_hand.get() {
            self.ring.consumer().skip(held.position);
        }
        self.in_hand.clear();
        let head = if rule == Rule::HeadIgnored { self.ring.state.published() } else { self.ring.state.taken() };
        if rule != Rule::NothingFreed {
            self.state.free_taken(CONSUMER, head, || {});
        }
    }

    /// Nothing is left in use once everything was taken.
    fn assert_free(&self) {
        assert_eq!(self.ring.state.taken(), self.ring.state.published(), "a record was left");
        assert_eq!(self.state.load(), BlockState::Free, "a block is in use for ever");
    }
}

/// The producer dies at a step of its first post, and the next process of its seat posts; the consumer takes.
fn producer_dies(dies_at: Step, rule: Rule) {
    check_reaching(4, move || {
        let pool = Pool::new();
        let (mut lane, mut consumer) = (pool.ring.producer(), pool.ring.consumer());
        let taker = thread::spawn(move || {
            let mut begun = Vec::new();
            pool.take(&mut consumer, &mut begun, rule);
            pool.take(&mut consumer, &mut begun, rule);
            (consumer, begun)
        });
        live_until(Some(dies_at), || {
            pool.post(&mut lane, 1, rule);
        });
        pool.recover_producer(rule);
        let posted = pool.post(&mut pool.ring.producer(), 2, Rule::AsItIs);
        let (mut consumer, mut begun) = taker.join().unwrap();
        let met = !begun.is_empty();
        pool.take(&mut consumer, &mut begun, rule);
        pool.assert_free();
        let was_published = dies_at == Step::TailStored;
        let expected: &[u64] = match (was_published, posted) {
            (true, true) => &[1, 2],
            (true, false) => &[1],
            (false, _) => &[2],
        };
        assert_eq!(begun, expected);
        posted && met
    });
}

/// The consumer dies at a step of its first take, and the next one goes on; the producer posts when the block is free.
fn consumer_dies(dies_at: Option<Step>, rule: Rule) {
    check_reaching(4, move || {
        let pool = Pool::new();
        let (mut lane, mut consumer) = (pool.ring.producer(), pool.ring.consumer());
        pool.post(&mut lane, 1, rule);
        let other = thread::spawn(move || {
            // Who finds no block tries again later.
            let posted = pool.post(&mut lane, 2, rule);
            posted || pool.post(&mut lane, 2, rule)
        });
        let mut begun = Vec::new();
        live_until(dies_at, || pool.take(&mut consumer, &mut begun, rule));
        pool.recover_consumer(rule);
        let mut next = pool.ring.consumer();
        pool.take(&mut next, &mut begun, Rule::AsItIs);
        let posted = other.join().unwrap();
        pool.take(&mut next, &mut begun, Rule::AsItIs);
        pool.assert_free();
        begun.retain(|number| *number != 1);
        assert_eq!(begun, if posted { vec![2] } else { vec![] });
        posted
    });
}

/// Both die; the manager recovers one after the other.
fn both_die(producer_at: Step, consumer_at: Step, consumer_first: bool) {
    check_reaching(4, move || {
        let pool = Pool::new();
        let (mut lane, mut consumer) = (pool.ring.producer(), pool.ring.consumer());
        let other = thread::spawn(move || {
            live_until(Some(producer_at), || {
                pool.post(&mut lane, 1, Rule::AsItIs);
            });
        });
        let mut begun = Vec::new();
        let lived = live_until(Some(consumer_at), || pool.take(&mut consumer, &mut begun, Rule::AsItIs));
        if consumer_first {
            pool.recover_consumer(Rule::AsItIs);
        }
        other.join().unwrap();
        pool.recover_producer(Rule::AsItIs);
        if !consumer_first {
            pool.recover_consumer(Rule::AsItIs);
        }
        let mut next = pool.ring.consumer();
        pool.take(&mut next, &mut begun, Rule::AsItIs);
        pool.assert_free();
        assert!(pool.post(&mut pool.ring.producer(), 2, Rule::AsItIs));
        pool.take(&mut next, &mut begun, Rule::AsItIs);
        pool.assert_free();
        assert_eq!(begun.iter().filter(|number| **number == 2).count(), 1);
        assert!(begun.len() <= 2);
        !lived || producer_at != Step::TailStored
    });
}

#[test]
fn a_block_is_free_again_whose_producer_died_while_it_filled_it() {
    producer_dies(Step::BlockFilling, Rule::AsItIs);
}

#[test]
fn a_block_is_free_again_whose_producer_died_before_it_wrote_the_record() {
    producer_dies(Step::BlockPosted, Rule::AsItIs);
}

#[test]
fn a_block_is_free_again_whose_producer_died_before_it_published() {
    producer_dies(Step::BodyCopied, Rule::AsItIs);
}

#[test]
fn a_block_stays_with_its_record_whose_producer_died_after_it_published() {
    producer_dies(Step::TailStored, Rule::AsItIs);
}

#[test]
fn a_block_is_free_again_whose_consumer_died_before_the_copy() {
    consumer_dies(Some(Step::InHandWritten), Rule::AsItIs);
}

#[test]
fn a_block_is_free_again_whose_consumer_died_before_the_head() {
    consumer_dies(Some(Step::BytesCopied), Rule::AsItIs);
}

#[test]
fn a_block_is_free_again_whose_consumer_died_behind_the_head() {
    consumer_dies(Some(Step::HeadStored), Rule::AsItIs);
}

#[test]
fn a_block_is_freed_once_whose_consumer_died_when_it_had_freed_it() {
    consumer_dies(Some(Step::BlockFreed), Rule::AsItIs);
}

#[test]
fn a_block_is_free_again_when_both_have_died() {
    for producer_at in [Step::BlockFilling, Step::BlockPosted, Step::BodyCopied, Step::TailStored] {
        for consumer_at in [Step::InHandWritten, Step::BytesCopied, Step::HeadStored, Step::BlockFreed] {
            for consumer_first in [false, true] {
                both_die(producer_at, consumer_at, consumer_first);
            }
        }
    }
}

fails!(fails_if_the_block_is_posted_after_its_record, "panicked", producer_dies(Step::TailStored, Rule::PostedLate));
fails!(fails_if_a_block_is_freed_before_the_copy, "panicked", consumer_dies(None, Rule::FreedBeforeTheCopy));
fails!(fails_if_the_head_moves_before_the_copy, "panicked", consumer_dies(None, Rule::HeadBeforeTheCopy));
fails!(fails_if_recovery_ignores_the_tail, "panicked", producer_dies(Step::TailStored, Rule::TailIgnored));
fails!(fails_if_recovery_ignores_the_head, "panicked", consumer_dies(Some(Step::InHandCleared), Rule::HeadIgnored));
fails!(
    fails_if_recovery_leaves_a_dead_producers_blocks,
    "in use for ever",
    producer_dies(Step::BlockPosted, Rule::NothingFreed)
);
fails!(
    fails_if_recovery_leaves_a_dead_consumers_blocks,
    "in use for ever",
    consumer_dies(Some(Step::HeadStored), Rule::NothingFreed)
);

/// A reactor sends from the block of a dead process after the record is gone from the lane; the manager punches free
/// blocks out meanwhile, and the next process of the seat posts.
fn kept(keeps: bool, takes: bool) {
    check_reaching(4, move || {
        let pool = Pool::new();
        let (mut lane, mut consumer) = (pool.ring.producer(), pool.ring.consumer());
        pool.post(&mut lane, 1, Rule::AsItIs);
        let manager = thread::spawn(move || {
            pool.recover_producer(Rule::AsItIs);
            punch_if_free(&pool, takes);
            pool.post(&mut pool.ring.producer(), 2, Rule::AsItIs)
        });
        let limit = consumer.refresh().unwrap();
        let record = consumer.peek(limit).unwrap().expect("it was posted");
        let posted = BlockState::Posted { consumer: CONSUMER, position: record.position };
        let next = if keeps { BlockState::Kept } else { BlockState::Free };
        assert!(pool.state.change(posted, next));
        consumer.pass(&record);
        consumer.release();
        assert_eq!(pool.bytes.word(0), 100, "the block holds another record's bytes");
        pool.state.change(BlockState::Kept, BlockState::Free);
        let posted = manager.join().unwrap();
        pool.take(&mut consumer, &mut Vec::new(), Rule::AsItIs);
        pool.assert_free();
        posted
    });
}

/// Takes the block, so that nobody else does, gives its memory back, and frees it.
fn punch_if_free(pool: &Pool, takes: bool) {
    if takes {
        if pool.state.change(BlockState::Free, BlockState::Filling) {
            pool.bytes.set_word(0, 0);
            pool.state.change(BlockState::Filling, BlockState::Free);
        }
    } else if pool.state.load() == BlockState::Free {
        pool.bytes.set_word(0, 0);
    }
}

#[test]
fn a_block_that_a_reactor_keeps_is_nobody_elses() {
    kept(true, true);
}

/// The owner's sweep against its own post cannot race; two processes that both think a block free can.
fn punched_while_taken(takes: bool) {
    check_reaching(4, move || {
        let pool = Pool::new();
        let (mut lane, mut consumer) = (pool.ring.producer(), pool.ring.consumer());
        let manager = thread::spawn(move || punch_if_free(&pool, takes));
        let posted = pool.post(&mut lane, 1, Rule::AsItIs);
        manager.join().unwrap();
        let mut begun = Vec::new();
        pool.take(&mut consumer, &mut begun, Rule::AsItIs);
        pool.assert_free();
        posted
    });
}

#[test]
fn a_block_that_is_punched_out_is_nobody_elses_meanwhile() {
    punched_while_taken(true);
}

fails!(fails_if_a_reactor_frees_what_it_sends_from, "panicked", kept(false, true));
fails!(fails_if_a_block_is_punched_out_without_taking_it, "panicked", punched_while_taken(false));
