//! The end of a connection whose messages have gone to several workers. Its close record comes when all of them are done
//! with theirs, and its socket stays until what they have sent is out. That of a connection with one worker stays, too,
//! where broadcasts hold up what others have sent.
//!
//! Whether a worker is done is looked at in the segment; one that is not gets a barrier record, whose answer comes
//! behind all that it sends about the messages before it.

use rotor_ipc::SessionId;
use rotor_ipc::record::{BY_SERVER, Kind};
use rotor_ipc::ring::Broken;

use super::Reactor;
use super::connection::{Connection, Input, Posted, Why};

/// Connections that are about to end.
#[derive(Default)]
pub(super) struct Ending {
    /// Nothing of them is left to post but the end.
    listed: Vec<SessionId>,
    /// All workers are done with their messages, and what they have sent is still to be taken.
    handled: Vec<SessionId>,
    /// It is being taken: in this turn, unless a broadcast interrupts that.
    settling: Vec<SessionId>,
}

impl Ending {
    pub(super) fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.handled.is_empty() && self.settling.is_empty()
    }
}

impl Reactor {
    /// Everything of the connection is posted, and its input is over.
    pub(super) fn begin_ending(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        self.drop_unread(connection);
        let id = connection.id;
        let is_its_turn = self.serving.is_some_and(|(_, served)| served == id);
        if connection.roaming.is_none() || connection.is_listed {
            return Ok(());
        }
        if !is_its_turn {
            connection.is_listed = true;
            self.ending.listed.push(id);
            return Ok(());
        }
        // What it has waited for in a lane's list goes there now: later others may wait again.
        if connection.is_settled { self.end(connection) } else { self.look_at_messages(connection) }
    }

    /// Looks which connections' messages are all done with. Comes before the inbox is taken: what was sent about them is
    /// there by now.
    pub(super) fn look_at_ending(&mut self) -> Result<(), Broken> {
        for id in std::mem::take(&mut self.ending.listed) {
            let Some(mut connection) = self.take(id) else { continue };
            self.look_at_messages(&mut connection)?;
            self.settle(connection)?;
        }
        if self.ending.settling.is_empty() && !self.ending.handled.is_empty() {
            self.ending.settling = std::mem::take(&mut self.ending.handled);
            self.inbox.begin_to_owe();
        }
        Ok(())
    }

    /// Looks whether all messages of the connection are done with. If not, a worker is asked to say so.
    fn look_at_messages(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        let mut sent = Vec::new();
        if let Some(roaming) = connection.roaming.as_deref_mut() {
            sent = std::mem::take(&mut roaming.sent);
            sent.retain(|(worker, position)| !self.is_handled(*worker, *position));
        }
        let waits_for = sent.first().map(|(worker, _)| *worker);
        let is_rejected = connection.rejected.is_some();
        connection.is_listed = waits_for.is_none() && !is_rejected;
        if let Some(roaming) = connection.roaming.as_deref_mut() {
            roaming.sent = sent;
            // Who is to be told why it was rejected may have been chosen before.
            roaming.is_assigned = waits_for.is_some() || (is_rejected && roaming.is_assigned);
        }
        match waits_for {
            // It comes behind all messages and before the close, as everywhere.
            None if is_rejected => {
                self.assign(connection);
                self.post_rejected(connection)?;
            }
            None => self.ending.handled.push(connection.id),
            Some(worker) => {
                connection.worker = worker;
                if let Some(position) = self.post_plain(connection, Kind::Barrier, 0)? {
                    connection.posted = Posted::Barrier(position);
                    self.inward[worker.index()].closing.push_back((position, connection.id));
                }
            }
        }
        Ok(())
    }

    /// Ends the connections of which nothing is left in any worker. Comes after the inbox was taken and written out.
    pub(super) fn end_settled(&mut self) -> Result<(), Broken> {
        if self.ending.settling.is_empty() || !self.inbox.owes_nothing() {
            return Ok(());
        }
        // What the master and the manager have broadcast is in no slot's lane. They come to an end at a stop.
        if self.is_draining && (self.broadcasts.holds_letters() || self.inbox.is_broadcasting_for_manager()) {
            return Ok(());
        }
        for id in std::mem::take(&mut self.ending.settling) {
            let Some(mut connection) = self.take(id) else { continue };
            connection.is_listed = false;
            connection.is_settled = true;
            if connection.posted == Posted::Connect && !connection.is_waiting {
                self.end(&mut connection)?;
            }
            self.settle(connection)?;
        }
        Ok(())
    }

    /// Whether a connection that its workers are done with has to stay for what others have sent it before its input
    /// ended. Each turn takes that, unless a broadcast to many keeps it in a lane: then the connection is listed.
    pub(super) fn has_to_stay(&mut self, connection: &mut Connection) -> bool {
        let is_orderly = matches!(connection.input, Input::Over(Why::PeerEnded | Why::Misframed | Why::Stopping));
        let is_done = connection.posted == Posted::Done && connection.stream.is_some();
        if !is_orderly || !is_done || connection.is_settled || self.finish.is_some() {
            return false;
        }
        if !connection.is_listed && self.is_behind() {
            connection.is_listed = true;
            self.ending.handled.push(connection.id);
        }
        connection.is_listed
    }

    /// Posts the end of a connection, if anybody wants to know of it.
    fn end(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        let Input::Over(why) = connection.input else { return Ok(()) };
        let is_wanted = self.wanted.close.get(usize::from(connection.port)).is_some_and(|wanted| *wanted);
        if self.may_tell_of_end(connection) && is_wanted {
            self.assign(connection);
            let aux = connection.port | if why.is_by_server() { BY_SERVER } else { 0 };
            if let Some(position) = self.post_plain(connection, Kind::Close, aux)? {
                self.has_posted_close(connection, position);
            }
        } else {
            // Nobody wants to know, and a worker that is busy with another's message need not be waited for.
            connection.posted = Posted::Done;
            self.router.roaming -= 1;
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
