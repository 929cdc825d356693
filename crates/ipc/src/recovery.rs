//! What follows a death: the manager's procedure between reaping a process and letting another take its place.
//!
//! Reactors are told by a [`Kind::WorkerDied`] record, which the manager posts
//! with what [`recover`] returns.

use crate::WorkerId;
use crate::record::Kind;
use crate::segment::Segment;
use crate::sync::Ordering;
use crate::workers::{Generation, Held, Owner, seat_of};

/// What the dead process held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Whether nobody else owns the slot, and its inbox if it has one, now.
    pub owned: bool,
    /// The record in its hand. Its callback had begun, or was about to.
    pub held: Option<Held>,
    /// If it took from the inbox to its end: the head of each reactor's lane to the slot.
    pub heads: Vec<u64>,
}

/// Settles everything that the reaped process of `generation` may have left half done.
pub fn recover(segment: &'static Segment, worker: WorkerId, generation: Generation) -> Recovered {
    let slot = segment.slot(worker);
    let seat = segment.seat(worker, seat_of(generation));
    // One that died with an offer open took from the inbox to its end. Its successor must not find the record
    // that was in its hand: it is given the inbox last.
    let took = slot.owner().current() == generation || slot.settle(generation) == generation;
    let held = seat.in_hand.get();
    let mut heads = Vec::new();
    if took && segment.has_inbox(worker) {
        if let Some(held) = held.filter(|held| held.lane < segment.reactors()) {
            segment.inward_consumer(held.lane, worker).skip(held.position);
            if matches!(held.kind, Kind::Receive | Kind::Packet) {
                slot.done.end();
            }
        }
        for reactor in 0..segment.reactors() {
            let head = segment.inward_state(reactor, worker).taken();
            let slot_number = u16::try_from(worker.0).unwrap_or(u16::MAX);
            segment.reactor_pool(reactor).free_taken(slot_number, head);
            heads.push(head);
        }
        // Behind the heads: they say whether a claim's record was taken. Before the inbox has its next owner.
        slot.idle.settle(|reactor| {
            let reactor = usize::from(reactor);
            (reactor < segment.reactors()).then(|| segment.inward_state(reactor, worker).taken())
        });
    }
    let owned = slot.settle(generation) == generation;
    let outlet = segment.outlet_of(worker, seat_of(generation));
    let pool = segment.outlet_pool(outlet);
    pool.free_unpublished(|reactor| match usize::from(reactor) {
        reactor if reactor < segment.reactors() => segment.outward_state(outlet, reactor).published(),
        _ => 0,
    });
    pool.punch_free();
    Recovered { owned, held, heads }
}

/// Makes every consumer look at everything: what the dead had published may not have been announced. To be called
/// once the reactors were told.
pub fn wake_all(segment: &'static Segment) {
    for reactor in 0..segment.reactors() {
        segment.reactor_rescan(reactor).fetch_add(1, Ordering::Release);
        segment.reactor_bell(reactor).write();
    }
    for worker in segment.worker_ids() {
        segment.slot(worker).rescan.fetch_add(1, Ordering::Release);
        segment.slot_bell(worker).write();
    }
    for worker in segment.slot_ids() {
        segment.seat_bell(worker, 0).write();
        segment.seat_bell(worker, 1).write();
    }
}

/// The process of this generation could not be forked: its seat is as clear as it was, and no reactor is told.
pub fn never_lived(segment: &Segment, worker: WorkerId, generation: Generation) {
    let seat = seat_of(generation);
    segment.seat(worker, seat).end();
    for reactor in 0..segment.reactors() {
        // The seat was clear, so no reactor is about to write here.
        segment.ack(worker, seat, reactor).store(generation, Ordering::Release);
    }
}

/// Whether every reactor has emptied the lanes of the seat's last process, so that another may live in it.
pub fn is_seat_clear(segment: &Segment, worker: WorkerId, seat: usize) -> bool {
    let generation = segment.seat(worker, seat).generation();
    segment.seat(worker, seat).pid() == 0
        && (0..segment.reactors())
            .all(|reactor| segment.ack(worker, seat, reactor).load(Ordering::Acquire) == generation)
}

/// Whether the slot's inbox has an owner that lives, or one that is about to be given it.
pub fn has_owner(segment: &Segment, worker: WorkerId) -> bool {
    let generation = match segment.slot(worker).owner() {
        Owner::Owned(generation) | Owner::Offered { from: generation, .. } => generation,
    };
    let seat = segment.seat(worker, seat_of(generation));
    generation != 0 && seat.generation() == generation && seat.pid() != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::idle::Idle;
    use crate::layout::{Plan, Shape};
    use crate::payload::{Filling, Payload, Pool};
    use crate::record::{Header, Where};

    const WORKER: WorkerId = WorkerId(0);

    fn segment() -> &'static Segment {
        let plan = Plan::new(Shape { reactors: 1, workers: 1, processes: 1, ports: 1, sessions: 64, budget: 16 << 20 })
            .unwrap();
        Segment::create(plan, &std::env::temp_dir()).unwrap()
    }

    /// Posts two messages in blocks.
    fn post_two(segment: &'static Segment) {
        let mut lane = segment.inward_producer(0, WORKER);
        let mut pool = Pool::attach(segment.reactor_pool(0), 1);
        for session in [1, 2] {
            let block: Filling = pool.take_block(100, 1).unwrap();
            let body = block.reference(100).to_bytes();
            block.post(0, lane.position_for(body.len()).unwrap());
            let header = Header { kind: Kind::Receive, location: Where::Block, aux: 0, session, extra: 0 };
            lane.write(&header, &[&body]).unwrap();
            lane.publish();
        }
    }

    /// Takes the first message in hand, as a process of this generation, and dies with it.
    fn take_one_and_die(segment: &'static Segment, generation: Generation) {
        let seat = segment.seat(WORKER, seat_of(generation));
        seat.begin(generation, 0);
        segment.slot(WORKER).appoint(generation);
        let mut lane = segment.inward_consumer(0, WORKER);
        let limit = lane.refresh().unwrap();
        let record = lane.peek(limit).unwrap().unwrap();
        seat.in_hand.set(&Held {
            lane: 0,
            kind: Kind::Receive,
            position: record.position,
            session: record.header.session,
            since_ns: 0,
        });
    }

    fn next_session(segment: &'static Segment) -> u64 {
        let mut lane = segment.inward_consumer(0, WORKER);
        let limit = lane.refresh().unwrap();
        lane.peek(limit).unwrap().unwrap().header.session
    }

    #[test]
    fn the_message_in_a_dead_hand_is_skipped_and_its_block_is_free() {
        let segment = segment();
        post_two(segment);
        take_one_and_die(segment, 2);
        let recovered = recover(segment, WORKER, 2);
        assert!(recovered.owned);
        assert_eq!(recovered.held.unwrap().session, 1);
        assert_eq!(next_session(segment), 2);
        assert_eq!(segment.reactor_pool(0).in_use(), 1);
    }

    #[test]
    fn a_dead_worker_is_away_unless_it_was_claimed_for_a_record_that_it_has_not_taken() {
        let segment = segment();
        post_two(segment);
        let idle = &segment.slot(WORKER).idle;
        take_one_and_die(segment, 2);
        segment.giver().enter(idle);
        assert!(idle.claim(0, 0));
        recover(segment, WORKER, 2);
        assert_eq!(idle.get(), Idle::Away, "its record was in hand");
        segment.seat(WORKER, 0).end();

        take_one_and_die(segment, 3);
        segment.seat(WORKER, 1).in_hand.clear();
        let second = segment.inward_state(0, WORKER).taken();
        segment.giver().enter(idle);
        assert!(idle.claim(0, second));
        recover(segment, WORKER, 3);
        assert_eq!(idle.get(), Idle::Claimed { reactor: 0, position: second }, "the next process takes it");
    }

    #[test]
    fn a_successor_does_not_find_the_message_that_the_old_one_died_with_before_it_committed() {
        let segment = segment();
        post_two(segment);
        take_one_and_die(segment, 2);
        assert!(segment.slot(WORKER).offer(2, 3));
        let recovered = recover(segment, WORKER, 2);
        assert_eq!(next_session(segment), 2, "P4");
        assert_eq!(segment.reactor_pool(0).in_use(), 1);
        assert_eq!(recovered.heads.len(), 1, "it took from the inbox to its end");
        assert!(!recovered.owned);
        assert_eq!(segment.slot(WORKER).owner(), Owner::Owned(3));
    }

    #[test]
    fn a_seat_is_clear_again_when_the_fork_has_failed() {
        let segment = segment();
        segment.seat(WORKER, 1).begin(3, 0);
        assert!(!is_seat_clear(segment, WORKER, 1));
        never_lived(segment, WORKER, 3);
        assert!(is_seat_clear(segment, WORKER, 1));
    }

    #[test]
    fn a_dead_process_leaves_no_spilled_bytes_on_the_disk() {
        let segment = segment();
        segment.seat(WORKER, 0).begin(2, 0);
        let view = segment.outlet_pool(segment.outlet_of(WORKER, 0));
        let range = Pool::attach(view, 1).take_spill(5).unwrap();
        range.fill(b"hello").unwrap();
        let header = Header { kind: Kind::Send, location: Where::Spill, aux: 0, session: 1, extra: 0 };
        let payload = view.payload(&header, range.reference(5), 0, 0).unwrap();
        std::mem::forget(range);
        recover(segment, WORKER, 2);
        assert_eq!(view.in_use(), 0);
        assert_eq!(bytes_of(&payload), [0; 5]);
    }

    fn bytes_of(payload: &Payload<'_>) -> Vec<u8> {
        let len = payload.len();
        let mut bytes = Vec::with_capacity(len);
        payload.copy_into(bytes.spare_capacity_mut()).unwrap();
        // SAFETY: the copy has filled so many bytes, for which there was room.
        unsafe { bytes.set_len(len) };
        bytes
    }

    #[test]
    fn a_message_on_the_disk_that_a_dead_worker_had_in_hand_leaves_no_bytes_there() {
        let segment = segment();
        let (mut lane, view) = (segment.inward_producer(0, WORKER), segment.reactor_pool(0));
        let range = Pool::attach(view, 1).take_spill(5).unwrap();
        range.fill(b"hello").unwrap();
        let reference = range.reference(5);
        let position = lane.position_for(reference.to_bytes().len()).unwrap();
        range.post(0, position);
        let header = Header { kind: Kind::Receive, location: Where::Spill, aux: 0, session: 1, extra: 0 };
        lane.write(&header, &[&reference.to_bytes()]).unwrap();
        lane.publish();
        take_one_and_die(segment, 2);
        recover(segment, WORKER, 2);
        assert_eq!(view.in_use(), 0);
        assert_eq!(bytes_of(&view.payload(&header, reference, 0, position).unwrap()), [0; 5]);
    }

    #[test]
    fn a_user_process_has_no_inbox_and_leaves_no_block() {
        let segment = segment();
        let id = segment.process_ids().next().unwrap();
        assert_eq!((id, segment.has_inbox(id), segment.slots()), (WorkerId(1), false, 2));
        segment.seat(id, 0).begin(2, 0);
        segment.slot(id).appoint(2);
        let pool = segment.outlet_pool(segment.outlet_of(id, 0));
        let unseen = Pool::attach(pool, 1).take_block(100, 1).unwrap();
        std::mem::forget(unseen);
        let recovered = recover(segment, id, 2);
        assert_eq!(recovered, Recovered { owned: true, held: None, heads: Vec::new() });
        assert_eq!(pool.in_use(), 0);
        segment.seat(id, 0).end();
        wake_all(segment);
        assert!(!is_seat_clear(segment, id, 0), "no reactor has acknowledged the death");
        segment.ack(id, 0, 0).store(2, Ordering::Release);
        assert!(is_seat_clear(segment, id, 0));
    }

    #[test]
    fn a_damaged_spill_range_is_no_panic() {
        let segment = segment();
        let view = segment.reactor_pool(0);
        let mut pool = Pool::attach(view, 1);
        let endless = pool.take_spill(u64::MAX - 1).unwrap();
        assert!(pool.take_spill(1).is_none());
        drop(endless);
        assert!(pool.take_spill(1).is_some());
    }

    #[test]
    fn the_death_of_a_successor_leaves_what_the_owner_has_in_hand() {
        let segment = segment();
        post_two(segment);
        take_one_and_die(segment, 2);
        segment.seat(WORKER, 1).begin(3, 0);
        assert!(segment.slot(WORKER).offer(2, 3));
        let recovered = recover(segment, WORKER, 3);
        assert_eq!(recovered, Recovered { owned: false, held: None, heads: Vec::new() });
        assert_eq!(segment.slot(WORKER).owner(), Owner::Owned(2));
        assert_eq!((next_session(segment), segment.reactor_pool(0).in_use()), (1, 2));
    }
}
