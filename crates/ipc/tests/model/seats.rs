//! P5 across handovers and deaths: a reactor's lanes from the two seats of a slot.

use loom::thread;
use rotor_ipc::lane::Producer;
use rotor_ipc::seats::SeatLanes;
use rotor_ipc::sync::{AtomicU32, Ordering};
use rotor_ipc::workers::{Generation, Owner, SeatEntry, SlotEntry, seat_of};

use crate::harness::{Ring, check_reaching, numbered, owner_of, shared, take_all};

/// A slot as one reactor sees it.
#[derive(Clone, Copy)]
struct Slot {
    entry: &'static SlotEntry,
    seats: [&'static SeatEntry; 2],
    rings: [Ring; 2],
    /// The generation whose death was posted, and the one that the reactor has acknowledged last.
    died: &'static AtomicU32,
    acknowledged: &'static AtomicU32,
}

impl Slot {
    /// With a first process, which owns the inbox.
    fn new(first: Generation) -> Self {
        let slot = Self {
            entry: shared(),
            seats: [shared(), shared()],
            rings: [Ring::new(32), Ring::new(32)],
            died: shared(),
            acknowledged: shared(),
        };
        slot.begin(first);
        slot.entry.appoint(first);
        slot
    }

    fn begin(&self, generation: Generation) {
        self.seats[seat_of(generation)].begin(generation, 0);
    }

    /// The manager, once `from` has committed: a new process in its seat, to which `owner` may hand over.
    fn begin_and_offer(&self, generation: Generation, owner: Generation) {
        self.begin(generation);
        self.entry.offer(owner, generation);
    }

    fn is_owned_by(&self, generation: Generation) -> bool {
        owner_of(self.entry) == Owner::Owned(generation)
    }

    fn producer(&self, seat: usize) -> Producer {
        self.rings[seat].producer()
    }

    fn post_death(&self, generation: Generation) {
        self.died.store(generation, Ordering::Release);
    }

    fn is_acknowledged(&self, generation: Generation) -> bool {
        self.acknowledged.load(Ordering::Acquire) == generation
    }
}

fn post(lane: &mut Producer, number: u64) {
    lane.write(&numbered(number), &[]).expect("there is room");
    lane.publish();
}

/// How a reactor takes from the two lanes.
#[derive(Clone, Copy, PartialEq)]
enum Rule {
    AsItIs,
    /// The elder's lane, then all of the younger's.
    NoNote,
    /// All of the younger's lane first.
    YoungerFirst,
    /// Where a death is found, the dead one's lane first.
    DeadFirst,
    /// Swaps elder and younger whenever one has died, and never looks at the generations.
    Swapped,
    /// Compares the generations, then looks at the lanes.
    GenerationsFirst,
    /// The manager does not wait for the acknowledgement.
    NoAcknowledgement,
}

struct Reactor {
    slot: Slot,
    lanes: SeatLanes,
    rule: Rule,
    elder: usize,
    acknowledged: Generation,
    taken: Vec<u64>,
}

impl Reactor {
    fn new(slot: Slot, rule: Rule, elder: usize) -> Self {
        let lanes = SeatLanes::new(slot.rings.map(|ring| ring.consumer()), slot.seats);
        Self { slot, lanes, rule, elder, acknowledged: 0, taken: Vec::new() }
    }

    fn round(&mut self) {
        let died = self.slot.died.load(Ordering::Acquire);
        let is_new = died != self.acknowledged;
        if is_new && self.rule == Rule::DeadFirst {
            self.take(seat_of(died), None);
        }
        match self.rule {
            Rule::AsItIs | Rule::DeadFirst | Rule::NoAcknowledgement => {
                for (seat, limit) in self.lanes.limits().unwrap() {
                    self.take(seat, Some(limit));
                }
            }
            Rule::Swapped | Rule::GenerationsFirst => {
                if self.rule == Rule::GenerationsFirst {
                    let [first, second] = self.slot.seats.map(SeatEntry::generation);
                    self.elder = usize::from(first > second);
                }
                let noted = self.lanes.lane(1 - self.elder).refresh().unwrap();
                self.take(self.elder, None);
                self.take(1 - self.elder, Some(noted));
            }
            Rule::NoNote | Rule::YoungerFirst => {
                let first = if self.rule == Rule::NoNote { self.elder } else { 1 - self.elder };
                self.take(first, None);
                self.take(1 - first, None);
            }
        }
        if is_new {
            self.acknowledged = died;
            self.slot.acknowledged.store(died, Ordering::Release);
        }
    }

    fn take(&mut self, seat: usize, limit: Option<u64>) {
        let lane = self.lanes.lane(seat);
        let limit = limit.unwrap_or_else(|| lane.refresh().unwrap());
        take_all(lane, limit, &mut self.taken);
    }

    /// The numbers are in the order in which they were posted. Says whether there were so many.
    fn has_taken(mut self, count: usize) -> bool {
        self.round();
        assert!(self.taken.is_sorted(), "overtaken: {:?}", self.taken);
        assert!(self.slot.rings.iter().all(|ring| ring.state.taken() == ring.state.published()), "lost");
        self.taken.len() == count
    }
}

/// An elder posts and hands over to a younger, which posts. `elder` is what a reactor holds for it that does not look.
fn two(slot: fn() -> Slot, rule: Rule, elder: usize) {
    check_reaching(4, move || {
        let slot = slot();
        let Owner::Owned(old) = slot.entry.owner() else { unreachable!("it has an owner") };
        let mut reactor = Reactor::new(slot, rule, elder);
        let mut lane = slot.producer(seat_of(old));
        let first = thread::spawn(move || {
            post(&mut lane, 1);
            post(&mut lane, 2);
            slot.entry.commit(old, old + 1);
        });
        slot.begin_and_offer(old + 1, old);
        let mut lane = slot.producer(seat_of(old + 1));
        let second = thread::spawn(move || {
            if slot.is_owned_by(old + 1) {
                post(&mut lane, 3);
            }
        });
        reactor.round();
        reactor.round();
        first.join().unwrap();
        second.join().unwrap();
        reactor.has_taken(3)
    });
}

/// Commit and take-over in one thread: the fewest switches for the most records.
fn joined(rule: Rule) {
    check_reaching(6, move || {
        let slot = Slot::new(2);
        let mut reactor = Reactor::new(slot, rule, 0);
        let mut lanes = [0, 1].map(|seat| slot.producer(seat));
        slot.begin_and_offer(3, 2);
        let other = thread::spawn(move || {
            post(&mut lanes[0], 1);
            post(&mut lanes[0], 2);
            slot.entry.commit(2, 3);
            post(&mut lanes[1], 3);
            post(&mut lanes[1], 4);
        });
        reactor.round();
        reactor.round();
        other.join().unwrap();
        reactor.has_taken(4)
    });
}

/// Generation 2 hands over to 3 and ends; 4 takes its seat once that is acknowledged, and 3 hands over to 4.
fn three(rule: Rule) {
    check_reaching(4, move || {
        let slot = Slot::new(2);
        let mut reactor = Reactor::new(slot, rule, 0);
        slot.begin_and_offer(3, 2);
        let mut lane = slot.producer(0);
        let seat_0 = thread::spawn(move || {
            post(&mut lane, 1);
            slot.entry.commit(2, 3);
            slot.post_death(2);
            if rule == Rule::NoAcknowledgement || slot.is_acknowledged(2) {
                slot.begin_and_offer(4, 3);
                let mut lane = slot.producer(0);
                if slot.is_owned_by(4) {
                    post(&mut lane, 3);
                }
            }
        });
        let mut lane = slot.producer(1);
        let seat_1 = thread::spawn(move || {
            if slot.is_owned_by(3) {
                post(&mut lane, 2);
                // Between two callbacks, as soon as it is offered; here: whether 4 is there yet or not.
                slot.entry.appoint(4);
            }
        });
        reactor.round();
        reactor.round();
        seat_0.join().unwrap();
        seat_1.join().unwrap();
        reactor.round();
        reactor.has_taken(3)
    });
}

/// The younger owns and dies while the elder has not ended; the next process takes the younger's seat.
fn younger_dies(rule: Rule) {
    check_reaching(4, move || {
        let slot = Slot::new(2);
        let mut reactor = Reactor::new(slot, rule, 0);
        slot.begin_and_offer(3, 2);
        let mut lane = slot.producer(0);
        let elder = thread::spawn(move || {
            post(&mut lane, 1);
            slot.entry.commit(2, 3);
        });
        let mut lane = slot.producer(1);
        let younger = thread::spawn(move || {
            let owned = slot.is_owned_by(3);
            if owned {
                post(&mut lane, 2);
            }
            slot.post_death(3);
            if owned && slot.is_acknowledged(3) {
                slot.begin(5);
                slot.entry.appoint(5);
                post(&mut slot.producer(1), 3);
            }
        });
        reactor.round();
        reactor.round();
        elder.join().unwrap();
        younger.join().unwrap();
        reactor.has_taken(3)
    });
}

/// The elder is killed with its offer open; the manager settles, and the younger owns.
fn elder_dies(rule: Rule) {
    check_reaching(4, move || {
        let slot = Slot::new(2);
        let mut reactor = Reactor::new(slot, rule, 0);
        slot.begin_and_offer(3, 2);
        let mut lane = slot.producer(0);
        let elder = thread::spawn(move || {
            post(&mut lane, 1);
            post(&mut lane, 2);
            slot.post_death(2);
            assert_eq!(slot.entry.settle(2), 3);
        });
        let mut lane = slot.producer(1);
        let younger = thread::spawn(move || {
            if slot.is_owned_by(3) {
                post(&mut lane, 3);
            }
        });
        reactor.round();
        reactor.round();
        elder.join().unwrap();
        younger.join().unwrap();
        reactor.has_taken(3)
    });
}

/// Generations 2 and 3 have died, the younger before the elder; the next process has taken the elder's seat.
fn both_died() -> Slot {
    let slot = Slot::new(2);
    slot.begin(3);
    slot.begin(4);
    slot.entry.appoint(4);
    slot
}

/// Generations 2 and 3 have died, the elder before the younger; the next process has taken the younger's seat.
fn both_died_the_other_way_round() -> Slot {
    let slot = Slot::new(2);
    slot.begin(3);
    slot.begin(5);
    slot.entry.appoint(5);
    slot
}

#[test]
fn nothing_overtakes_across_a_handover() {
    two(|| Slot::new(2), Rule::AsItIs, 0);
}

#[test]
fn nothing_overtakes_across_a_handover_to_the_first_seat() {
    two(|| Slot::new(3), Rule::AsItIs, 1);
}

#[test]
fn nothing_overtakes_whatever_the_younger_posts_at_once() {
    joined(Rule::AsItIs);
}

#[test]
fn nothing_overtakes_in_three_generations() {
    three(Rule::AsItIs);
}

#[test]
fn nothing_overtakes_when_the_younger_dies() {
    younger_dies(Rule::AsItIs);
}

#[test]
fn nothing_overtakes_when_the_elder_dies_before_it_commits() {
    elder_dies(Rule::AsItIs);
}

#[test]
fn nothing_overtakes_after_both_have_died() {
    two(both_died, Rule::AsItIs, 0);
}

#[test]
fn nothing_overtakes_after_both_have_died_the_other_way_round() {
    two(both_died_the_other_way_round, Rule::AsItIs, 0);
}

fails!(fails_if_the_youngers_tail_is_not_noted, "overtaken", two(|| Slot::new(2), Rule::NoNote, 0));
fails!(fails_if_the_youngers_tail_is_not_noted_and_both_post_in_a_row, "overtaken", joined(Rule::NoNote));
fails!(fails_if_the_younger_goes_first, "overtaken", two(|| Slot::new(2), Rule::YoungerFirst, 0));
fails!(fails_if_a_seat_is_used_before_the_acknowledgement, "overtaken", three(Rule::NoAcknowledgement));
fails!(fails_if_the_generations_are_compared_before_the_look, "overtaken", three(Rule::GenerationsFirst));
fails!(fails_if_the_lane_of_a_dead_younger_goes_first, "overtaken", younger_dies(Rule::DeadFirst));
// After 3 has died seat 0 is held for the elder, after 2 seat 1; generation 4 takes seat 0 and hands over to 5.
fails!(fails_if_the_seats_are_swapped_at_each_death, "overtaken", two(both_died, Rule::Swapped, 1));
