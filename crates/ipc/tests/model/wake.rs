//! P3 and the wake-ups: a producer killed or stopped between any two of copy, tail, bitmap, fence, look and bell.
//!
//! The fence and the look that follow the bitmap change nothing that others see: a death there is a death at
//! [`Step::BitSet`].

use loom::thread;
use rotor_ipc::sync::{AtomicU64, Ordering, Step, step};
use rotor_ipc::wake::{SleepWord, Sleeper, fence_after_announcing, fence_after_publishing};

use crate::harness::{Inbox, Poster, Taker, check, live_until};

/// One producer dies at `step`, recovery follows; another lives and posts one.
fn killed(inbox: fn() -> Inbox, step: Option<Step>, recovery: fn(&Inbox)) {
    check(3, move || {
        let inbox = inbox();
        let mut taker = inbox.taker();
        let (mut dying, mut living) = (inbox.poster(0), inbox.poster(1));
        let first = thread::spawn(move || {
            live_until(step, || dying.post(1));
            recovery(&inbox);
        });
        let second = thread::spawn(move || living.post(1));
        let seen = usize::from(step != Some(Step::BodyCopied));
        taker.take([seen, 1]);
        first.join().unwrap();
        second.join().unwrap();
        assert_eq!(taker.lanes[0].refresh().unwrap(), inbox.lanes[0].state.taken(), "more than was published");
    });
}

/// One producer stops at `step` for ever; what the other posts must arrive.
fn stopped(step: Option<Step>, records: u64, post: fn(&Inbox, &mut Poster, u64)) {
    check(3, move || {
        let inbox = Inbox::with_bitmap();
        let mut taker = inbox.taker();
        let (mut stopping, mut living) = (inbox.poster(0), inbox.poster(1));
        let first = thread::spawn(move || {
            live_until(step, || post(&inbox, &mut stopping, 1));
        });
        let second = thread::spawn(move || (1..=records).for_each(|number| post(&inbox, &mut living, number)));
        taker.take([0, rotor_ipc::to_usize(records)]);
        first.join().unwrap();
        second.join().unwrap();
    });
}

fn as_it_is(_: &Inbox, poster: &mut Poster, number: u64) {
    poster.post(number);
}

#[test]
fn a_producer_killed_before_the_tail_leaves_nothing_visible() {
    killed(Inbox::with_bitmap, Some(Step::BodyCopied), Inbox::mark_and_wake);
}

#[test]
fn a_record_arrives_whose_producer_was_killed_before_the_bitmap() {
    killed(Inbox::with_bitmap, Some(Step::TailStored), Inbox::mark_and_wake);
}

#[test]
fn a_record_arrives_whose_producer_was_killed_before_its_look() {
    killed(Inbox::with_bitmap, Some(Step::BitSet), Inbox::mark_and_wake);
}

#[test]
fn a_record_arrives_whose_producer_was_killed_before_the_bell() {
    killed(Inbox::with_bitmap, Some(Step::SleepWordSeen), Inbox::mark_and_wake);
}

#[test]
fn two_producers_that_live_are_both_heard() {
    killed(Inbox::with_bitmap, None, |_| {});
}

#[test]
fn a_record_arrives_without_a_bitmap_whose_producer_was_killed_before_its_look() {
    killed(Inbox::without_bitmap, Some(Step::TailStored), Inbox::mark_and_wake);
}

#[test]
fn a_record_arrives_without_a_bitmap_whose_producer_was_killed_before_the_bell() {
    killed(Inbox::without_bitmap, Some(Step::SleepWordSeen), Inbox::mark_and_wake);
}

#[test]
fn a_stopped_producer_delays_nobody_else_before_the_tail() {
    stopped(Some(Step::BodyCopied), 1, as_it_is);
}

#[test]
fn a_stopped_producer_delays_nobody_else_before_the_bitmap() {
    stopped(Some(Step::TailStored), 1, as_it_is);
}

#[test]
fn a_stopped_producer_delays_nobody_else_before_its_look() {
    stopped(Some(Step::BitSet), 1, as_it_is);
}

#[test]
fn a_stopped_producer_delays_nobody_else_before_the_bell() {
    stopped(Some(Step::SleepWordSeen), 2, as_it_is);
}

#[test]
fn a_wait_that_ends_by_itself_is_followed_by_one_with_a_value_of_its_own() {
    timeout(|taker| {
        taker.sleeper.awake();
        taker.sleeper.announce();
    });
}

#[test]
fn the_next_process_hears_a_producer_that_has_woken_the_one_before() {
    consumer_dies(|_| {});
}

fails!(fails_without_the_fence_of_the_producer, "deadlock", {
    stopped(Some(Step::BodyCopied), 1, |_, poster, number| {
        poster.publish(number);
        poster.marker.mark();
        poster.waker.wake();
    });
});

fails!(fails_without_the_fence_of_the_sleeper, "deadlock", {
    check(2, || {
        let inbox = Inbox::with_bitmap();
        let mut taker = inbox.taker();
        let mut poster = inbox.poster(1);
        let other = thread::spawn(move || poster.post(1));
        while !taker.has([0, 1]) {
            taker.sleeper.announce();
            if !taker.look() {
                taker.bell.wait(&mut taker.heard);
            }
            taker.sleeper.awake();
            taker.look();
        }
        other.join().unwrap();
    });
});

fails!(fails_without_the_last_look_before_the_sleep, "deadlock", {
    check(2, || {
        let inbox = Inbox::with_bitmap();
        let mut taker = inbox.taker();
        let mut poster = inbox.poster(1);
        let other = thread::spawn(move || poster.post(1));
        taker.look();
        while !taker.has([0, 1]) {
            taker.sleeper.announce();
            fence_after_announcing();
            taker.bell.wait(&mut taker.heard);
            taker.sleeper.awake();
            taker.look();
        }
        other.join().unwrap();
    });
});

fails!(fails_without_the_rescan_mark, "deadlock", {
    killed(Inbox::with_bitmap, Some(Step::TailStored), |inbox| inbox.bell.write());
});

fails!(fails_without_waking_after_a_death, "deadlock", {
    killed(Inbox::with_bitmap, Some(Step::SleepWordSeen), |_| {});
});

fails!(fails_with_a_flag_that_producers_swap_back, "deadlock", {
    stopped(Some(Step::SleepWordSeen), 1, |inbox, poster, number| {
        poster.publish(number);
        poster.marker.mark();
        fence_after_publishing();
        if raw(inbox.sleep).swap(0, Ordering::AcqRel) & 1 == 1 {
            step(Step::SleepWordSeen);
            inbox.bell.write();
        }
    });
});

fails!(fails_if_a_bit_that_is_set_is_not_set_again, "deadlock", {
    stopped(None, 2, |inbox, poster, number| {
        poster.publish(number);
        // The bit of the lane that is waited for; the other one's posts are as they should be.
        let bit = inbox.bit(1);
        if inbox.words[0].load(Ordering::Relaxed) & bit == 0 || number == 1 {
            poster.marker.mark();
        }
        fence_after_publishing();
        poster.waker.wake();
    });
});

fails!(fails_with_one_value_for_two_waits, "deadlock", timeout(|_| {}));

fails!(fails_if_the_counter_starts_again, "deadlock", {
    consumer_dies(|inbox| raw(inbox.sleep).store(0, Ordering::Relaxed));
});

/// Two records; the first wait ends by itself, takes what is there, and another wait follows.
fn timeout(between: fn(&mut Taker)) {
    check(3, move || {
        let inbox = Inbox::with_bitmap();
        let mut taker = inbox.taker();
        let mut poster = inbox.poster(1);
        let other = thread::spawn(move || (1..=2).for_each(|number| poster.post(number)));
        taker.sleeper.announce();
        fence_after_announcing();
        taker.look();
        // Here it waits. Something else ends the wait, and the edge that has come meanwhile is gone.
        taker.bell.hear(&mut taker.heard);
        taker.look();
        between(&mut taker);
        fence_after_announcing();
        if !taker.look() && !taker.has([0, 2]) {
            taker.bell.wait(&mut taker.heard);
        }
        taker.sleeper.awake();
        taker.take([0, 2]);
        other.join().unwrap();
    });
}

/// The consumer dies asleep after a producer has rung for it; that producer posts to the next one.
fn consumer_dies(before_the_next: fn(&Inbox)) {
    check(3, move || {
        let inbox = Inbox::with_bitmap();
        let mut poster = inbox.poster(1);
        Sleeper::attach(inbox.sleep).announce();
        poster.post(1);
        let other = thread::spawn(move || poster.post(2));
        inbox.mark_and_wake();
        before_the_next(&inbox);
        let mut taker = inbox.taker();
        // Its own epoll has told it once that the bell had rung before.
        taker.bell.hear(&mut taker.heard);
        taker.take([0, 2]);
        other.join().unwrap();
    });
}

/// The word itself, for bugs that the types do not allow.
fn raw(word: &'static SleepWord) -> &'static AtomicU64 {
    // SAFETY: a sleep word is a transparent wrapper of an atomic.
    unsafe { &*(&raw const *word).cast::<AtomicU64>() }
}
