//! Reading: from the socket through the framer to the lanes. What is cut is posted by `post`.

use std::io;

use rotor_ipc::payload::Filling;
use rotor_ipc::ring::Broken;

use super::ask::Choice;
use super::connection::{Connection, Incoming, Input, Rejected, Why};
use super::intro::Intro;
use super::post::Post;
use super::spill::Spilling;
use super::{READ_SIZE, Reactor, add};
use crate::framer::{Cut, FrameError};

/// So many reads of one connection in one turn; then the others have theirs.
const READS_PER_TURN: usize = 4;
/// Reads of one connection at a stop; of [`READ_SIZE`] each, they take more than a socket's buffer has room for.
const LAST_READS: usize = 512;
/// A read of more than this makes the connection's next one go straight into a block.
const LARGE_READ: usize = 4 << 10;

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
            // What user code does not want to be read is not.
            if connection.input != Input::Open || !connection.is_readable || connection.is_paused {
                break;
            }
            let waits = connection.is_waiting || connection.is_spilling || connection.is_held;
            // The rest of a message that is being received comes first, and goes where that is.
            let is_in_message =
                !connection.is_spilling && connection.incoming.as_ref().is_some_and(|incoming| !incoming.is_complete());
            if waits && connection.tls.is_none() && !is_in_message {
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
            connection.unread.add(&self.scratch[..len]);
        }
    }

    fn read_once(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        if let Some(Intro::Proxy { .. }) = connection.intro.as_deref() {
            return self.read_intro(connection);
        }
        if connection.tls.is_some() {
            return self.read_secured(connection);
        }
        match connection.incoming.take() {
            Some(incoming) => self.read_incoming(connection, incoming),
            None if connection.framer.is_raw() && connection.reads_large && !connection.asks() => {
                self.read_into_block(connection)
            }
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
    pub(super) fn received(
        &mut self,
        connection: &mut Connection,
        result: io::Result<usize>,
        wanted: usize,
    ) -> Option<usize> {
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
                connection.heard_ns = self.now_ns;
                self.sessions.set_received(connection.id, self.now_us, self.now_ns);
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
        let Some(block) = self.spare.take().or_else(|| self.take_block_to_read(connection)) else {
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
            connection.unread.add_shared(bytes.slice(0, len));
            self.wait_for_worker(connection);
            Ok(())
        }
    }

    /// A block for what a connection sends next. Where it is not known yet which worker that goes to, it may have to wait
    /// for one in its block, as a message does that is not finished: it leaves a quarter to those that need not.
    fn take_block_to_read(&mut self, connection: &Connection) -> Option<Filling> {
        if connection.roaming.is_some() && self.pool.view().is_short_of(READ_SIZE) {
            return None;
        }
        self.take_block(connection, READ_SIZE)
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
            Incoming::Spill(spilling) => {
                let wanted = spilling.wanted().min(READ_SIZE);
                let result = stream.recv(&mut self.scratch[..wanted]);
                if let Some(len) = self.received(connection, result, wanted) {
                    spilling.take(&self.scratch[..len]);
                }
            }
            Incoming::Ready { .. } => connection.is_readable = false,
        }
        if incoming.is_complete() {
            connection.begun_ns = 0;
            // A read of just the rest was not short: there may be more behind it.
            connection.is_readable = connection.input == Input::Open;
        }
        connection.incoming = Some(incoming);
        self.spill_piece(connection);
        self.pump(connection)
    }

    /// Frames what was just read.
    pub(super) fn ingest(&mut self, connection: &mut Connection, bytes: &[u8]) -> Result<(), Broken> {
        if connection.unread.is_empty() {
            let taken = self.cut(connection, bytes)?;
            if connection.input == Input::Open && taken < bytes.len() {
                connection.unread.add(&bytes[taken..]);
            }
            return Ok(());
        }
        connection.unread.add(bytes);
        self.cut_unread(connection)
    }

    pub(super) fn cut_unread(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        let mut unread = std::mem::take(&mut connection.unread);
        let taken = self.cut(connection, unread.bytes())?;
        unread.take(taken);
        if connection.unread.is_empty() {
            connection.unread = unread;
        }
        Ok(())
    }

    /// Cuts messages and posts them. Returns how many bytes were dealt with; the rest waits, for more bytes or
    /// for room.
    fn cut(&mut self, connection: &mut Connection, bytes: &[u8]) -> Result<usize, Broken> {
        let mut taken = 0;
        while taken < bytes.len() && !connection.is_spilling && Self::is_cut(connection) {
            match connection.framer.next(&bytes[taken..]) {
                Ok(Cut::Message(len)) => {
                    connection.begun_ns = 0;
                    if !self.may_post(connection) {
                        self.wait_for_worker(connection);
                        break;
                    }
                    match self.ask_about_message(connection, &bytes[taken..taken + len]) {
                        Choice::Post => {}
                        Choice::Discard => {
                            taken += len;
                            connection.framer.reset();
                            continue;
                        }
                        Choice::Close => return Ok(bytes.len()),
                    }
                    if self.post_message(connection, &bytes[taken..taken + len])? == Post::NoRoom {
                        self.wait_for_worker(connection);
                        break;
                    }
                    taken += len;
                    connection.framer.reset();
                }
                Ok(Cut::Ask(len)) => match self.ask_length(connection, &bytes[taken..taken + len]) {
                    Ok(()) => {}
                    Err(error) => {
                        self.on_frame_error(connection, error);
                        return Ok(bytes.len());
                    }
                },
                Ok(Cut::More { total: Some(total) }) if rotor_ipc::to_usize(total) > self.inline_limit(connection) => {
                    connection.framer.reset();
                    let begun = self.begin_incoming(&bytes[taken..], rotor_ipc::to_usize(total));
                    if matches!(begun, Incoming::Spill(_)) {
                        connection.keep_begin(&bytes[taken..]);
                    }
                    connection.incoming = Some(Box::new(begun));
                    self.spill_piece(connection);
                    self.begin_message(connection);
                    return Ok(bytes.len());
                }
                Ok(Cut::More { .. }) => {
                    self.begin_message(connection);
                    break;
                }
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
            return Incoming::Block { block, received: begin.len(), total };
        }
        if total > self.pool.view().largest_block()
            && !self.pool.view().is_short_of_spill()
            && let Some(range) = self.pool.take_spill(total as u64)
        {
            return Incoming::Spill(Spilling::new(range, begin, total));
        }
        Incoming::Private { bytes: begin.to_vec(), total }
    }

    fn on_frame_error(&mut self, connection: &mut Connection, error: FrameError) {
        add(&self.counters.protocol_errors, 1);
        let line = || format!("session {}: {error}; closing", connection.id);
        if error.is_ours() {
            self.log.limited().warning(line);
        } else {
            self.log.limited().info(line);
        }
        connection.end_input(Why::Misframed);
        self.drop_unread(connection);
        if self.wanted.protocol_error[usize::from(connection.port)] {
            connection.rejected = Some(Box::new(Rejected { code: error.code(), reason: error.to_string() }));
        }
    }
}
