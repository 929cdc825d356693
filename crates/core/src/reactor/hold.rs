//! Idle dispatch: a message goes to a worker that has nothing to do, and is held back while there is none. Of each
//! connection at most one message waits here; it is not read on meanwhile, so that memory stays bounded, and nothing of
//! it overtakes.
//!
//! The protocol of claims and gifts is `rotor_ipc::idle`.

use std::collections::VecDeque;

use rotor_ipc::SessionId;
use rotor_ipc::idle::{Giver, Idle, Wants};
use rotor_ipc::lane::PostError;
use rotor_ipc::ring::Broken;
use rotor_ipc::segment::Segment;

use super::connection::Connection;
use super::{Reactor, add};

/// What a reactor holds back, and its part in the protocol.
pub(super) struct Holding {
    reactor: u16,
    wants: Wants,
    giver: Giver,
    /// Connections with a message that found nobody, in order.
    queue: VecDeque<SessionId>,
    /// Its bit is set.
    is_wanting: bool,
    /// The bit was set, or a message has come, since all workers were last tried.
    has_to_try: bool,
    /// A worker was free, and could not be used for want of room: nobody tells when there is.
    is_blocked: bool,
    /// The connection whose turn it is in the queue.
    serving: Option<SessionId>,
    /// Where the next search begins.
    next: usize,
    /// Workers claimed so far.
    claims: u64,
}

impl Holding {
    pub(super) fn new(segment: &'static Segment, reactor: usize) -> Self {
        Self {
            reactor: u16::try_from(reactor).unwrap_or(u16::MAX),
            wants: segment.wants(),
            giver: segment.giver(),
            queue: VecDeque::new(),
            is_wanting: false,
            has_to_try: false,
            is_blocked: false,
            serving: None,
            next: 0,
            claims: 0,
        }
    }

    /// Whether there is something to do at once; also to be asked after announcing a sleep.
    pub(super) fn is_due(&self) -> bool {
        self.has_to_try || self.wants.has_gift(self.reactor)
    }

    /// Whether it has to look again soon.
    pub(super) fn is_blocked(&self) -> bool {
        self.is_blocked && !self.queue.is_empty()
    }

    fn is_its_turn(&self, connection: &Connection) -> bool {
        self.queue.is_empty() || self.serving == Some(connection.id)
    }
}

impl Reactor {
    /// Whether a worker could be claimed for a message of this connection now. Another reactor may be faster.
    pub(super) fn sees_idle_worker(&mut self, connection: &Connection) -> Result<bool, Broken> {
        let Some(holding) = self.holding.as_ref().filter(|holding| holding.is_its_turn(connection)) else {
            return Ok(false);
        };
        let reactor = holding.reactor;
        for slot in 0..self.inward.len() {
            if self.router.idle_word(slot).is_free_for(reactor) && self.inward[slot].is_open() && self.has_room(slot)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Claims a worker for the connection's next message, a record with a body of `body` bytes, which has to be written
    /// right after. `None`: the message has to be held back.
    pub(super) fn claim(&mut self, connection: &mut Connection, body: usize) -> Result<Option<usize>, Broken> {
        let Some(holding) = self.holding.as_mut().filter(|holding| holding.is_its_turn(connection)) else {
            return Ok(None);
        };
        let workers = self.inward.len();
        for slot in (holding.next..workers).chain(0..holding.next.min(workers)) {
            let word = self.router.idle_word(slot);
            if !word.is_free_for(holding.reactor) {
                continue;
            }
            let inward = &mut self.inward[slot];
            if !inward.is_open() {
                holding.is_blocked = true;
                continue;
            }
            match inward.lane.position_for(body) {
                Ok(position) if word.claim(holding.reactor, position) => {
                    holding.next = (slot + 1) % workers;
                    holding.claims += 1;
                    connection.worker = self.router.worker(slot);
                    return Ok(Some(slot));
                }
                Ok(_) => {}
                Err(PostError::Full) => holding.is_blocked = true,
                Err(PostError::Broken(broken)) => return Err(broken),
            }
        }
        Ok(None)
    }

    /// Holds a message of the connection back until a worker has nothing to do.
    pub(super) fn hold_back(&mut self, connection: &mut Connection) {
        let Some(holding) = &mut self.holding else { return };
        if connection.is_waiting || connection.is_spilling {
            return;
        }
        connection.is_waiting = true;
        holding.queue.push_back(connection.id);
        add(&self.counters.pauses, 1);
        if !holding.is_wanting {
            holding.is_wanting = true;
            holding.wants.want(holding.reactor);
        }
        holding.has_to_try = true;
        // It may want a block or a place on the disk, of which nobody tells either.
        holding.is_blocked |= self.router.idle_words().any(|word| word.is_free_for(holding.reactor));
    }

    /// Gives what is held back to the workers that are free by now, one message of each connection in turn, and passes
    /// on what cannot be used.
    pub(super) fn serve_held_back(&mut self) -> Result<(), Broken> {
        let Some(holding) = &mut self.holding else { return Ok(()) };
        if !holding.wants.was_given(holding.reactor) && !holding.has_to_try && !holding.is_blocked {
            return Ok(());
        }
        holding.is_blocked = false;
        while let Some((id, claims)) = self.next_held() {
            let Some(mut connection) = self.take(id) else { continue };
            connection.is_waiting = false;
            let result = self.pump(&mut connection);
            let waits = self.has_served(id, claims);
            result?;
            if waits == Some(false) {
                self.read_on(&mut connection);
            }
            self.settle(connection)?;
            if waits.is_none() {
                break;
            }
        }
        let Some(holding) = &mut self.holding else { return Ok(()) };
        // All workers were tried for whoever is first now, after the bit was set.
        holding.has_to_try = false;
        if holding.queue.is_empty() {
            self.want_nobody();
        }
        Ok(())
    }

    /// Wants no worker any more, and passes on those that it was given.
    fn want_nobody(&mut self) {
        let Some(holding) = &mut self.holding else { return };
        if holding.is_wanting {
            holding.is_wanting = false;
            holding.wants.want_no_more(holding.reactor);
        }
        let own = Idle::Given(holding.reactor);
        for word in self.router.idle_words() {
            if word.get() == own {
                holding.giver.let_go(word, own);
            }
        }
    }

    /// User code is about to run on this thread, for as long as it likes: no worker shall be kept for it meanwhile.
    pub(super) fn stand_back(&mut self) {
        if self.holding.as_ref().is_some_and(|holding| holding.is_wanting) {
            self.want_nobody();
        }
    }

    /// It has returned.
    pub(super) fn stand_in(&mut self) {
        if let Some(holding) = self.holding.as_mut().filter(|holding| !holding.queue.is_empty() && !holding.is_wanting)
        {
            holding.is_wanting = true;
            holding.wants.want(holding.reactor);
            holding.has_to_try = true;
        }
    }

    /// The first in the queue, whose turn it is, and how many workers were claimed before.
    fn next_held(&mut self) -> Option<(SessionId, u64)> {
        let holding = self.holding.as_mut()?;
        let id = holding.queue.pop_front()?;
        holding.serving = Some(id);
        Some((id, holding.claims))
    }

    /// Its turn is over. Whether it waits again, behind the others; `None` if it has found nobody: it stays the first.
    fn has_served(&mut self, id: SessionId, claims: u64) -> Option<bool> {
        let holding = self.holding.as_mut()?;
        holding.serving = None;
        if holding.queue.back() != Some(&id) {
            return Some(false);
        }
        if holding.claims == claims {
            holding.queue.pop_back();
            holding.queue.push_front(id);
            return None;
        }
        Some(true)
    }
}
