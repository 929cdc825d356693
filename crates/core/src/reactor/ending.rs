//! The end of a connection. Whose messages have gone to several workers has its close record posted when all of them are
//! done with theirs. Any socket closes behind what was sent to it, by whatever process, before nothing more could be.
//!
//! Whether a worker is done is looked at in the segment; one that is not gets a barrier record, whose answer comes
//! behind all that it sends about the messages before it.

use rotor_ipc::SessionId;
use rotor_ipc::record::{BY_SERVER, Kind};
use rotor_ipc::ring::Broken;
use rotor_ipc::sessions::Flag;

use super::Reactor;
use super::connection::{Connection, Input, Parting, Posted};

/// Connections that are about to end.
#[derive(Default)]
pub(super) struct Ending {
    /// Nothing of them is left to post but the end.
    listed: Vec<SessionId>,
    /// Nothing more can be sent to them, since this turn.
    parting: Vec<SessionId>,
    /// Those that wait for a round in which all is taken that was sent before.
    waiting: Waiting,
    /// Those of the round that is under way: in this turn, unless a broadcast interrupts it.
    settling: Waiting,
}

#[derive(Default)]
struct Waiting {
    /// All workers are done with their messages.
    handled: Vec<SessionId>,
    /// Nothing more can be sent to them.
    parting: Vec<SessionId>,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.handled.is_empty() && self.parting.is_empty()
    }
}

impl Ending {
    pub(super) fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.parting.is_empty() && self.waiting.is_empty() && self.settling.is_empty()
    }
}

impl Reactor {
    /// Everything of the connection is posted, and its input is over.
    pub(super) fn begin_ending(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        self.drop_unread(connection);
        let id = connection.id;
        let is_its_turn = self.serving.is_some_and(|(_, served)| served == id);
        let Some(roaming) = connection.roaming.as_deref_mut().filter(|roaming| !roaming.is_listed) else {
            return Ok(());
        };
        if !is_its_turn {
            roaming.is_listed = true;
            self.ending.listed.push(id);
            return Ok(());
        }
        // What it has waited for in a lane's list goes there now: later others may wait again.
        if roaming.is_settled { self.end(connection) } else { self.look_at_messages(connection) }
    }

    /// Looks which connections' messages are all done with. Comes before the inbox is taken: what was sent about them is
    /// there by now.
    pub(super) fn look_at_ending(&mut self) -> Result<(), Broken> {
        for id in std::mem::take(&mut self.ending.listed) {
            let Some(mut connection) = self.take(id) else { continue };
            self.look_at_messages(&mut connection)?;
            self.settle(connection)?;
        }
        if self.ending.settling.is_empty() && !self.ending.waiting.is_empty() {
            self.ending.settling = std::mem::take(&mut self.ending.waiting);
            self.inbox.begin_to_owe()?;
            self.broadcasts.begin_to_owe(self.mailbox.put_so_far());
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
        if let Some(roaming) = connection.roaming.as_deref_mut() {
            roaming.sent = sent;
            roaming.is_listed = waits_for.is_none() && !is_rejected;
            // Who is to be told why it was rejected may have been chosen before.
            roaming.is_assigned = waits_for.is_some() || (is_rejected && roaming.is_assigned);
        }
        match waits_for {
            // It comes behind all messages and before the close, as everywhere.
            None if is_rejected => {
                self.assign(connection);
                self.post_rejected(connection)?;
            }
            None => self.ending.waiting.handled.push(connection.id),
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

    /// Nothing more can be sent to the connection, if nobody has anything more to say to it. It closes once all is taken that
    /// was sent before, which may lie in the lane of any process.
    pub(super) fn begin_to_part(&mut self, connection: &mut Connection) {
        if !connection.is_to_part() {
            return;
        }
        let _ = self.sessions.set_flag(connection.id, Flag::Over);
        // At the very end all was taken, and nobody lives who could send.
        connection.parting = if self.finish.is_some() { Parting::Over } else { Parting::Begun };
        if connection.parting == Parting::Begun {
            self.ending.parting.push(connection.id);
        }
    }

    /// Goes on with the connections for which all was taken. Comes after the inbox was taken and written out.
    pub(super) fn end_settled(&mut self) -> Result<(), Broken> {
        if !self.ending.settling.is_empty() && self.inbox.owes_nothing() && self.broadcasts.owe_nothing() {
            let Waiting { handled, parting } = std::mem::take(&mut self.ending.settling);
            for id in handled {
                let Some(mut connection) = self.take(id) else { continue };
                if let Some(roaming) = connection.roaming.as_deref_mut() {
                    roaming.is_listed = false;
                    roaming.is_settled = true;
                }
                if connection.posted == Posted::Connect && !connection.is_waiting {
                    self.end(&mut connection)?;
                }
                self.settle(connection)?;
            }
            self.part(parting)?;
        }
        if self.ending.parting.is_empty() {
            return Ok(());
        }
        let parting = std::mem::take(&mut self.ending.parting);
        if self.is_behind() || self.mailbox.has_mail() || self.inbox.has_something()? {
            self.ending.waiting.parting.extend(parting);
            return Ok(());
        }
        self.part(parting)
    }

    fn part(&mut self, parting: Vec<SessionId>) -> Result<(), Broken> {
        for id in parting {
            let Some(mut connection) = self.take(id) else { continue };
            connection.parting = Parting::Over;
            self.settle(connection)?;
        }
        Ok(())
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
