//! The owner word and the wake-ups of a slot's inbox that passes from process to process (P4, P7).

use loom::thread;
use rotor_ipc::lane::Consumer;
use rotor_ipc::record::Kind;
use rotor_ipc::sync::{AtomicU64, Bell, Ordering, Step};
use rotor_ipc::wake::{SleepWord, Sleeper, Waker, fence_after_announcing, fence_after_publishing};
use rotor_ipc::workers::{Held, InHand, Owner, SlotEntry};

use crate::harness::{Inbox, Ring, Taker, check, check_reaching, live_until, number_of, numbered, owner_of, shared};

const OLD: u32 = 2;
const NEW: u32 = 3;

/// What the old process and the successor share beside the inbox. The successor has both bells in one epoll: here
/// it is one bell.
#[derive(Clone, Copy)]
struct Slot {
    inbox: Inbox,
    entry: &'static SlotEntry,
    new_seat: &'static SleepWord,
    old_takes: &'static AtomicU64,
}

impl Slot {
    fn new() -> Self {
        let slot = Self { inbox: Inbox::with_bitmap(), entry: shared(), new_seat: shared(), old_takes: shared() };
        slot.entry.appoint(OLD);
        slot.entry.offer(OLD, NEW);
        slot
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Rule {
    AsItIs,
    /// The new owner trusts the bits that it finds.
    BitsTrusted,
    /// The old one wakes nobody.
    NoWakeOfTheSeat,
    /// It wakes without a fence behind its commit.
    NoFence,
    /// It dies between its commit and its fence, and nobody recovers.
    NoRecovery,
    /// The successor takes without looking who owns: both move the head.
    NotAsked,
}

/// The old one takes what it sees and commits; a reactor posts two; the successor sleeps and takes the rest.
fn handover(rule: Rule, killed: bool) {
    check(2, move || {
        let slot = Slot::new();
        let mut old = slot.inbox.taker();
        let mut poster = slot.inbox.poster(0);
        let first = thread::spawn(move || {
            let lived = live_until(killed.then_some(Step::Committed), || {
                old.look();
                slot.old_takes.fetch_add(old.taken[0].len() as u64, Ordering::Relaxed);
                // Bits that it fetches and does not follow: the successor has to.
                old.marks.look();
                slot.entry.commit(OLD, NEW);
                if rule != Rule::NoWakeOfTheSeat {
                    if rule != Rule::NoFence {
                        fence_after_publishing();
                    }
                    Waker::new(slot.new_seat, slot.inbox.bell).wake();
                }
            });
            if !lived && rule != Rule::NoRecovery {
                assert_eq!(slot.entry.settle(OLD), NEW);
                slot.inbox.mark_and_wake();
            }
        });
        let second = thread::spawn(move || (1..=2).for_each(|number| poster.post(number)));
        let mut successor = Successor::new(slot, rule);
        successor.live();
        first.join().unwrap();
        second.join().unwrap();
        let taken = successor.taker.map_or(0, |taker| taker.taken[0].len() as u64);
        assert_eq!(taken + slot.old_takes.load(Ordering::Relaxed), 2, "a record was taken twice");
    });
}

struct Successor {
    slot: Slot,
    rule: Rule,
    seat: Sleeper,
    bell: &'static Bell,
    heard: u64,
    taker: Option<Taker>,
}

impl Successor {
    fn new(slot: Slot, rule: Rule) -> Self {
        let taker = (rule == Rule::NotAsked).then(|| slot.inbox.taker());
        Self { slot, rule, seat: Sleeper::attach(slot.new_seat), bell: slot.inbox.bell, heard: 0, taker }
    }

    fn live(&mut self) {
        loop {
            let found = self.look();
            if self.has_all() {
                return;
            }
            if found {
                continue;
            }
            self.seat.announce();
            if let Some(taker) = &mut self.taker {
                taker.sleeper.announce();
            }
            fence_after_announcing();
            if !self.look() {
                self.bell.wait(&mut self.heard);
            }
            self.seat.awake();
            if let Some(taker) = &mut self.taker {
                taker.sleeper.awake();
            }
        }
    }

    /// Becomes the owner, or takes. Says whether anything has changed.
    fn look(&mut self) -> bool {
        if let Some(taker) = &mut self.taker {
            return taker.look();
        }
        if owner_of(self.slot.entry) != Owner::Owned(NEW) {
            return false;
        }
        let mut taker = self.slot.inbox.taker();
        if self.rule == Rule::BitsTrusted {
            (0..9).for_each(|lane| taker.marks.clear(lane));
        }
        taker.look();
        self.taker = Some(taker);
        true
    }

    fn has_all(&self) -> bool {
        self.taker.is_some() && self.slot.inbox.lanes[0].state.taken() == 48
    }
}

#[test]
fn the_successor_takes_all_that_the_old_one_left() {
    handover(Rule::AsItIs, false);
}

#[test]
fn the_successor_takes_all_although_the_old_one_was_killed_at_its_commit() {
    handover(Rule::AsItIs, true);
}

fails!(fails_if_a_new_owner_trusts_the_bitmap, "deadlock", handover(Rule::BitsTrusted, false));
fails!(fails_if_nobody_wakes_the_successors_seat, "deadlock", handover(Rule::NoWakeOfTheSeat, false));
fails!(fails_without_the_fence_behind_the_commit, "deadlock", handover(Rule::NoFence, false));
fails!(fails_without_waking_after_a_death_at_the_commit, "deadlock", handover(Rule::NoRecovery, true));
fails!(fails_if_the_successor_does_not_ask_who_owns, "deadlock", handover(Rule::NotAsked, false));

#[derive(Clone, Copy, PartialEq)]
enum Withdrawal {
    ByCas,
    /// The manager writes what it wants to be true.
    ByStore,
}

/// The successor dies while the old one commits; the manager withdraws, and gives the inbox to the next process only
/// if that was too late. The record is taken by one of the two.
fn successor_dies(withdrawal: Withdrawal) {
    check(6, move || {
        let ring = Ring::new(16);
        let entry: &'static SlotEntry = shared();
        entry.appoint(OLD);
        entry.offer(OLD, NEW);
        let mut old = ring.consumer();
        let mut producer = ring.producer();
        producer.write(&numbered(1), &[]).unwrap();
        producer.publish();
        let owner = thread::spawn(move || if entry.commit(OLD, NEW) { 0 } else { take(&mut old) });
        let owned = match withdrawal {
            Withdrawal::ByCas => entry.settle(NEW),
            Withdrawal::ByStore => {
                entry.appoint(OLD);
                OLD
            }
        };
        let by_the_next = if owned == NEW {
            entry.appoint(NEW + 2);
            take(&mut ring.consumer())
        } else {
            0
        };
        let by_the_old = owner.join().unwrap();
        assert_eq!(by_the_old + by_the_next, 1, "taken by nobody or twice");
    });
}

#[test]
fn a_withdrawal_and_a_commit_leave_one_owner() {
    successor_dies(Withdrawal::ByCas);
}

fails!(fails_if_the_manager_withdraws_without_a_cas, "taken by nobody", successor_dies(Withdrawal::ByStore));

/// The old one dies with a record in hand and its offer open; recovery; the successor takes once it owns.
fn owner_dies(settled_first: bool) {
    check_reaching(6, move || {
        let ring = Ring::new(16);
        let entry: &'static SlotEntry = shared();
        let in_hand: &'static InHand = shared();
        entry.appoint(OLD);
        entry.offer(OLD, NEW);
        let mut old = ring.consumer();
        let mut producer = ring.producer();
        for number in [1, 2] {
            producer.write(&numbered(number), &[]).unwrap();
        }
        producer.publish();
        let manager = thread::spawn(move || {
            live_until(Some(Step::InHandWritten), || {
                take_in_hand(&mut old, in_hand);
            });
            if settled_first {
                entry.settle(OLD);
            }
            ring.consumer().skip(in_hand.get().expect("it died with it").position);
            entry.settle(OLD);
        });
        let owned_early = owner_of(entry) == Owner::Owned(NEW);
        let mut taken = if owned_early { take(&mut ring.consumer()) } else { 0 };
        manager.join().unwrap();
        assert_eq!(entry.owner(), Owner::Owned(NEW));
        taken += take(&mut ring.consumer());
        assert_eq!(taken, 1, "the record in the dead hand was taken again");
        owned_early
    });
}

#[test]
fn the_successor_does_not_find_the_record_that_the_old_one_died_with() {
    owner_dies(false);
}

fails!(fails_if_the_successor_owns_before_the_dead_hand_is_settled, "taken again", owner_dies(true));

fn take(lane: &mut Consumer) -> usize {
    let limit = lane.refresh().unwrap();
    let mut taken = 0;
    while let Some(record) = lane.peek(limit).unwrap() {
        number_of(&record);
        lane.pass(&record);
        lane.release();
        taken += 1;
    }
    taken
}

fn take_in_hand(lane: &mut Consumer, in_hand: &InHand) {
    let limit = lane.refresh().unwrap();
    while let Some(record) = lane.peek(limit).unwrap() {
        in_hand.set(&Held {
            lane: 0,
            kind: Kind::Receive,
            position: record.position,
            session: record.header.session,
            since_ns: 0,
        });
        lane.pass(&record);
        lane.release();
        in_hand.clear();
    }
}
