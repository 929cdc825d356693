//! Reading: from the socket through the framer into the workers' lanes.

use std::io;

use rotor_ipc::SessionId;
use rotor_ipc::lane::PostError;
use rotor_ipc::payload::Filling;
use rotor_ipc::record::{Header, Kind, Where};
use rotor_ipc::ring::Broken;

use super::connection::{Connection, Incoming, Input, Posted, Why};
use super::{READ_SIZE, Reactor, add};
use crate::disk::{Job, Unwritten};
use crate::dispatch;
use crate::framer::{Cut, FrameError};

/// So many reads of one connection in one turn; then the others have theirs.
const READS_PER_TURN: usize = 4;
/// So many reads for bytes that nobody wants; a peer that sends more is reset.
const READS_BEFORE_CLOSE: usize = 16;
/// Reads of one connection at a stop; of [`READ_SIZE`] each, they take more than a socket's buffer has room for.
const LAST_READS: usize = 512;
/// A read of more than this makes the connection's next one go straight into a block.
const LARGE_READ: usize = 4 << 10;
/// After the disk did not take a message, it is asked again this much later.
const SPILL_AGAIN_NS: u64 = 100_000_000;
const WARN_EVERY_NS: u64 = 10_000_000_000;
/// So many blocks and spill ranges a worker may have though only a quarter of them is left.
const HARDLY_ANY: usize = 2;

/// A consumer's number is its slot's.
fn consumer(connection: &Connection) -> u16 {
    u16::try_from(connection.worker.0).unwrap_or(u16::MAX)
}

/// What has become of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Post {
    /// It is in the lane, or on its way by the disk.
    Done,
    /// There is no room: it is still where it was.
    NoRoom,
}

impl Reactor {
    /// Goes on reading the connections that had more than their share.
    pub(super) fn read_scheduled(&mut self) -> Result<(), Broken> {
        for id in std::mem::take(&mut self.scheduled) {
            let Some(mut connection) = self.take(id) else { continue };
            connection.is_scheduled = false;
            self.read(&mut connection)?;
            self.settle(connection)?;
        }
        Ok(())
    }

    /// Reads a connection's share of this turn.
    pub(super) fn read(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        for _ in 0..READS_PER_TURN {
            if !connection.may_read() {
                return Ok(());
            }
            self.read_once(connection)?;
        }
        if connection.may_read() && !connection.is_scheduled {
            connection.is_scheduled = true;
            self.scheduled.push(connection.id);
        }
        Ok(())
    }

    /// Reads everything that has arrived, but no more than a kernel's buffer holds at most: a client that sends for
    /// ever does not hold the stop up.
    pub(super) fn read_all(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        // The last look may be old: what came since has its event still waiting.
        connection.is_readable = true;
        for _ in 0..LAST_READS {
            if connection.input != Input::Open || !connection.is_readable {
                break;
            }
            if connection.is_waiting || connection.is_spilling {
                self.read_unframed(connection);
            } else {
                self.read_once(connection)?;
            }
        }
        Ok(())
    }

    /// Reads without framing, at a stop, for a connection whose messages wait for room: the bytes are kept.
    fn read_unframed(&mut self, connection: &mut Connection) {
        let Some(stream) = &connection.stream else {
            connection.is_readable = false;
            return;
        };
        let received = stream.recv(&mut self.scratch);
        if let Some(len) = self.received(connection, received, READ_SIZE) {
            connection.unread.extend_from_slice(&self.scratch[..len]);
        }
    }

    /// Drops what has arrived since the input ended. A socket that is closed with bytes unread resets the connection,
    /// and with it goes what the kernel has not sent yet.
    pub(super) fn discard_arrived(&mut self, connection: &Connection) {
        let Some(stream) = &connection.stream else { return };
        for _ in 0..READS_BEFORE_CLOSE {
            if !stream.recv(&mut self.scratch).is_ok_and(|len| len == READ_SIZE) {
                return;
            }
        }
    }

    fn read_once(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        match connection.incoming.take() {
            Some(incoming) => self.read_incoming(connection, incoming),
            None if self.is_raw && connection.reads_large => self.read_into_block(connection),
            None => {
                let Some(stream) = &connection.stream else { return Ok(()) };
                let received = stream.recv(&mut self.scratch);
                match self.received(connection, received, READ_SIZE) {
                    Some(len) => {
                        connection.reads_large = len > LARGE_READ;
                        let scratch = std::mem::take(&mut self.scratch);
                        let result = self.ingest(connection, &scratch[..len]);
                        self.scratch = scratch;
                        result
                    }
                    None => Ok(()),
                }
            }
        }
    }

    /// Notes what a read has brought; `None` when it brought no bytes.
    fn received(&mut self, connection: &mut Connection, result: io::Result<usize>, wanted: usize) -> Option<usize> {
        match result {
            Ok(0) => {
                connection.end_input(Why::PeerEnded);
                None
            }
            Ok(len) => {
                // A short read has drained the socket, unless the end of the stream is behind it.
                if len < wanted && !connection.is_ending {
                    connection.is_readable = false;
                }
                add(&self.counters.received_bytes, len as u64);
                self.sessions.set_received(connection.id, self.now_us);
                Some(len)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                connection.is_readable = false;
                None
            }
            Err(error) => {
                self.broke(connection, &error);
                None
            }
        }
    }

    /// Raw framing, large reads: straight into a block, which is the message.
    fn read_into_block(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        let Some(block) = self.spare.take().or_else(|| self.take_block(connection, READ_SIZE)) else {
            connection.reads_large = false;
            return Ok(());
        };
        let (Some(stream), Some(bytes)) = (&connection.stream, block.bytes()) else { return Ok(()) };
        let bytes = bytes.slice(0, READ_SIZE);
        let received = stream.recv_shared(bytes);
        let Some(len) = self.received(connection, received, READ_SIZE) else {
            self.spare = Some(block);
            return Ok(());
        };
        connection.reads_large = len > LARGE_READ;
        if len <= self.inline_limit(connection) {
            let mut copy = std::mem::take(&mut self.scratch);
            copy.clear();
            bytes.slice(0, len).append_to(&mut copy);
            self.spare = Some(block);
            let result = self.ingest(connection, &copy);
            copy.resize(READ_SIZE, 0);
            self.scratch = copy;
            return result;
        }
        if self.may_post(connection) {
            self.post_block(connection, block, len).map(|_| ())
        } else {
            bytes.slice(0, len).append_to(&mut connection.unread);
            self.wait_for_lane(connection);
            Ok(())
        }
    }

    /// Goes on with a large message.
    fn read_incoming(&mut self, connection: &mut Connection, mut incoming: Box<Incoming>) -> Result<(), Broken> {
        let Some(stream) = &connection.stream else { return Ok(()) };
        match &mut *incoming {
            Incoming::Block { block, received, total } => {
                let Some(bytes) = block.bytes() else { return Ok(()) };
                let wanted = *total - *received;
                let result = stream.recv_shared(bytes.slice(*received, wanted));
                if let Some(len) = self.received(connection, result, wanted) {
                    *received += len;
                }
            }
            Incoming::Private { bytes, total } => {
                let wanted = (*total - bytes.len()).min(READ_SIZE);
                let result = stream.recv(&mut self.scratch[..wanted]);
                if let Some(len) = self.received(connection, result, wanted) {
                    bytes.extend_from_slice(&self.scratch[..len]);
                }
            }
            Incoming::Ready { .. } => connection.is_readable = false,
        }
        if incoming.is_complete() {
            // A read of just the rest was not short: there may be more behind it.
            connection.is_readable = connection.input == Input::Open;
        }
        connection.incoming = Some(incoming);
        self.pump(connection)
    }

    /// Frames what was just read.
    fn ingest(&mut self, connection: &mut Connection, bytes: &[u8]) -> Result<(), Broken> {
        if connection.unread.is_empty() {
            let taken = self.cut(connection, bytes)?;
            if connection.input == Input::Open && taken < bytes.len() {
                connection.unread.extend_from_slice(&bytes[taken..]);
            }
            return Ok(());
        }
        connection.unread.extend_from_slice(bytes);
        self.cut_unread(connection)
    }

    fn cut_unread(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        let mut unread = std::mem::take(&mut connection.unread);
        let taken = self.cut(connection, &unread)?;
        if taken == unread.len() {
            unread.clear();
            // An idle connection keeps no buffer.
            unread.shrink_to(0);
        } else {
            unread.drain(..taken);
        }
        if connection.unread.is_empty() {
            connection.unread = unread;
        }
        Ok(())
    }

    /// Cuts messages and posts them. Returns how many bytes were dealt with; the rest waits, for more bytes or
    /// for room.
    fn cut(&mut self, connection: &mut Connection, bytes: &[u8]) -> Result<usize, Broken> {
        let mut taken = 0;
        while taken < bytes.len() && !connection.is_spilling {
            match connection.framer.next(&bytes[taken..]) {
                Ok(Cut::Message(len)) => {
                    if !self.may_post(connection)
                        || self.post_message(connection, &bytes[taken..taken + len])? == Post::NoRoom
                    {
                        self.wait_for_lane(connection);
                        break;
                    }
                    taken += len;
                }
                Ok(Cut::More { total: Some(total) }) if rotor_ipc::to_usize(total) > self.inline_limit(connection) => {
                    connection.framer.reset();
                    let begun = self.begin_incoming(&bytes[taken..], rotor_ipc::to_usize(total));
                    connection.incoming = Some(Box::new(begun));
                    return Ok(bytes.len());
                }
                Ok(Cut::More { .. }) => break,
                Err(error) => {
                    self.on_frame_error(connection, error);
                    return Ok(bytes.len());
                }
            }
        }
        Ok(taken)
    }

    fn begin_incoming(&mut self, begin: &[u8], total: usize) -> Incoming {
        // A message that is not finished may stay so for long: it leaves a quarter to those that are.
        if !self.pool.view().is_short_of(total)
            && let Some(block) = self.pool.take_block(total, self.now_ns)
            && block.fill(begin).is_ok()
        {
            self.has_garbage = true;
            return Incoming::Block { block, received: begin.len(), total };
        }
        Incoming::Private { bytes: begin.to_vec(), total }
    }

    /// A block for a message that is complete. The last quarter is for workers that have hardly any: one that is
    /// stuck must not have them all.
    fn take_block(&mut self, connection: &Connection, len: usize) -> Option<Filling> {
        let view = self.pool.view();
        if view.is_short_of(len) && view.held_for(consumer(connection)) >= HARDLY_ANY {
            return None;
        }
        let block = self.pool.take_block(len, self.now_ns)?;
        self.has_garbage = true;
        Some(block)
    }

    /// Whether a spill range is to be had for a message of this connection, by the same rule.
    fn may_spill(&self, connection: &Connection) -> bool {
        let view = self.pool.view();
        let held = || view.held_for(consumer(connection)) + self.inward[connection.worker.index()].spilling;
        self.pool.has_spill_range() && (!view.is_short_of_spill() || held() < HARDLY_ANY)
    }

    fn on_frame_error(&mut self, connection: &mut Connection, error: FrameError) {
        add(&self.counters.protocol_errors, 1);
        self.log.info(|| format!("session {}: {error}; closing", connection.id));
        connection.end_input(Why::Misframed);
        self.drop_unread(connection);
    }

    /// Posts what a connection owes, in order: connect, messages, close. What finds no room waits in the lane's
    /// list.
    pub(super) fn pump(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        if !self.may_post(connection) {
            if connection.owes() {
                self.wait_for_lane(connection);
            }
            return Ok(());
        }
        if connection.posted == Posted::Nothing {
            match self.post_plain(connection, Kind::Connect, 0)? {
                Some(_) => connection.posted = Posted::Connect,
                None => return Ok(()),
            }
        }
        if connection.posted != Posted::Connect {
            return Ok(());
        }
        if let Some(incoming) = connection.incoming.take_if(|incoming| incoming.is_complete()) {
            self.post_incoming(connection, *incoming)?;
        }
        if !connection.unread.is_empty() && connection.incoming.is_none() && !connection.is_waiting {
            self.cut_unread(connection)?;
        }
        if let Input::Over(why) = connection.input
            && !connection.is_waiting
            && !connection.is_spilling
        {
            let aux = u16::from(why.is_by_server());
            if let Some(position) = self.post_plain(connection, Kind::Close, aux)? {
                self.drop_unread(connection);
                connection.posted = Posted::Close(position);
                self.inward[connection.worker.index()].open -= 1;
                self.inward[connection.worker.index()].closing.push_back((position, connection.id));
            }
        }
        Ok(())
    }

    /// Lets connections that wait for room post, in order, and read on.
    pub(super) fn serve_waiting(&mut self) -> Result<(), Broken> {
        for slot in 0..self.inward.len() {
            while let Some(id) = self.inward[slot].waiting.pop_front() {
                let Some(mut connection) = self.take(id) else { continue };
                connection.is_waiting = false;
                self.serving = Some(id);
                let result = self.pump(&mut connection);
                self.serving = None;
                result?;
                let still_waits = connection.is_waiting;
                if still_waits {
                    // It was put at the end: the first in line stays the first.
                    self.inward[slot].waiting.pop_back();
                    self.inward[slot].waiting.push_front(id);
                } else if connection.may_read() && !connection.is_scheduled {
                    connection.is_scheduled = true;
                    self.scheduled.push(id);
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
        let slot = dispatch::worker_of(id, self.inward.len()).index();
        self.inward[slot].spilling -= 1;
        let Some(mut connection) = self.take(id) else {
            self.give_back(result.ok());
            return Ok(());
        };
        match result {
            Ok(range) => {
                connection.is_spilling = false;
                add(&self.counters.spilled, 1);
                if self.may_post(&connection) {
                    self.post_block(&mut connection, range, len)?;
                } else {
                    connection.incoming = Some(Box::new(Incoming::Ready { filling: range, len }));
                    self.wait_for_lane(&mut connection);
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
            self.pump(&mut connection)?;
            self.read(&mut connection)?;
            self.settle(connection)?;
        }
        Ok(())
    }

    fn warn_of_disk(&mut self, id: SessionId, len: usize, error: &io::Error) {
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
    fn give_back(&self, filling: Option<Filling>) {
        if let Some(filling) = filling.filter(|filling| filling.location() == Where::Spill) {
            let _ = self.jobs.send(Job::GiveBack(Box::new(filling)));
        }
    }

    /// Drops what was received and not cut: nobody wants it.
    pub(super) fn drop_unread(&mut self, connection: &mut Connection) {
        connection.unread = Vec::new();
        if let Some(incoming) = connection.incoming.take()
            && let Incoming::Ready { filling, .. } = *incoming
        {
            self.give_back(Some(filling));
        }
    }

    /// Whether the connection may post now, or has to wait behind others.
    fn may_post(&self, connection: &Connection) -> bool {
        let inward = &self.inward[connection.worker.index()];
        !connection.is_waiting
            && !connection.is_spilling
            && !inward.is_closed
            && (inward.waiting.is_empty() || self.serving == Some(connection.id))
    }

    fn wait_for_lane(&mut self, connection: &mut Connection) {
        if !connection.is_waiting && !connection.is_spilling && !self.inward[connection.worker.index()].is_closed {
            connection.is_waiting = true;
            self.inward[connection.worker.index()].waiting.push_back(connection.id);
            add(&self.counters.pauses, 1);
        }
    }

    fn inline_limit(&self, connection: &Connection) -> usize {
        self.inward[connection.worker.index()].lane.inline_limit()
    }

    /// Posts a record without bytes; `None` when it has to wait.
    fn post_plain(&mut self, connection: &mut Connection, kind: Kind, aux: u16) -> Result<Option<u64>, Broken> {
        let header = Header { kind, location: Where::Inline, aux, session: connection.id.0, extra: self.now_us };
        let slot = connection.worker.index();
        match self.inward[slot].lane.write(&header, &[]) {
            Ok(position) => {
                self.touch(slot);
                Ok(Some(position))
            }
            Err(PostError::Full) => {
                self.wait_for_lane(connection);
                Ok(None)
            }
            Err(PostError::Broken(broken)) => Err(broken),
        }
    }

    fn post_message(&mut self, connection: &mut Connection, bytes: &[u8]) -> Result<Post, Broken> {
        let slot = connection.worker.index();
        if bytes.len() <= self.inline_limit(connection) {
            let header = self.receive_header(connection.id);
            return match self.inward[slot].lane.write(&header, &[bytes]) {
                Ok(_) => {
                    self.touch(slot);
                    add(&self.counters.dispatched, 1);
                    Ok(Post::Done)
                }
                Err(PostError::Full) => Ok(Post::NoRoom),
                Err(PostError::Broken(broken)) => Err(broken),
            };
        }
        // What has to wait is not copied before.
        if !self.has_room(slot)? {
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
            Incoming::Block { block, total, .. } => self.post_block(connection, block, total).map(|_| ()),
            Incoming::Ready { filling, len } => self.post_block(connection, filling, len).map(|_| ()),
            Incoming::Private { bytes, total } => {
                if self.has_room(connection.worker.index())? {
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
                self.wait_for_lane(connection);
                Ok(())
            }
        }
    }

    /// Posts a message that lies in a block or spill range; where the lane has no room, it waits as incoming.
    fn post_block(&mut self, connection: &mut Connection, block: Filling, len: usize) -> Result<Post, Broken> {
        let slot = connection.worker.index();
        let body = block.reference(len).to_bytes();
        let mut header = self.receive_header(connection.id);
        header.location = block.location();
        match self.inward[slot].lane.position_for(body.len()) {
            Ok(position) => {
                block.post(consumer(connection), position);
                match self.inward[slot].lane.write(&header, &[&body]) {
                    Ok(_) => {}
                    Err(PostError::Broken(broken)) => return Err(broken),
                    Err(PostError::Full) => {
                        return Err(Broken { what: "a lane has lost its room at", found: position });
                    }
                }
                self.touch(slot);
                add(&self.counters.dispatched, 1);
            }
            Err(PostError::Full) => {
                connection.incoming = Some(Box::new(Incoming::Ready { filling: block, len }));
                self.wait_for_lane(connection);
            }
            Err(PostError::Broken(broken)) => return Err(broken),
        }
        Ok(Post::Done)
    }

    fn has_room(&mut self, slot: usize) -> Result<bool, Broken> {
        match self.inward[slot].lane.position_for(16) {
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

    fn receive_header(&self, id: SessionId) -> Header {
        Header { kind: Kind::Receive, location: Where::Inline, aux: 0, session: id.0, extra: self.now_us }
    }
}
