//! The end of a reactor's life: it reads what has arrived, tells the workers that nothing more comes, and finishes once
//! everything is sent.

use std::time::Instant;

use rotor_ipc::ring::Broken;

use super::Reactor;
use super::broadcast::ALLOWANCE;
use super::connection::{Posted, Why};
use super::datagrams::Port;

impl Reactor {
    /// Reads what has arrived everywhere, once, and ends all input.
    pub(super) fn drain(&mut self) -> Result<(), Broken> {
        self.drain_datagrams()?;
        self.adopt_all()?;
        self.is_draining = true;
        self.begin_to_hold_ends();
        for index in 0..self.connections.len() {
            let Some(mut connection) = self.connections.take_at(index) else { continue };
            self.read_all(&mut connection)?;
            connection.end_input(Why::Stopping);
            self.settle(connection)?;
        }
        Ok(())
    }

    /// Makes the connections that were accepted and have not had their first event yet. The accept thread has ended. To wait
    /// for these events would be to wait for clients that never cease to send, too.
    fn adopt_all(&mut self) -> Result<(), Broken> {
        for index in 0..self.sessions.capacity() {
            let Some(session) = self.sessions.id_at(index).and_then(|id| self.sessions.find(id)) else { continue };
            if usize::from(session.reactor) != self.id || self.connections.get(session.id).is_some() {
                continue;
            }
            let Some(mut connection) = self.adopt(session.id) else { continue };
            self.pump(&mut connection)?;
            self.settle(connection)?;
        }
        Ok(())
    }

    /// Closes the lanes to workers for which nothing is owed any more.
    pub(super) fn close_drained_lanes(&mut self) {
        if !self.is_draining || self.inward.iter().all(|inward| inward.is_closed) {
            return;
        }
        // A message that has no worker yet may go to any.
        if self.router.roaming > 0 {
            return;
        }
        for inward in &mut self.inward {
            if inward.open == 0 && inward.packets.is_empty() && !inward.is_closed {
                inward.lane.publish();
                inward.lane.close();
                inward.is_closed = true;
                inward.marker.mark();
                inward.waker.wake_always();
            }
        }
    }

    pub(super) fn begin_finish(&mut self, deadline: Option<Instant>) -> Result<(), Broken> {
        let before = self.finish;
        // The workers are gone. Their last answers and closes may have come in this very turn, and there may be broadcasts
        // for many turns more.
        loop {
            self.allowance = ALLOWANCE;
            self.serve_broadcasts()?;
            self.take_inbox()?;
            self.send_batch()?;
            for mail in self.mailbox.take(self.broadcasts.holds_letters()) {
                self.on_mail(mail)?;
            }
            if self.finish != before {
                // A second signal has come meanwhile, and set an earlier end.
                return Ok(());
            }
            let is_late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if is_late || !(self.is_behind() || self.mailbox.has_mail()) {
                break;
            }
        }
        self.finish = Some(deadline);
        for index in 0..self.connections.len() {
            let Some(mut connection) = self.connections.take_at(index) else { continue };
            // No worker lives that could still confirm.
            connection.posted = Posted::Done;
            connection.is_spilling = false;
            connection.end_input(Why::Stopping);
            self.settle(connection)?;
        }
        Ok(())
    }

    pub(super) fn is_finished(&self) -> bool {
        match self.finish {
            None => false,
            Some(deadline) => {
                deadline.is_some_and(|deadline| Instant::now() >= deadline)
                    || (self.alive == 0 && self.datagrams.iter().all(Port::is_sent))
            }
        }
    }
}
