//! Posting: messages into the workers' lanes, in blocks and spill ranges where they are large, and the wait for room.

use std::io;

use rotor_ipc::lane::PostError;
use rotor_ipc::payload::Filling;
use rotor_ipc::record::{BY_SERVER, Header, Kind, Where};
use rotor_ipc::ring::Broken;
use rotor_ipc::{SessionId, WorkerId};

use super::connection::{Connection, Incoming, Input, Posted, Why};
use super::{Reactor, Waiter, add};
use crate::disk::{Job, Unwritten};

/// After the disk did not take a message, it is asked again this much later.
pub(super) const SPILL_AGAIN_NS: u64 = 100_000_000;
/// The bytes of a reference to a block or spill range.
pub(super) const REFERENCE: usize = 16;
const WARN_EVERY_NS: u64 = 10_000_000_000;
/// So many blocks and spill ranges a worker may have though only a quarter of them is left.
const HARDLY_ANY: usize = 2;
/// Bytes of a rejection's reason; they have room in the smallest lane.
const LONGEST_REASON: usize = 1024;

/// A consumer's number is its slot's.
pub(super) fn consumer(worker: WorkerId) -> u16 {
    u16::try_from(worker.0).unwrap_or(u16::MAX)
}

/// What has become of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Post {
    /// It is in the lane, or on its way by the disk.
    Done,
    /// There is no room: it is still where it was.
    NoRoom,
}

impl Reactor {
    /// A block for a message that is complete. The last quarter is for workers that have hardly any: one that is
    /// stuck must not have them all.
    pub(super) fn take_block(&mut self, connection: &Connection, len: usize) -> Option<Filling> {
        self.take_block_for(connection.worker, len)
    }

    pub(super) fn take_block_for(&mut self, worker: WorkerId, len: usize) -> Option<Filling> {
        let view = self.pool.view();
        if view.is_short_of(len) && view.held_for(consumer(worker)) >= HARDLY_ANY {
            return None;
        }
        let block = self.pool.take_block(len, self.now_ns)?;
        Some(block)
    }

    /// Whether a spill range is to be had for a message of this connection, by the same rule.
    fn may_spill(&self, connection: &Connection) -> bool {
        let view = self.pool.view();
        let held = || view.held_for(consumer(connection.worker)) + self.inward[connection.worker.index()].spilling;
        self.pool.has_spill_range() && (!view.is_short_of_spill() || held() < HARDLY_ANY)
    }

    /// Posts what a connection owes, in order: connect, messages, close. What finds no room waits in the lane's
    /// list.
    pub(super) fn pump(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        if connection.intro.is_some() {
            self.forget_unintroduced(connection);
            return Ok(());
        }
        if !self.may_post(connection) {
            if connection.owes() || self.owes_level(connection) {
                self.wait_for_lane(connection);
            }
            return Ok(());
        }
        if connection.posted == Posted::Nothing {
            if connection.asks() && !self.ask_about_connect(connection) {
                return Ok(());
            }
            if connection.posted == Posted::Nothing {
                self.assign(connection);
                match self.post_plain(connection, Kind::Connect, connection.port)? {
                    Some(_) => connection.posted = Posted::Connect,
                    None => return Ok(()),
                }
            }
        }
        if connection.posted != Posted::Connect {
            return Ok(());
        }
        if connection.asks() {
            self.ask_about_incoming(connection);
        }
        if let Some(incoming) = connection.incoming.take_if(|incoming| incoming.is_complete()) {
            self.post_incoming(connection, *incoming)?;
        }
        if !connection.unread.is_empty() && connection.incoming.is_none() && !connection.is_waiting {
            self.cut_unread(connection)?;
        }
        if self.owes_level(connection) && !connection.is_waiting {
            self.post_level(connection)?;
        }
        if let Input::Over(why) = connection.input
            && !connection.is_waiting
            && !connection.is_spilling
            && !self.holds_end(connection)
        {
            if connection.roaming.is_some() {
                return self.begin_ending(connection);
            }
            if !self.post_rejected(connection)? {
                return Ok(());
            }
            let aux = connection.port | if why.is_by_server() { BY_SERVER } else { 0 };
            if let Some(position) = self.post_plain(connection, Kind::Close, aux)? {
                self.drop_unread(connection);
                self.has_posted_close(connection, position);
            }
        }
        Ok(())
    }

    /// Tells the worker what was wrong with what the client sent; false when that has to wait.
    pub(super) fn post_rejected(&mut self, connection: &mut Connection) -> Result<bool, Broken> {
        let Some(rejected) = connection.rejected.take() else { return Ok(true) };
        let header = Header {
            kind: Kind::ProtocolError,
            location: Where::Inline,
            aux: connection.port,
            session: connection.id.0,
            extra: u64::from(rejected.code.unsigned_abs()),
        };
        let reason = rejected.reason.as_bytes();
        let posted = self.post_inline(connection, &header, &reason[..reason.len().min(LONGEST_REASON)])?;
        if posted.is_none() {
            connection.rejected = Some(rejected);
        }
        Ok(posted.is_some())
    }

    /// The close record is in the lane.
    pub(super) fn has_posted_close(&mut self, connection: &mut Connection, position: u64) {
        connection.posted = Posted::Close(position);
        self.is_closed_to(connection);
        self.inward[connection.worker.index()].closing.push_back((position, connection.id));
    }

    /// Nothing more will be posted of the connection.
    pub(super) fn is_closed_to(&mut self, connection: &Connection) {
        if connection.roaming.is_some() {
            self.router.roaming -= 1;
        } else {
            self.inward[connection.worker.index()].open -= 1;
        }
    }

    /// Lets connections that wait for room post, in order, and read on.
    pub(super) fn serve_waiting(&mut self) -> Result<(), Broken> {
        for slot in 0..self.inward.len() {
            while let Some(waiter) = self.inward[slot].waiting.pop_front() {
                let Waiter::Connection(id) = waiter else {
                    if self.post_held_packets(slot)? {
                        continue;
                    }
                    self.inward[slot].waiting.push_front(Waiter::Packets);
                    break;
                };
                let Some(mut connection) = self.take(id) else { continue };
                connection.is_waiting = false;
                self.serving = Some((slot, id));
                let result = self.pump(&mut connection);
                self.serving = None;
                result?;
                let still_waits = self.inward[slot].waiting.back() == Some(&waiter);
                if still_waits {
                    // It was put at the end: the first in line stays the first.
                    self.inward[slot].waiting.pop_back();
                    self.inward[slot].waiting.push_front(waiter);
                } else {
                    self.read_on(&mut connection);
                }
                self.settle(connection)?;
                if still_waits {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The helper thread has put a message into its spill range, or could not.
    pub(super) fn on_spilled(
        &mut self,
        id: SessionId,
        len: usize,
        result: Result<Filling, Unwritten>,
    ) -> Result<(), Broken> {
        let Some(mut connection) = self.take(id) else {
            self.give_back(result.ok());
            return Ok(());
        };
        self.inward[connection.worker.index()].spilling -= 1;
        match result {
            Ok(range) => {
                connection.is_spilling = false;
                self.begin_anew(&mut connection);
                add(&self.counters.spilled, 1);
                if self.may_post(&connection) {
                    self.post_block(&mut connection, range, len)?;
                } else {
                    connection.incoming = Some(Box::new(Incoming::Ready { filling: range, len }));
                    self.wait_for_worker(&mut connection);
                }
                self.pump(&mut connection)?;
                self.read(&mut connection)?;
            }
            Err(Unwritten { error, bytes }) => {
                // A full disk is no fault of the client's: it is not read until there is room, here or in a block.
                self.warn_of_disk(id, len, &error);
                if connection.input != Input::Over(Why::Server) {
                    connection.incoming = Some(Box::new(Incoming::Private { bytes, total: len }));
                }
                self.unspilled.push_back((self.now_ns + SPILL_AGAIN_NS, id));
            }
        }
        self.settle(connection)
    }

    /// Tries again to spill what the disk did not take.
    pub(super) fn spill_again(&mut self) -> Result<(), Broken> {
        while let Some((due_ns, id)) = self.unspilled.front().copied()
            && due_ns <= self.now_ns
        {
            self.unspilled.pop_front();
            let Some(mut connection) = self.take(id) else { continue };
            connection.is_spilling = false;
            self.spill_piece(&mut connection);
            self.pump(&mut connection)?;
            self.read(&mut connection)?;
            self.settle(connection)?;
        }
        Ok(())
    }

    pub(super) fn warn_of_disk(&mut self, id: SessionId, len: usize, error: &io::Error) {
        add(&self.counters.pauses, 1);
        if self.warned_ns.is_some_and(|warned_ns| self.now_ns - warned_ns < WARN_EVERY_NS) {
            return;
        }
        self.warned_ns = Some(self.now_ns);
        let folder = self.settings.task_tmpdir.display();
        self.log.error(&format!(
            "session {id}: a message of {len} bytes waits, since it cannot be written to {folder} (task_tmpdir): {error}"
        ));
    }

    /// Gives a message's room back that nobody wants any more; where it is on the disk, that is the helper's work.
    pub(super) fn give_back(&self, filling: Option<Filling>) {
        if let Some(filling) = filling.filter(|filling| filling.location() == Where::Spill) {
            let _ = self.jobs.send(Job::GiveBack(Box::new(filling)));
        }
    }

    /// Drops what was received and not cut: nobody wants it.
    pub(super) fn drop_unread(&mut self, connection: &mut Connection) {
        connection.unread.clear();
        self.drop_incoming(connection);
    }

    /// Drops a large message.
    pub(super) fn drop_incoming(&mut self, connection: &mut Connection) {
        match connection.incoming.take().map(|incoming| *incoming) {
            Some(Incoming::Ready { filling, .. }) => self.give_back(Some(filling)),
            Some(Incoming::Spill(spilling)) => self.give_back(spilling.into_range()),
            Some(Incoming::Block { .. } | Incoming::Private { .. }) | None => {}
        }
    }

    /// Whether the connection may post now, or has to wait behind others. A roaming one finds out when its next record
    /// has a worker.
    pub(super) fn may_post(&self, connection: &Connection) -> bool {
        !connection.is_waiting
            && !connection.is_spilling
            && (connection.roaming.is_some() || self.is_its_turn(connection))
    }

    /// Whether nobody waits for room in the lane to the connection's worker before it.
    fn is_its_turn(&self, connection: &Connection) -> bool {
        let inward = &self.inward[connection.worker.index()];
        !inward.is_closed
            && (inward.waiting.is_empty() || self.serving == Some((connection.worker.index(), connection.id)))
    }

    /// The slot that the connection's next message goes to, if it may be posted there now: a record with a body of
    /// `body` bytes, which has to be written right after, since a worker may be claimed for it.
    fn slot_for_message(&mut self, connection: &mut Connection, body: usize) -> Result<Option<usize>, Broken> {
        if let Some(roaming) = &connection.roaming {
            // Who user code has chosen need not be idle.
            if self.holding.is_some() && !roaming.is_assigned {
                return self.claim(connection, body);
            }
            self.assign(connection);
            if !self.is_its_turn(connection) {
                return Ok(None);
            }
        }
        Ok(Some(connection.worker.index()))
    }

    /// Whether the connection's next message goes to an idle worker, and to no other.
    fn is_claiming(&self, connection: &Connection) -> bool {
        self.holding.is_some() && connection.roaming.as_deref().is_some_and(|roaming| !roaming.is_assigned)
    }

    /// Whether a message that does not go into the lane itself could be posted now.
    fn may_post_reference(&mut self, connection: &mut Connection) -> Result<bool, Broken> {
        if self.is_claiming(connection) {
            return self.sees_idle_worker(connection);
        }
        match self.slot_for_message(connection, REFERENCE)? {
            Some(slot) => self.has_room(slot),
            None => Ok(false),
        }
    }

    /// A message of the connection finds no room, or no worker that is free: it waits.
    pub(super) fn wait_for_worker(&mut self, connection: &mut Connection) {
        if self.is_claiming(connection) {
            self.hold_back(connection);
        } else {
            self.wait_for_lane(connection);
        }
    }

    pub(super) fn wait_for_lane(&mut self, connection: &mut Connection) {
        if !connection.is_waiting && !connection.is_spilling && !self.inward[connection.worker.index()].is_closed {
            connection.is_waiting = true;
            self.inward[connection.worker.index()].waiting.push_back(Waiter::Connection(connection.id));
            add(&self.counters.pauses, 1);
        }
    }

    pub(super) fn inline_limit(&self, connection: &Connection) -> usize {
        self.inward[connection.worker.index()].lane.inline_limit()
    }

    /// Posts a record without bytes; `None` when it has to wait.
    pub(super) fn post_plain(
        &mut self,
        connection: &mut Connection,
        kind: Kind,
        aux: u16,
    ) -> Result<Option<u64>, Broken> {
        let header = Header { kind, location: Where::Inline, aux, session: connection.id.0, extra: self.now_us };
        self.post_inline(connection, &header, &[])
    }

    /// Posts a record with few bytes; `None` when it has to wait.
    fn post_inline(
        &mut self,
        connection: &mut Connection,
        header: &Header,
        body: &[u8],
    ) -> Result<Option<u64>, Broken> {
        if connection.roaming.is_some() && !self.is_its_turn(connection) {
            self.wait_for_lane(connection);
            return Ok(None);
        }
        let slot = connection.worker.index();
        match self.inward[slot].lane.write(header, &[body]) {
            Ok(position) => {
                self.touch(slot);
                // The close record waits for the callbacks of these as for those of messages.
                let has_callback =
                    matches!(header.kind, Kind::Connect | Kind::ProtocolError | Kind::BufferFull | Kind::BufferEmpty);
                self.has_posted(connection, Some(position).filter(|_| has_callback));
                Ok(Some(position))
            }
            Err(PostError::Full) => {
                self.wait_for_lane(connection);
                Ok(None)
            }
            Err(PostError::Broken(broken)) => Err(broken),
        }
    }

    pub(super) fn post_message(&mut self, connection: &mut Connection, bytes: &[u8]) -> Result<Post, Broken> {
        if bytes.len() <= self.inline_limit(connection) {
            let Some(slot) = self.slot_for_message(connection, bytes.len())? else { return Ok(Post::NoRoom) };
            let header = self.receive_header(connection);
            return match self.inward[slot].lane.write(&header, &[bytes]) {
                Ok(position) => {
                    self.has_posted_message(connection, position);
                    self.note_queued(connection, slot, bytes.len());
                    Ok(Post::Done)
                }
                Err(PostError::Full) => Ok(Post::NoRoom),
                Err(PostError::Broken(broken)) => Err(broken),
            };
        }
        // What has to wait is not copied before.
        if !self.may_post_reference(connection)? {
            return Ok(Post::NoRoom);
        }
        if let Some(block) = self.take_block(connection, bytes.len())
            && block.fill(bytes).is_ok()
        {
            return self.post_block(connection, block, bytes.len());
        }
        if self.may_spill(connection) { Ok(self.spill(connection, bytes.to_vec())) } else { Ok(Post::NoRoom) }
    }

    fn post_incoming(&mut self, connection: &mut Connection, incoming: Incoming) -> Result<(), Broken> {
        match incoming {
            Incoming::Spill(spilling) => {
                connection.incoming = Some(Box::new(Incoming::Spill(spilling)));
                Ok(())
            }
            Incoming::Block { block, total, .. } => self.post_block(connection, block, total).map(|_| ()),
            Incoming::Ready { filling, len } => self.post_block(connection, filling, len).map(|_| ()),
            Incoming::Private { bytes, total } => {
                if self.may_post_reference(connection)? {
                    if let Some(block) = self.take_block(connection, total)
                        && block.fill(&bytes).is_ok()
                    {
                        return self.post_block(connection, block, total).map(|_| ());
                    }
                    if self.may_spill(connection) {
                        self.spill(connection, bytes);
                        return Ok(());
                    }
                }
                connection.incoming = Some(Box::new(Incoming::Private { bytes, total }));
                self.wait_for_worker(connection);
                Ok(())
            }
        }
    }

    /// Posts a message that lies in a block or spill range; where the lane has no room, it waits as incoming.
    pub(super) fn post_block(
        &mut self,
        connection: &mut Connection,
        block: Filling,
        len: usize,
    ) -> Result<Post, Broken> {
        let body = block.reference(len).to_bytes();
        let Some(slot) = self.slot_for_message(connection, body.len())? else {
            connection.incoming = Some(Box::new(Incoming::Ready { filling: block, len }));
            self.wait_for_worker(connection);
            return Ok(Post::Done);
        };
        let mut header = self.receive_header(connection);
        header.location = block.location();
        match self.inward[slot].lane.position_for(body.len()) {
            Ok(position) => {
                block.post(consumer(connection.worker), position);
                match self.inward[slot].lane.write(&header, &[&body]) {
                    Ok(_) => {}
                    Err(PostError::Broken(broken)) => return Err(broken),
                    Err(PostError::Full) => {
                        return Err(Broken { what: "a lane has lost its room at", found: position });
                    }
                }
                self.has_posted_message(connection, position);
                self.note_queued(connection, slot, len);
            }
            Err(PostError::Full) => {
                connection.incoming = Some(Box::new(Incoming::Ready { filling: block, len }));
                self.wait_for_worker(connection);
            }
            Err(PostError::Broken(broken)) => return Err(broken),
        }
        Ok(Post::Done)
    }

    fn has_posted_message(&mut self, connection: &mut Connection, position: u64) {
        let slot = connection.worker.index();
        self.touch(slot);
        self.router.count(slot);
        add(&self.counters.dispatched, 1);
        self.has_posted(connection, Some(position));
    }

    pub(super) fn has_room(&mut self, slot: usize) -> Result<bool, Broken> {
        match self.inward[slot].lane.position_for(REFERENCE) {
            Ok(_) => Ok(true),
            Err(PostError::Full) => Ok(false),
            Err(PostError::Broken(broken)) => Err(broken),
        }
    }

    /// Hands a message to the helper thread; the connection's next records wait behind it.
    fn spill(&mut self, connection: &mut Connection, bytes: Vec<u8>) -> Post {
        let Some(range) = self.pool.take_spill(bytes.len() as u64) else { return Post::NoRoom };
        connection.is_spilling = true;
        self.inward[connection.worker.index()].spilling += 1;
        // The helper outlives the reactors.
        let _ = self.jobs.send(Job::Write { session: connection.id, range, bytes, reply: self.reply.clone() });
        Post::Done
    }

    fn receive_header(&self, connection: &Connection) -> Header {
        Header {
            kind: Kind::Receive,
            location: Where::Inline,
            aux: connection.port,
            session: connection.id.0,
            // Not the time of this turn: the message may have been held back, and nothing was read meanwhile.
            extra: self.sessions.received_us(connection.id),
        }
    }
}
