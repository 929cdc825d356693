//! P3, P4, P6 and the stop: half records, the end of the ring, waiting for room, a consumer that dies with a record
//! in hand, closed lanes.

use loom::thread;
use rotor_ipc::lane::{Consumer, PostError, Producer, Record};
use rotor_ipc::record::Kind;
use rotor_ipc::sync::{AtomicU64, Bell, Ordering, Step, step};
use rotor_ipc::wake::{SleepWord, Sleeper, Waker, fence_after_announcing, fence_after_publishing};
use rotor_ipc::workers::{Held, InHand};

use crate::harness::{Inbox, Ring, Taker, check, check_reaching, live_until, number_of, numbered, shared};

#[test]
fn a_producer_killed_inside_a_post_leaves_nothing_visible_and_the_next_one_goes_on() {
    check_reaching(6, || {
        let ring = Ring::new(16);
        let (mut dying, mut consumer) = (ring.producer(), ring.consumer());
        let taker = thread::spawn(move || {
            let mut taken = Vec::new();
            for _ in 0..3 {
                take_with_body(&mut consumer, &mut taken);
            }
            (consumer, taken)
        });
        live_until(Some(Step::BodyCopied), || {
            dying.write(&numbered(666), &[&[1; 8]]).unwrap();
        });
        // Reaped and recovered: the next process of the seat.
        let mut next = ring.producer();
        for number in [1, 2] {
            next.write(&numbered(number), &[&number.to_ne_bytes()]).unwrap();
            next.publish();
        }
        let (mut consumer, mut taken) = taker.join().unwrap();
        let before = taken.len();
        take_with_body(&mut consumer, &mut taken);
        assert_eq!(taken, [1, 2]);
        before == 1
    });
}

#[test]
fn a_batch_becomes_visible_whole() {
    check(4, || {
        let ring = Ring::new(16);
        let (mut producer, mut consumer) = (ring.producer(), ring.consumer());
        let other = thread::spawn(move || {
            for number in [1, 2] {
                producer.write(&numbered(number), &[&number.to_ne_bytes()]).unwrap();
            }
            producer.publish();
        });
        let mut taken = Vec::new();
        take_with_body(&mut consumer, &mut taken);
        assert!(taken.is_empty() || taken == [1, 2], "{taken:?}");
        other.join().unwrap();
    });
}

#[test]
fn a_producer_waits_for_room_across_the_end_of_the_ring() {
    room(Room::AsItIs);
}

fails!(fails_if_the_head_moves_before_the_copy, "ausality violation", room(Room::HeadFirst));
fails!(fails_without_the_fence_of_the_one_that_gives_room, "deadlock", room(Room::NoFenceOfTaker));
fails!(fails_without_the_fence_of_the_one_that_wants_room, "deadlock", room(Room::NoFenceOfPoster));
fails!(fails_if_the_one_that_wants_room_does_not_look_again, "deadlock", room(Room::NoSecondLook));

#[derive(Clone, Copy, PartialEq)]
enum Room {
    AsItIs,
    HeadFirst,
    NoFenceOfTaker,
    NoFenceOfPoster,
    NoSecondLook,
}

/// Four records through a lane that holds two, so that the ring wraps with a gap before its end.
fn room(rule: Room) {
    check(3, move || {
        let ring = Ring::new(8);
        let (sleep, taker_bell, poster_bell): (&'static SleepWord, &'static Bell, &'static Bell) =
            (shared(), shared(), shared());
        let (mut producer, mut consumer) = (ring.producer(), ring.consumer());
        let other = thread::spawn(move || {
            let (mut sleeper, mut heard) = (Sleeper::attach(ring.state.room()), 0);
            let mut waker = Waker::new(sleep, taker_bell);
            for number in 1..=4 {
                let mut posted = post_if_there_is_room(&mut producer, number).is_ok();
                while !posted {
                    sleeper.announce();
                    if rule != Room::NoFenceOfPoster {
                        fence_after_announcing();
                    }
                    posted = rule != Room::NoSecondLook && post_if_there_is_room(&mut producer, number).is_ok();
                    if !posted {
                        poster_bell.wait(&mut heard);
                        posted = post_if_there_is_room(&mut producer, number).is_ok();
                    }
                    sleeper.awake();
                }
                fence_after_publishing();
                waker.wake();
            }
        });
        let (mut sleeper, mut heard) = (Sleeper::attach(sleep), 0);
        let mut waker = Waker::new(ring.state.room(), poster_bell);
        let mut taken = Vec::new();
        while taken.len() < 4 {
            if !take_and_give_room(&mut consumer, rule, &mut waker, &mut taken) {
                sleeper.announce();
                fence_after_announcing();
                if !take_and_give_room(&mut consumer, rule, &mut waker, &mut taken) {
                    taker_bell.wait(&mut heard);
                }
                sleeper.awake();
            }
        }
        other.join().unwrap();
        assert_eq!(taken, [1, 2, 3, 4]);
    });
}

/// Once per batch: head, fence, look.
fn take_and_give_room(consumer: &mut Consumer, rule: Room, waker: &mut Waker, taken: &mut Vec<u64>) -> bool {
    let before = taken.len();
    let limit = consumer.refresh().unwrap();
    while let Some(record) = consumer.peek(limit).unwrap() {
        consumer.pass(&record);
        if rule == Room::HeadFirst {
            consumer.release();
        }
        taken.push(body_of(consumer, &record));
    }
    if taken.len() == before {
        return false;
    }
    consumer.release();
    if rule != Room::NoFenceOfTaker {
        fence_after_publishing();
    }
    waker.wake();
    true
}

fn post_if_there_is_room(producer: &mut Producer, number: u64) -> Result<(), PostError> {
    producer.write(&numbered(number), &[&number.to_ne_bytes()])?;
    producer.publish();
    Ok(())
}

fn body_of(consumer: &Consumer, record: &Record) -> u64 {
    assert_eq!(consumer.word(record, 0), Some(number_of(record)), "a record is not whole");
    number_of(record)
}

fn take_with_body(consumer: &mut Consumer, taken: &mut Vec<u64>) {
    let limit = consumer.refresh().unwrap();
    while let Some(record) = consumer.peek(limit).unwrap() {
        taken.push(body_of(consumer, &record));
        consumer.pass(&record);
    }
    consumer.release();
}

#[test]
fn the_message_in_a_dead_hand_is_lost_before_its_copy() {
    taker_dies(Step::InHandWritten, Hand::AsItIs);
}

#[test]
fn the_message_in_a_dead_hand_is_lost_before_the_head_moved() {
    taker_dies(Step::BytesCopied, Hand::AsItIs);
}

#[test]
fn the_message_in_a_dead_hand_is_lost_after_the_head_moved() {
    taker_dies(Step::HeadStored, Hand::AsItIs);
}

#[test]
fn a_message_that_was_never_in_a_hand_is_not_lost() {
    taker_dies(Step::InHandCleared, Hand::AsItIs);
}

fails!(fails_if_recovery_leaves_the_message_in_hand, "taken twice", taker_dies(Step::BytesCopied, Hand::NotSkipped));
fails!(fails_if_the_hand_is_filled_after_the_head_moved, "lost unseen", taker_dies(Step::HeadStored, Hand::HeadFirst));
fails!(fails_if_recovery_does_not_compare_the_position, "lost unseen", taker_dies(Step::HeadStored, Hand::AnyPosition));

#[derive(Clone, Copy, PartialEq)]
enum Hand {
    AsItIs,
    NotSkipped,
    HeadFirst,
    AnyPosition,
}

/// The consumer dies at a step of its first take, and the next one goes on, while the producer posts.
fn taker_dies(dies_at: Step, rule: Hand) {
    check(4, move || {
        let ring = Ring::new(16);
        let mut producer = ring.producer();
        let mut dying = ring.consumer();
        let in_hand: &'static InHand = shared();
        let other = thread::spawn(move || {
            for number in [1, 2] {
                producer.write(&numbered(number), &[&number.to_ne_bytes()]).unwrap();
                producer.publish();
            }
        });
        let mut begun = Vec::new();
        live_until(Some(dies_at), || {
            take_in_hand(&mut dying, in_hand, rule, &mut begun);
        });
        let held = in_hand.get();
        let mut next = ring.consumer();
        if let Some(held) = held
            && rule != Hand::NotSkipped
        {
            let limit = next.refresh().unwrap();
            let position = match next.peek(limit).unwrap() {
                Some(record) if rule == Hand::AnyPosition => record.position,
                _ => held.position,
            };
            next.skip(position);
        }
        in_hand.clear();
        take_in_hand(&mut next, in_hand, Hand::AsItIs, &mut begun);
        other.join().unwrap();
        take_in_hand(&mut next, in_hand, Hand::AsItIs, &mut begun);
        let held = held.map(|held| held.session);
        for number in [1, 2] {
            let times = begun.iter().filter(|begun| **begun == number).count() + usize::from(held == Some(number));
            assert!(times <= 1, "message {number} was taken twice");
            assert!(times >= 1, "message {number} was lost unseen");
        }
    });
}

/// What a worker does with each message; `begun` are those whose callback has begun.
fn take_in_hand(lane: &mut Consumer, in_hand: &InHand, rule: Hand, begun: &mut Vec<u64>) {
    let limit = lane.refresh().unwrap();
    while let Some(record) = lane.peek(limit).unwrap() {
        let held = Held {
            lane: 0,
            kind: Kind::Receive,
            position: record.position,
            session: record.header.session,
            since_ns: 0,
        };
        if rule != Hand::HeadFirst {
            in_hand.set(&held);
        }
        let number = body_of(lane, &record);
        step(Step::BytesCopied);
        lane.pass(&record);
        lane.release();
        if rule == Hand::HeadFirst {
            in_hand.set(&held);
        }
        begun.push(number);
        in_hand.clear();
    }
}

#[test]
fn a_worker_is_drained_when_all_lanes_are_closed_and_empty() {
    stop(Stop::AsItIs);
}

#[test]
fn a_closed_lane_is_closed_for_the_next_process_too() {
    stop(Stop::TakerDies);
}

fails!(fails_if_a_lane_is_closed_without_a_position, "left in the lane", stop(Stop::BareFlag));
fails!(fails_if_the_last_look_is_at_records_alone, "deadlock", stop(Stop::RecordsAlone));
fails!(fails_if_closing_does_not_wake, "deadlock", stop(Stop::SilentClose));
fails!(fails_if_one_closed_lane_is_enough, "left in the lane", stop(Stop::OneIsEnough));

#[derive(Clone, Copy, PartialEq)]
enum Stop {
    AsItIs,
    TakerDies,
    BareFlag,
    RecordsAlone,
    SilentClose,
    OneIsEnough,
}

/// Two reactors post, close their lanes and wake; the worker ends when it is drained.
fn stop(rule: Stop) {
    check(2, move || {
        let inbox = Inbox::with_bitmap();
        let mut taker = inbox.taker();
        let flags: &'static [AtomicU64; 2] = shared();
        let [first, second] = [0, 1].map(|lane| {
            let mut poster = inbox.poster(lane);
            thread::spawn(move || {
                poster.post(1);
                poster.lane.close();
                flags[lane].store(1, Ordering::Release);
                if rule != Stop::SilentClose {
                    poster.marker.mark();
                    fence_after_publishing();
                    poster.waker.wake();
                }
            })
        });
        let mut begun = [0, 0];
        if rule == Stop::TakerDies {
            taker.look();
            begun = [taker.taken[0].len(), taker.taken[1].len()];
            inbox.mark_and_wake();
            let heard = taker.heard;
            taker = inbox.taker();
            taker.heard = heard;
        }
        let is_drained = |taker: &Taker, lane: usize| match rule {
            // Closed, and empty as far as was looked.
            Stop::BareFlag => flags[lane].load(Ordering::Acquire) == 1 && taker.lanes[lane].is_empty(),
            _ => taker.lanes[lane].is_drained(),
        };
        let is_done = |taker: &Taker| match rule {
            Stop::OneIsEnough => is_drained(taker, 0) || is_drained(taker, 1),
            _ => is_drained(taker, 0) && is_drained(taker, 1),
        };
        taker.look();
        while !is_done(&taker) {
            taker.sleep_unless(|taker| rule != Stop::RecordsAlone && is_done(taker));
            taker.look();
        }
        for lane in [0, 1] {
            begun[lane] += taker.taken[lane].len();
            assert_eq!(begun[lane], 1, "a record was left in the lane");
        }
        first.join().unwrap();
        second.join().unwrap();
    });
}

#[test]
fn a_sleep_word_is_only_odd_while_its_owner_sleeps() {
    let word: fn() -> &'static SleepWord = shared;
    check(2, move || {
        let word = word();
        let mut sleeper = Sleeper::attach(word);
        assert!(!word.is_asleep());
        sleeper.announce();
        assert!(word.is_asleep());
        let mut next = Sleeper::attach(word);
        assert!(!word.is_asleep(), "the next process is awake");
        next.announce();
        next.awake();
        assert!(!word.is_asleep());
    });
}
