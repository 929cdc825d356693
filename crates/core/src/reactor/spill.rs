//! Messages larger than any block, which go to the spill file piece by piece as they come: a client's message costs the
//! master a piece of memory, whatever its length.

use rotor_ipc::SessionId;
use rotor_ipc::payload::Filling;
use rotor_ipc::ring::Broken;

use super::Reactor;
use super::add;
use super::connection::{Connection, Incoming};
use super::post::SPILL_AGAIN_NS;
use crate::disk::{Job, Unwritten};

/// So much of a message is gathered before it is written.
const PIECE: usize = 1 << 20;

/// A message on its way into the spill file.
pub struct Spilling {
    /// Its range; `None` while the helper thread writes into it.
    range: Option<Filling>,
    /// What was received and not given to the helper yet.
    piece: Vec<u8>,
    written: usize,
    total: usize,
}

impl Spilling {
    /// A message of `total` bytes, of which `begin` has come.
    pub fn new(range: Filling, begin: &[u8], total: usize) -> Self {
        Self { range: Some(range), piece: begin.to_vec(), written: 0, total }
    }

    /// How many bytes the piece still takes.
    pub fn wanted(&self) -> usize {
        (self.total - self.written).min(PIECE).saturating_sub(self.piece.len())
    }

    /// Takes what has come.
    pub fn take(&mut self, bytes: &[u8]) {
        self.piece.extend_from_slice(bytes);
    }

    /// The range, unless the helper has it and will bring it back.
    pub fn into_range(self) -> Option<Filling> {
        self.range
    }
}

impl Reactor {
    /// Gives the piece to the helper thread, if it is full. Until it is written the connection is not read.
    pub(super) fn spill_piece(&mut self, connection: &mut Connection) {
        let Some(Incoming::Spill(spilling)) = connection.incoming.as_deref_mut() else { return };
        if connection.is_spilling || spilling.wanted() > 0 {
            return;
        }
        let Some(range) = spilling.range.take() else { return };
        connection.is_spilling = true;
        let (offset, bytes) = (spilling.written as u64, std::mem::take(&mut spilling.piece));
        // The helper outlives the reactors.
        let _ =
            self.jobs.send(Job::WritePiece { session: connection.id, range, offset, bytes, reply: self.reply.clone() });
    }

    /// The helper thread has put a piece into the range of its message, or could not.
    pub(super) fn on_piece(
        &mut self,
        id: SessionId,
        range: Filling,
        result: Result<usize, Unwritten>,
    ) -> Result<(), Broken> {
        let Some(mut connection) = self.take(id) else {
            self.give_back(Some(range));
            return Ok(());
        };
        let Some(Incoming::Spill(spilling)) = connection.incoming.as_deref_mut() else {
            // The server has closed the connection meanwhile.
            connection.is_spilling = false;
            self.give_back(Some(range));
            return self.settle(connection);
        };
        match result {
            Ok(len) => {
                spilling.written += len;
                if spilling.written == spilling.total {
                    add(&self.counters.spilled, 1);
                    let len = spilling.total;
                    connection.begun_ns = 0;
                    connection.incoming = Some(Box::new(Incoming::Ready { filling: range, len }));
                } else {
                    spilling.range = Some(range);
                    // Read meanwhile, at a stop.
                    let unread = connection.unread.bytes();
                    let len = spilling.wanted().min(unread.len());
                    spilling.take(&unread[..len]);
                    connection.unread.take(len);
                }
                connection.is_spilling = false;
                self.spill_piece(&mut connection);
                self.pump(&mut connection)?;
                self.read(&mut connection)?;
            }
            Err(Unwritten { error, bytes }) => {
                spilling.range = Some(range);
                spilling.piece = bytes;
                let total = spilling.total;
                // As for a message that is written as a whole: the client waits, and is not read.
                self.warn_of_disk(id, total, &error);
                self.unspilled.push_back((self.now_ns + SPILL_AGAIN_NS, id));
            }
        }
        self.settle(connection)
    }
}
