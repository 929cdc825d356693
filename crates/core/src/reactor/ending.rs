//! The end of a connection whose messages have gone to several workers. Its close record comes when all of them are done
//! with theirs, and its socket stays until what they have sent is out.
//!
//! Whether a worker is done is looked at in the segment; one that is not gets a barrier record, whose answer comes
//! behind all that it sends about the messages before it.

use rotor_ipc::SessionId;
use rotor_ipc::record::{BY_SERVER, Kind};
use rotor_ipc::ring::Broken;

use super::Reactor;
use super::connection::{Connection, Input, Posted};

/// Connections that are about to end.
#[derive(Default)]
pub(super) struct Ending {
    /// Nothing of them is left to post but the end.
    listed: Vec<SessionId>,
    /// All workers are done with their messages, and what they have sent is taken in this turn.
    settled: Vec<SessionId>,
}

impl Ending {
    pub(super) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }
}

impl Reactor {
    /// Everything of the connection is posted, and its input is over.
    pub(super) fn begin_ending(&mut self, connection: &mut Connection) {
        self.drop_unread(connection);
        let id = connection.id;
        if let Some(roaming) = connection.roaming.as_deref_mut().filter(|roaming| !roaming.is_listed) {
            roaming.is_listed = true;
            self.ending.listed.push(id);
        }
    }

    /// Looks which connections' messages are all done with. Comes before the inbox is taken: what was sent about them is
    /// there by now.
    pub(super) fn look_at_ending(&mut self) -> Result<(), Broken> {
        for id in std::mem::take(&mut self.ending.listed) {
            let Some(mut connection) = self.take(id) else { continue };
            let mut sent = Vec::new();
            if let Some(roaming) = connection.roaming.as_deref_mut() {
                sent = std::mem::take(&mut roaming.sent);
                sent.retain(|(worker, position)| !self.is_handled(*worker, *position));
            }
            let waits_for = sent.first().map(|(worker, _)| *worker);
            if let Some(roaming) = connection.roaming.as_deref_mut() {
                roaming.sent = sent;
                roaming.is_listed = waits_for.is_none() && connection.rejected.is_none();
                roaming.is_assigned = waits_for.is_some();
            }
            match waits_for {
                // It comes behind all messages and before the close, as everywhere.
                None if connection.rejected.is_some() => {
                    self.assign(&mut connection);
                    self.post_rejected(&mut connection)?;
                }
                None => self.ending.settled.push(id),
                Some(worker) => {
                    connection.worker = worker;
                    if let Some(position) = self.post_plain(&mut connection, Kind::Barrier, 0)? {
                        connection.posted = Posted::Barrier(position);
                        self.inward[worker.index()].closing.push_back((position, id));
                    }
                }
            }
            self.settle(connection)?;
        }
        Ok(())
    }

    /// Ends the connections of which nothing is left in any worker. Comes after the inbox was taken and written out.
    pub(super) fn end_settled(&mut self) -> Result<(), Broken> {
        for id in std::mem::take(&mut self.ending.settled) {
            let Some(mut connection) = self.take(id) else { continue };
            if let Some(roaming) = connection.roaming.as_deref_mut() {
                roaming.is_listed = false;
            }
            if let Input::Over(why) = connection.input
                && connection.posted == Posted::Connect
                && !connection.is_waiting
            {
                let is_wanted = self.wanted.close.get(usize::from(connection.port)).is_some_and(|wanted| *wanted);
                if self.may_tell_of_end(&mut connection) && is_wanted {
                    self.assign(&mut connection);
                    let aux = connection.port | if why.is_by_server() { BY_SERVER } else { 0 };
                    if let Some(position) = self.post_plain(&mut connection, Kind::Close, aux)? {
                        self.has_posted_close(&mut connection, position);
                    }
                } else {
                    // Nobody wants to know, and a worker that is busy with another's message need not be waited for.
                    connection.posted = Posted::Done;
                    self.router.roaming -= 1;
                }
            }
            self.settle(connection)?;
        }
        Ok(())
    }

    /// A worker is done with what it has of the connection: answered the barrier, or died.
    pub(super) fn is_past_barrier(&mut self, connection: &mut Connection, position: u64) {
        connection.posted = Posted::Connect;
        let worker = connection.worker;
        if let Some(roaming) = connection.roaming.as_deref_mut() {
            roaming.sent.retain(|sent| sent.0 != worker || sent.1 > position);
        }
    }
}
