//! What follows a death: the manager's procedure between reaping a process and letting another take its place.
//!
//! Reactors are told by a [`Kind::WorkerDied`](crate::record::Kind::WorkerDied) record, which the manager posts
//! with what [`recover`] returns.

use crate::WorkerId;
use crate::segment::Segment;
use crate::sync::Ordering;
use crate::workers::{Generation, Held, Owner, seat_of};

/// What the dead process held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Whether it owned the slot's inbox, which has no owner now.
    pub owned: bool,
    /// The record in its hand. Its callback had begun, or was about to.
    pub held: Option<Held>,
    /// If it owned the inbox: the head of each reactor's lane to the slot.
    pub heads: Vec<u64>,
}

/// Settles everything that the reaped process of `generation` may have left half done.
pub fn recover(segment: &'static Segment, worker: WorkerId, generation: Generation) -> Recovered {
    let slot = segment.slot(worker);
    let seat = segment.seat(worker, seat_of(generation));
    let owned = slot.settle(generation) == generation;
    let held = seat.in_hand.get();
    let mut heads = Vec::new();
    if owned {
        if let Some(held) = held.filter(|held| held.lane < segment.reactors()) {
            skip_held(segment, worker, &held);
        }
        for reactor in 0..segment.reactors() {
            let head = segment.inward_state(reactor, worker).taken();
            let slot_number = u16::try_from(worker.0).unwrap_or(u16::MAX);
            segment.reactor_pool(reactor).free_taken(slot_number, head);
            heads.push(head);
        }
    }
    let outlet = segment.outlet_of(worker, seat_of(generation));
    let pool = segment.outlet_pool(outlet);
    pool.free_unpublished(|reactor| match usize::from(reactor) {
        reactor if reactor < segment.reactors() => segment.outward_state(outlet, reactor).published(),
        _ => 0,
    });
    pool.punch_free();
    Recovered { owned, held, heads }
}

/// Moves the head past the record in hand if the process died before it did so itself (P4).
fn skip_held(segment: &'static Segment, worker: WorkerId, held: &Held) {
    let mut lane = segment.inward_consumer(held.lane, worker);
    let Ok(tail) = lane.refresh() else { return };
    if let Ok(Some(record)) = lane.peek(tail)
        && record.position == held.position
    {
        lane.pass(&record);
        lane.release();
    }
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
        segment.seat_bell(worker, 0).write();
        segment.seat_bell(worker, 1).write();
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
