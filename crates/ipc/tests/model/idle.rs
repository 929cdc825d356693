//! The idle word of a slot with two reactors that hold back what finds nobody, and the death, handover and return of its
//! worker (P3 to P7).
//!
//! A lane is a head and a tail here: its own model is in `ring.rs`. Each reactor has one message.

use loom::thread;
use rotor_ipc::idle::{Giver, Idle, IdleWord, Wants};
use rotor_ipc::record::Kind;
use rotor_ipc::sync::{AtomicU64, Bell, Ordering, Padded, Step, fence, step};
use rotor_ipc::wake::{SleepWord, Sleeper, Waker, fence_after_announcing, fence_after_publishing};
use rotor_ipc::workers::{Held, InHand};

use crate::harness::{check, check_reaching, live_until, shared};

const REACTORS: usize = 2;
const RECORD: u64 = 8;

#[derive(Clone, Copy, PartialEq)]
enum Rule {
    AsItIs,
    /// A reactor holds back without trying once more.
    NotTriedAgain,
    /// It tries once more without a fence behind its bit.
    NoFenceOfTheReactor,
    /// A worker that becomes free does not look who wants it.
    NoLook,
    /// It looks without a fence behind its word.
    NoFenceOfTheWorker,
    /// It gives its word and wakes nobody.
    SilentGift,
    /// A reactor keeps what it was given and does not need.
    Kept,
    /// The end of any record frees the worker, as that of a close callback.
    AnyEndFrees,
    /// Recovery leaves the word as it finds it.
    NoRecovery,
    /// Recovery frees a worker whose record was not taken yet.
    UnreadFreed,
    /// The next process is free at once, whatever the word says.
    FreeWhenReady,
}

/// How the first process of the slot ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// Not at all.
    Lives,
    /// It is killed at this step, the next process takes over.
    Killed(Step),
    /// It hands over after its first record.
    HandsOver,
}

#[derive(Clone, Copy)]
struct Slot {
    rule: Rule,
    word: &'static IdleWord,
    wants: Wants,
    bits: &'static [AtomicU64],
    tails: &'static [AtomicU64; REACTORS],
    heads: &'static [AtomicU64; REACTORS],
    hand: &'static InHand,
    /// A callback runs.
    runs: &'static AtomicU64,
    /// Records that are done with, or died with their process.
    done: &'static AtomicU64,
    worker: Sleeps,
    reactors: [Sleeps; REACTORS],
}

#[derive(Clone, Copy)]
struct Sleeps {
    word: &'static SleepWord,
    bell: &'static Bell,
}

impl Sleeps {
    fn new() -> Self {
        Self { word: shared(), bell: shared() }
    }

    fn waker(self) -> Waker {
        Waker::new(self.word, self.bell)
    }
}

impl Slot {
    fn new(rule: Rule) -> Self {
        let bits: &'static [AtomicU64] = Box::leak(Box::new([AtomicU64::new(0)]));
        let given: &'static [Padded<AtomicU64>] = Box::leak(Box::new([Padded::default(), Padded::default()]));
        Self {
            rule,
            word: shared(),
            wants: Wants::new(bits, given, shared()),
            bits,
            tails: shared(),
            heads: shared(),
            hand: shared(),
            runs: shared(),
            done: shared(),
            worker: Sleeps::new(),
            reactors: [Sleeps::new(), Sleeps::new()],
        }
    }

    fn giver(self) -> Giver {
        let wakers = self.reactors.map(Sleeps::waker);
        Giver::new(self.wants, wakers.into())
    }

    fn is_over(self) -> bool {
        self.done.load(Ordering::Acquire) == REACTORS as u64
    }

    /// A record is done with: at the last one everybody may go.
    fn has_done(self) {
        if self.done.fetch_add(1, Ordering::AcqRel) + 1 == REACTORS as u64 {
            self.reactors.iter().for_each(|reactor| reactor.bell.write());
        }
    }
}

struct Process {
    slot: Slot,
    giver: Giver,
    sleeper: Sleeper,
    heard: u64,
}

impl Process {
    fn new(slot: Slot) -> Self {
        Self { slot, giver: slot.giver(), sleeper: Sleeper::attach(slot.worker.word), heard: 0 }
    }

    fn enter(&mut self) {
        if self.slot.rule == Rule::FreeWhenReady {
            self.slot.word.change_for_models(Idle::Claimed { reactor: 0, position: 0 }, Idle::Free);
        }
        self.giver.enter(self.slot.word);
    }

    /// Takes until all is done with, or so many records are.
    fn live(&mut self, most: usize) {
        let mut taken = 0;
        while !self.slot.is_over() && taken < most {
            if self.take() {
                taken += 1;
                continue;
            }
            self.sleeper.announce();
            fence_after_announcing();
            if !self.sees_record() {
                self.slot.worker.bell.wait(&mut self.heard);
            }
            self.sleeper.awake();
        }
    }

    fn sees_record(&self) -> bool {
        let slot = self.slot;
        slot.tails
            .iter()
            .zip(slot.heads)
            .any(|(tail, head)| tail.load(Ordering::Acquire) > head.load(Ordering::Relaxed))
    }

    fn take(&mut self) -> bool {
        let slot = self.slot;
        for reactor in 0..REACTORS {
            let head = slot.heads[reactor].load(Ordering::Relaxed);
            if slot.tails[reactor].load(Ordering::Acquire) == head {
                continue;
            }
            let held = Held { lane: reactor, kind: Kind::Receive, position: head, session: 1, since_ns: 0 };
            slot.hand.set(&held);
            slot.runs.store(1, Ordering::Relaxed);
            slot.heads[reactor].store(head + RECORD, Ordering::Release);
            step(Step::HeadStored);
            let claimed = Idle::Claimed { reactor: u16::try_from(reactor).unwrap_or(0), position: head };
            assert_eq!(slot.word.get(), claimed, "a record came to a worker that was not claimed for it");
            slot.runs.store(0, Ordering::Relaxed);
            self.end(claimed);
            slot.hand.clear();
            slot.has_done();
            return true;
        }
        false
    }

    /// The record is done with.
    fn end(&mut self, claimed: Idle) {
        let slot = self.slot;
        match slot.rule {
            Rule::NoLook => assert!(slot.word.change_for_models(claimed, Idle::Free)),
            Rule::SilentGift => match slot.bits[0].load(Ordering::Relaxed) {
                0 => self.giver.let_go(slot.word, claimed),
                bits => {
                    let reactor = u16::try_from(bits.trailing_zeros()).unwrap_or(0);
                    slot.word.change_for_models(claimed, Idle::Given(reactor));
                }
            },
            _ => self.giver.let_go(slot.word, claimed),
        }
    }
}

struct Reactor {
    slot: Slot,
    number: u16,
    giver: Giver,
    worker: Waker,
    sleeper: Sleeper,
    heard: u64,
    has_message: bool,
    wants: bool,
}

impl Reactor {
    fn new(slot: Slot, number: u16) -> Self {
        let sleeps = slot.reactors[usize::from(number)];
        Self {
            slot,
            number,
            giver: slot.giver(),
            worker: slot.worker.waker(),
            sleeper: Sleeper::attach(sleeps.word),
            heard: 0,
            has_message: true,
            wants: false,
        }
    }

    fn live(&mut self) {
        while !self.slot.is_over() {
            self.slot.wants.was_given(self.number);
            self.turn();
            self.sleeper.announce();
            fence_after_announcing();
            if !self.slot.wants.has_gift(self.number) && !self.slot.is_over() {
                self.slot.reactors[usize::from(self.number)].bell.wait(&mut self.heard);
            }
            self.sleeper.awake();
        }
    }

    fn turn(&mut self) {
        let slot = self.slot;
        if self.has_message && !self.post() && !self.wants {
            self.wants = true;
            slot.wants.want(self.number);
            if slot.rule != Rule::NotTriedAgain {
                self.post();
            }
        }
        if !self.has_message {
            if self.wants {
                self.wants = false;
                slot.wants.want_no_more(self.number);
            }
            if slot.word.get() == Idle::Given(self.number) {
                self.giver.let_go(slot.word, Idle::Given(self.number));
            }
        }
    }

    fn post(&mut self) -> bool {
        let slot = self.slot;
        let number = usize::from(self.number);
        if !slot.word.claim(self.number, 0) {
            return false;
        }
        let other = 1 - number;
        let waits = slot.tails[other].load(Ordering::Relaxed) != slot.heads[other].load(Ordering::Relaxed);
        assert!(!waits && slot.runs.load(Ordering::Relaxed) == 0, "claimed twice");
        self.has_message = false;
        slot.tails[number].store(RECORD, Ordering::Release);
        fence_after_publishing();
        self.worker.wake();
        true
    }
}

/// The manager, when the process is dead.
fn recover(slot: Slot) {
    if let Some(held) = slot.hand.get() {
        let head = &slot.heads[held.lane];
        if head.load(Ordering::Acquire) == held.position {
            head.store(held.position + RECORD, Ordering::Release);
        }
        slot.runs.store(0, Ordering::Relaxed);
        slot.hand.clear();
        slot.has_done();
    }
    match slot.rule {
        Rule::NoRecovery => {}
        Rule::UnreadFreed => slot.word.settle(|_| Some(RECORD)),
        _ => slot.word.settle(|reactor| Some(slot.heads[usize::from(reactor)].load(Ordering::Acquire))),
    }
    slot.reactors.iter().for_each(|reactor| reactor.bell.write());
}

/// Two reactors with a message each, and the processes of a slot.
fn dispatch(preemptions: usize, rule: Rule, end: End) {
    check_reaching(preemptions, move || {
        let slot = Slot::new(rule);
        let [mut one, mut two] = [0, 1].map(|number| Reactor::new(slot, number));
        let mut first = Process::new(slot);
        let one = thread::spawn(move || one.live());
        let two = thread::spawn(move || two.live());
        let reached = match end {
            End::Lives => {
                first.enter();
                first.live(usize::MAX);
                true
            }
            End::Killed(step) => {
                let lived = live_until(Some(step), || {
                    first.enter();
                    first.live(usize::MAX);
                });
                if !lived {
                    recover(slot);
                    let heard = first.heard;
                    let mut next = Process { heard, ..Process::new(slot) };
                    next.enter();
                    next.live(usize::MAX);
                }
                !lived
            }
            End::HandsOver => {
                first.enter();
                first.live(1);
                let heard = first.heard;
                let mut next = Process { heard, ..Process::new(slot) };
                next.enter();
                next.live(usize::MAX);
                true
            }
        };
        one.join().unwrap();
        two.join().unwrap();
        assert!(slot.is_over(), "a message was not handled");
        reached
    });
}

#[test]
fn two_reactors_share_a_worker_and_neither_is_forgotten() {
    dispatch(1, Rule::AsItIs, End::Lives);
}

#[test]
fn a_worker_that_hands_over_leaves_the_word_as_it_is() {
    dispatch(1, Rule::AsItIs, End::HandsOver);
}

#[test]
fn a_worker_killed_with_its_record_in_hand_is_away_until_the_next_is_ready() {
    dispatch(1, Rule::AsItIs, End::Killed(Step::InHandWritten));
}

#[test]
fn a_worker_killed_behind_the_head_is_away_until_the_next_is_ready() {
    dispatch(1, Rule::AsItIs, End::Killed(Step::HeadStored));
}

#[test]
fn a_worker_killed_when_it_has_freed_itself_is_away_until_the_next_is_ready() {
    dispatch(1, Rule::AsItIs, End::Killed(Step::Freed));
}

#[test]
fn a_worker_killed_between_its_gift_and_the_mark_leaves_nobody_waiting() {
    dispatch(1, Rule::AsItIs, End::Killed(Step::Given));
}

#[test]
fn a_worker_killed_between_the_mark_and_the_bell_leaves_nobody_waiting() {
    dispatch(1, Rule::AsItIs, End::Killed(Step::GiftMarked));
}

fails!(fails_if_a_reactor_does_not_try_again, "deadlock", dispatch(2, Rule::NotTriedAgain, End::Lives));
fails!(fails_if_a_free_worker_does_not_look, "deadlock", dispatch(2, Rule::NoLook, End::Lives));
fails!(fails_if_a_gift_wakes_nobody, "deadlock", dispatch(2, Rule::SilentGift, End::Lives));
fails!(fails_without_recovery_of_the_word, "deadlock", dispatch(2, Rule::NoRecovery, End::Killed(Step::HeadStored)));
/// A worker becomes free while a reactor is about to hold back: one of the two has to see the other.
fn hold_beside_an_end(rule: Rule) {
    check(4, move || {
        let slot = Slot::new(rule);
        let claimed = Idle::Claimed { reactor: 0, position: 0 };
        slot.word.change_for_models(Idle::Away, claimed);
        let reactor = thread::spawn(move || {
            if slot.rule == Rule::NoFenceOfTheReactor {
                slot.bits[0].fetch_or(2, Ordering::Relaxed);
            } else {
                slot.wants.want(1);
            }
            slot.word.claim(1, 0)
        });
        slot.word.change_for_models(claimed, Idle::Free);
        if rule != Rule::NoFenceOfTheWorker {
            fence(Ordering::SeqCst);
        }
        let sees_wish = slot.bits[0].load(Ordering::Relaxed) != 0;
        assert!(reactor.join().unwrap() || sees_wish, "neither sees the other");
    });
}

#[test]
fn a_reactor_that_holds_back_and_a_worker_that_becomes_free_see_each_other() {
    hold_beside_an_end(Rule::AsItIs);
}

fails!(fails_without_the_fence_of_the_reactor, "neither sees the other", hold_beside_an_end(Rule::NoFenceOfTheReactor));
fails!(fails_without_the_fence_of_the_worker, "neither sees the other", hold_beside_an_end(Rule::NoFenceOfTheWorker));

/// A worker has handed over, or has died with nothing in hand. A reactor claims it, or has claimed it, for a record that is
/// still to come; the next process takes over, and another reactor looks for a worker.
fn next_process_beside_a_claim(rule: Rule, is_dead: bool) {
    check_reaching(4, move || {
        let slot = Slot::new(rule);
        let mut process = Process::new(slot);
        process.enter();
        let claim = thread::spawn(move || slot.word.claim(0, 0));
        if is_dead {
            recover(slot);
        }
        process.enter();
        let second = slot.word.claim(1, 0);
        let first = claim.join().unwrap();
        assert!(!(first && second), "claimed twice");
        first
    });
}

#[test]
fn a_claim_whose_record_is_still_to_come_outlives_the_worker() {
    next_process_beside_a_claim(Rule::AsItIs, true);
}

#[test]
fn a_claim_whose_record_is_still_to_come_passes_to_the_successor() {
    next_process_beside_a_claim(Rule::AsItIs, false);
}

fails!(
    fails_if_recovery_frees_a_worker_whose_record_is_unread,
    "claimed twice",
    next_process_beside_a_claim(Rule::UnreadFreed, true)
);
fails!(
    fails_if_the_next_process_is_free_whatever_the_word_says,
    "claimed twice",
    next_process_beside_a_claim(Rule::FreeWhenReady, false)
);

/// A close callback ends while a claim is about to be followed by its record.
fn other_record(rule: Rule) {
    check(4, move || {
        let slot = Slot::new(rule);
        let mut process = Process::new(slot);
        process.enter();
        let claims = [0, 1].map(|number| {
            thread::spawn(move || {
                let claimed = slot.word.claim(number, 0);
                if claimed {
                    assert_eq!(slot.done.fetch_add(1, Ordering::AcqRel), 0, "claimed twice");
                }
            })
        });
        // The end of a record that no claim is for.
        match rule {
            Rule::AnyEndFrees => {
                for reactor in [0, 1] {
                    slot.word.change_for_models(Idle::Claimed { reactor, position: 0 }, Idle::Free);
                }
            }
            _ => process.giver.let_go(slot.word, Idle::Claimed { reactor: 0, position: RECORD }),
        }
        fence(Ordering::SeqCst);
        for claim in claims {
            claim.join().unwrap();
        }
    });
}

#[test]
fn no_other_record_frees_a_worker() {
    other_record(Rule::AsItIs);
}

fails!(fails_if_the_end_of_any_record_frees_a_worker, "claimed twice", other_record(Rule::AnyEndFrees));

/// A reactor wants no worker any more and does not look again for long; one that becomes free has just seen its wish.
fn stands_back_beside_a_gift(rule: Rule) {
    check(4, move || {
        let slot = Slot::new(rule);
        let claimed = Idle::Claimed { reactor: 0, position: 0 };
        let given = Idle::Given(1);
        slot.word.change_for_models(Idle::Away, claimed);
        slot.wants.want(1);
        let reactor = thread::spawn(move || {
            if slot.rule == Rule::NoFenceOfTheReactor {
                slot.bits[0].fetch_and(!2, Ordering::Relaxed);
            } else {
                slot.wants.want_no_more(1);
            }
            if slot.rule != Rule::Kept && slot.word.get() == given {
                slot.giver().let_go(slot.word, given);
            }
        });
        if rule == Rule::NoLook {
            let is_wanted = slot.bits[0].load(Ordering::Relaxed) != 0;
            slot.word.change_for_models(claimed, if is_wanted { given } else { Idle::Free });
            fence(Ordering::SeqCst);
        } else {
            slot.giver().let_go(slot.word, claimed);
        }
        reactor.join().unwrap();
        assert_eq!(slot.word.get(), Idle::Free, "a worker is kept for nobody");
    });
}

#[test]
fn a_reactor_that_stands_back_and_whoever_gives_it_a_worker_see_each_other() {
    stands_back_beside_a_gift(Rule::AsItIs);
}

fails!(fails_if_a_gift_is_kept_that_is_of_no_use, "a worker is kept for nobody", stands_back_beside_a_gift(Rule::Kept));
fails!(fails_if_the_giver_does_not_look_again, "a worker is kept for nobody", stands_back_beside_a_gift(Rule::NoLook));
fails!(
    fails_without_the_fence_of_the_reactor_that_stands_back,
    "a worker is kept for nobody",
    stands_back_beside_a_gift(Rule::NoFenceOfTheReactor)
);
