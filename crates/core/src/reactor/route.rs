//! The choice of workers: one for a connection's whole life, or one for each of its messages (`dispatch_mode`).

use std::net::SocketAddr;
use std::sync::Arc;

use rotor_ipc::idle::{Idle, IdleWord};
use rotor_ipc::segment::Segment;
use rotor_ipc::sync::AtomicU64;
use rotor_ipc::sync::Ordering::Relaxed;
use rotor_ipc::workers::SlotEntry;
use rotor_ipc::{SessionId, WorkerId};
use rotor_sys::datagram::Address;

use super::connection::{Connection, Roaming};
use super::{Reactor, add};
use crate::dispatch::{self, Mode, Shared, first_from, least_from};

/// What a reactor chooses by.
pub(super) struct Router {
    mode: Mode,
    shared: Arc<Shared>,
    slots: Vec<&'static SlotEntry>,
    /// By reactor, then by worker: messages posted.
    dispatched: Vec<&'static [AtomicU64]>,
    reactor: usize,
    /// Connections without a worker of their own whose end is not posted.
    pub(super) roaming: usize,
}

impl Router {
    pub(super) fn new(segment: &'static Segment, reactor: usize, mode: Mode, shared: Arc<Shared>) -> Self {
        Self {
            mode,
            shared,
            slots: segment.worker_ids().map(|worker| segment.slot(worker)).collect(),
            dispatched: (0..segment.reactors()).map(|reactor| segment.dispatched(reactor)).collect(),
            reactor,
            roaming: 0,
        }
    }

    /// Counts a message that was posted.
    pub(super) fn count(&self, slot: usize) {
        add(&self.dispatched[self.reactor][slot], 1);
    }

    /// What a new connection has beside others where it has no worker of its own.
    pub(super) fn roaming(&self, home: WorkerId, asks: bool) -> Option<Box<Roaming>> {
        (asks || !self.mode.keeps_worker()).then(|| Box::new(Roaming::new(home, asks)))
    }

    /// The worker of a new connection from `peer`, which is its own in some modes.
    pub(super) fn home(&self, id: SessionId, peer: Option<SocketAddr>) -> WorkerId {
        let workers = self.slots.len();
        let by_id = dispatch::worker_of(id, workers);
        let place = match (self.mode, peer) {
            (Mode::Address, Some(peer)) => dispatch::worker_of_address(peer.ip(), workers),
            (Mode::FewestConnections, _) => {
                let load = |place: usize| self.takes_new(place).then(|| self.shared.connections_of(place) as u64);
                return worker(least_from(by_id.index(), workers, load));
            }
            _ => by_id,
        };
        if self.takes_new(place.index()) {
            return place;
        }
        worker(first_from(place.index(), workers, |place| self.takes_new(place), |_| false))
    }

    /// A connection has got its worker.
    pub(super) fn bind(&self, worker: WorkerId) {
        if self.mode == Mode::FewestConnections {
            self.shared.bind(worker);
        }
    }

    /// A connection is over.
    pub(super) fn release(&self, worker: WorkerId) {
        if self.mode == Mode::FewestConnections {
            self.shared.release(worker);
        }
    }

    /// Whether the slot has a process, or will have one soon.
    fn takes_new(&self, place: usize) -> bool {
        !self.slots[place].is_shunned()
    }

    /// The idle word of a slot.
    pub(super) fn idle_word(&self, place: usize) -> &'static IdleWord {
        &self.slots[place].idle
    }

    /// Those of all slots.
    pub(super) fn idle_words(&self) -> impl Iterator<Item = &'static IdleWord> {
        self.slots.iter().map(|slot| &*slot.idle)
    }

    /// The worker at a place.
    pub(super) fn worker(&self, place: usize) -> WorkerId {
        worker(place)
    }

    /// Messages that a worker has and is not done with. Counts of several writers, seen one after the other: it may be
    /// a few off.
    fn load(&self, place: usize) -> u64 {
        let posted: u64 = self.dispatched.iter().map(|row| row[place].load(Relaxed)).sum();
        posted.saturating_sub(self.slots[place].done.count())
    }
}

impl Reactor {
    /// Chooses the worker of the next record of a connection that has none of its own, once.
    pub(super) fn assign(&mut self, connection: &mut Connection) {
        let Some(roaming) = connection.roaming.as_deref_mut().filter(|roaming| !roaming.is_assigned) else { return };
        roaming.is_assigned = true;
        let router = &self.router;
        let workers = router.slots.len();
        connection.worker = match router.mode {
            Mode::Uid => match self.sessions.uid(connection.id) {
                Some(uid) => dispatch::worker_of_uid(uid, workers),
                None => roaming.home,
            },
            Mode::FewestMessages | Mode::FewestRequests => {
                let load = |place: usize| router.takes_new(place).then(|| router.load(place));
                worker(least_from(router.shared.next(), workers, load))
            }
            // What is no message needs no claim, but better does not wait behind a callback.
            Mode::Idle | Mode::Stream | Mode::Function => {
                let is_idle = |place: usize| matches!(router.idle_word(place).get(), Idle::Free | Idle::Given(_));
                worker(first_from(router.shared.next(), workers, is_idle, |place| router.takes_new(place)))
            }
            // There because user code is asked, which has left it to the mode.
            Mode::Session | Mode::Address | Mode::FewestConnections => roaming.home,
            Mode::Round => {
                let has_room = |place: usize| router.takes_new(place) && self.inward[place].waiting.is_empty();
                worker(first_from(router.shared.next(), workers, has_room, |place| router.takes_new(place)))
            }
        };
    }

    /// A record was posted to the connection's worker; at this position, if the connection's end comes behind it.
    pub(super) fn has_posted(&mut self, connection: &mut Connection, position: Option<u64>) {
        let Some(roaming) = connection.roaming.as_deref_mut() else { return };
        roaming.is_assigned = false;
        roaming.is_left = false;
        let Some(position) = position else { return };
        if let Some(sent) = roaming.sent.iter_mut().find(|(worker, _)| *worker == connection.worker) {
            sent.1 = position;
            return;
        }
        if roaming.sent.len() >= FEW {
            roaming.sent.retain(|(worker, position)| !self.is_handled(*worker, *position));
        }
        roaming.sent.push((connection.worker, position));
    }

    /// Whether a worker is done with the record of this reactor's at `position`, so that all that it has sent about it
    /// is to be seen in its lanes.
    pub(super) fn is_handled(&self, worker: WorkerId, position: u64) -> bool {
        // The worker notes a record as in hand before it moves the head, and has published all answers before it
        // empties the hand: so a head that is seen past the record brings the hand with it.
        self.segment.inward_state(self.id, worker).taken() > position
            && (0..2).all(|seat| {
                let held = self.segment.seat(worker, seat).in_hand.get();
                held.is_none_or(|held| (held.lane, held.position) != (self.id, position))
            })
    }

    /// The worker of a datagram. Its sender keeps it where a connection keeps its own.
    pub(super) fn worker_of_sender(&self, from: &Address) -> WorkerId {
        let router = &self.router;
        let workers = router.slots.len();
        let takes_new = |place: usize| router.takes_new(place);
        let place = match (router.mode, from) {
            (Mode::Round, _) => {
                let has_room = |place: usize| router.takes_new(place) && self.inward[place].waiting.is_empty();
                return worker(first_from(router.shared.next(), workers, has_room, takes_new));
            }
            (Mode::FewestMessages | Mode::FewestRequests, _) => {
                let load = |place: usize| router.takes_new(place).then(|| router.load(place));
                return worker(least_from(router.shared.next(), workers, load));
            }
            // A datagram is not held back: it goes to who is idle now, and waits in that lane.
            (Mode::Idle | Mode::Stream | Mode::Function, _) => {
                let is_idle = |place: usize| matches!(router.idle_word(place).get(), Idle::Free | Idle::Given(_));
                return worker(first_from(router.shared.next(), workers, is_idle, takes_new));
            }
            (Mode::Address, Address::Inet(address)) => dispatch::worker_of_address(address.ip(), workers),
            (Mode::Address | Mode::Session | Mode::Uid | Mode::FewestConnections, _) => {
                dispatch::worker_of_sender(from, workers)
            }
        };
        // Where nobody takes them, they would hold up those of the others on the same port.
        worker(first_from(place.index(), workers, takes_new, |_| false))
    }

    /// A connection whose worker was chosen by its address has another one.
    pub(super) fn has_address(&mut self, connection: &mut Connection, peer: Option<SocketAddr>) {
        if self.router.mode != Mode::Address {
            return;
        }
        let home = self.router.home(connection.id, peer);
        if let Some(roaming) = connection.roaming.as_deref_mut() {
            roaming.home = home;
            self.sessions.set_worker(connection.id, home);
            return;
        }
        self.inward[connection.worker.index()].open -= 1;
        self.inward[home.index()].open += 1;
        connection.worker = home;
        self.sessions.set_worker(connection.id, home);
    }
}

pub(super) fn worker(place: usize) -> WorkerId {
    WorkerId(u32::try_from(place).unwrap_or(u32::MAX))
}

/// So many workers with messages of one connection are remembered before those that are done with theirs are dropped.
const FEW: usize = 4;
