//! What of a connection is on its way to a worker and was not taken yet (`max_queued_bytes`). A connection that has too
//! much of it is *held*: nothing more of it is read or cut until a worker has taken enough. The reactor knows by the
//! heads of its lanes, so workers do nothing for it, and one that dies leaves nothing uncounted.

use std::cmp::Reverse;
use std::collections::VecDeque;

use rotor_ipc::SessionId;
use rotor_ipc::record::HEADER;
use rotor_ipc::ring::Broken;

use super::connection::{Connection, Input};
use super::{Reactor, add};

/// The messages of one connection that no worker has taken yet, as far as is known.
#[derive(Default)]
pub struct Queued {
    messages: VecDeque<Message>,
    bytes: u64,
    /// With so many messages it is looked at again, however small they are.
    look_at: usize,
}

struct Message {
    slot: usize,
    /// The position behind its record.
    end: u64,
    /// What it counts for.
    bytes: u64,
}

/// So many messages are noted before it is looked which of them were taken.
const FEW: usize = 32;

impl Queued {
    fn push(&mut self, slot: usize, end: u64, len: usize) {
        // With its header, so that a limit in bytes bounds the number of messages, too.
        let bytes = (HEADER + len) as u64;
        self.bytes += bytes;
        self.messages.push_back(Message { slot, end, bytes });
    }

    /// Forgets what was taken, given how far each worker is.
    fn forget_taken(&mut self, taken: impl Fn(usize) -> u64) {
        let Self { messages, bytes, .. } = self;
        messages.retain(|message| {
            let is_taken = message.end <= taken(message.slot);
            if is_taken {
                *bytes -= message.bytes;
            }
            !is_taken
        });
        self.look_at = FEW.max(2 * self.messages.len());
    }
}

impl Reactor {
    /// A message of the connection was posted, as the last record of a slot's lane.
    pub(super) fn note_queued(&mut self, connection: &mut Connection, slot: usize, len: usize) {
        let Some(limit) = self.settings.max_queued_bytes else { return };
        let end = self.inward[slot].lane.tail();
        let queued = connection.queued.get_or_insert_default();
        queued.push(slot, end, len);
        if queued.bytes <= limit && queued.messages.len() < queued.look_at.max(FEW) {
            return;
        }
        queued.forget_taken(|slot| self.inward[slot].lane.taken());
        if queued.bytes > limit && connection.input == Input::Open && !connection.is_held {
            self.hold(connection);
        }
    }

    /// Holds a connection until its oldest message was taken, and looks again.
    fn hold(&mut self, connection: &mut Connection) {
        let Some(oldest) = connection.queued.as_ref().and_then(|queued| queued.messages.front()) else { return };
        if !connection.is_held {
            connection.is_held = true;
            add(&self.counters.pauses, 1);
        }
        self.inward[oldest.slot].held.push(Reverse((oldest.end, connection.id.0)));
    }

    /// Goes on with the connections whose messages were taken.
    pub(super) fn serve_held(&mut self) -> Result<(), Broken> {
        for slot in 0..self.inward.len() {
            if self.inward[slot].held.is_empty() {
                continue;
            }
            let taken = self.inward[slot].lane.taken();
            while let Some(Reverse((end, id))) = self.inward[slot].held.peek().copied()
                && end <= taken
            {
                self.inward[slot].held.pop();
                let Some(mut connection) = self.take(SessionId(id)) else { continue };
                if connection.is_held {
                    self.serve_held_connection(&mut connection)?;
                }
                self.settle(connection)?;
            }
        }
        Ok(())
    }

    fn serve_held_connection(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        let limit = self.settings.max_queued_bytes.unwrap_or(u64::MAX);
        if let Some(queued) = &mut connection.queued {
            queued.forget_taken(|slot| self.inward[slot].lane.taken());
            if queued.bytes > limit && connection.input == Input::Open {
                self.hold(connection);
                return Ok(());
            }
            if queued.messages.is_empty() {
                // An idle connection keeps nothing.
                connection.queued = None;
            }
        }
        connection.is_held = false;
        self.go_on(connection)
    }

    /// Goes on with a connection that was not read for a reason of ours.
    pub(super) fn go_on(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        if !connection.unread.is_empty() && !self.may_post(connection) {
            // There may be a message among it, for which it is not its turn.
            self.wait_for_lane(connection);
            return Ok(());
        }
        self.pump(connection)?;
        self.read_on(connection);
        Ok(())
    }

    /// Reads a connection again that was not read for a reason of ours.
    pub(super) fn read_on(&mut self, connection: &mut Connection) {
        self.begin_anew(connection);
        if connection.may_read() && !connection.is_scheduled {
            connection.is_scheduled = true;
            self.scheduled.push(connection.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_counts_no_more_by_whichever_worker() {
        let mut queued = Queued::default();
        queued.push(0, 100, 10);
        queued.push(1, 50, 20);
        queued.push(0, 200, 30);
        queued.forget_taken(|slot| [99, 50][slot]);
        assert_eq!((queued.bytes, queued.messages.len()), (10 + 30 + 2 * HEADER as u64, 2));
        queued.forget_taken(|slot| [200, 50][slot]);
        assert_eq!((queued.bytes, queued.messages.len()), (0, 0));
    }
}
