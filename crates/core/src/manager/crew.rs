//! Whose number is whose: the manager's own list of its processes. The worker table says it to the others; but a number
//! that others may write is none to send a signal to.

use rotor_ipc::WorkerId;
use rotor_ipc::recovery;
use rotor_ipc::segment::Segment;
use rotor_ipc::workers::{Generation, seat_of};

/// The living processes, by slot and seat.
#[derive(Debug)]
pub(super) struct Crew(Vec<[Option<Member>; 2]>);

/// A process that was forked and is not reaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) pid: i32,
    pub(super) generation: Generation,
}

impl Crew {
    /// Nobody yet, in so many slots.
    pub(super) fn new(slots: usize) -> Self {
        Self(vec![[None; 2]; slots])
    }

    pub(super) fn join(&mut self, worker: WorkerId, member: Member) {
        self.0[worker.index()][seat_of(member.generation)] = Some(member);
    }

    pub(super) fn part(&mut self, worker: WorkerId, seat: usize) {
        self.0[worker.index()][seat] = None;
    }

    /// The process in a seat.
    pub(super) fn in_seat(&self, worker: WorkerId, seat: usize) -> Option<Member> {
        self.0[worker.index()][seat]
    }

    /// The process of a generation.
    pub(super) fn pid_of(&self, worker: WorkerId, generation: Generation) -> Option<i32> {
        let member = self.in_seat(worker, seat_of(generation))?;
        (member.generation == generation).then_some(member.pid)
    }

    /// The processes of a slot.
    pub(super) fn of(&self, worker: WorkerId) -> impl Iterator<Item = (usize, Member)> + use<> {
        self.0[worker.index()].into_iter().enumerate().filter_map(|(seat, member)| Some((seat, member?)))
    }

    /// The seats of a slot in which a process may be started.
    pub(super) fn free_seats(&self, segment: &Segment, worker: WorkerId) -> [bool; 2] {
        [0, 1].map(|seat| self.in_seat(worker, seat).is_none() && recovery::is_seat_clear(segment, worker, seat))
    }
}
