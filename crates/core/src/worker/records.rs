//! What a worker does with the records of its inbox, by kind.

use std::cell::Cell;

use rotor_ipc::SessionId;
use rotor_ipc::idle::Idle;
use rotor_ipc::lane::Record;
use rotor_ipc::payload::{Payload, Reference};
use rotor_ipc::record::{BY_SERVER, Kind, Where};
use rotor_ipc::ring::Broken;
use rotor_ipc::workers::{Held, SeatState};
use rotor_sys::clock::monotonic_ns;

use super::{Next, Worker, add};
use crate::error::code;
use crate::host::{Event, Host, Origin, Outcome};

impl Worker {
    pub(super) fn on_record(&mut self, reactor: usize, record: &Record, host: &mut dyn Host) -> Result<Next, Broken> {
        let session = SessionId(record.header.session);
        let since_ns = monotonic_ns();
        self.process.note_clock(since_ns);
        self.seat.set_state(SeatState::Busy);
        let held =
            Held { lane: reactor, kind: record.header.kind, position: record.position, session: session.0, since_ns };
        let outcome = match record.header.kind {
            Kind::Receive => return self.on_message(reactor, record, &held, host),
            Kind::Packet => return self.on_packet(reactor, record, &held, host),
            Kind::Connect => {
                self.hold(&held, reactor, record);
                let port = record.header.aux;
                let listens = self.listens_connect.get(usize::from(port)).is_some_and(|listens| *listens);
                if listens && self.sessions.lives(session) {
                    let reactor = u16::try_from(reactor).unwrap_or(0);
                    host.call(Event::Connect { session, reactor, port, at_us: record.header.extra })
                } else {
                    Outcome::Returned
                }
            }
            Kind::ProtocolError => {
                let mut reason = Vec::new();
                if let Some(inbox) = &self.inbox {
                    inbox.lanes[reactor].bytes(record).append_to(&mut reason);
                }
                self.hold(&held, reactor, record);
                if self.sessions.lives(session) {
                    let reactor = u16::try_from(reactor).unwrap_or(0);
                    let from = Origin { session, reactor, port: record.header.aux };
                    let code = i32::try_from(record.header.extra).unwrap_or(0);
                    host.protocol_error(from, code, &String::from_utf8_lossy(&reason))
                } else {
                    Outcome::Returned
                }
            }
            Kind::Close => {
                self.hold(&held, reactor, record);
                let port = record.header.aux & !BY_SERVER;
                let listens = self.listens_close.get(usize::from(port)).is_some_and(|listens| *listens);
                let outcome = if listens && self.sessions.lives(session) {
                    let by = u16::try_from(reactor).ok().filter(|_| record.header.aux & BY_SERVER == 0);
                    host.call(Event::Close { session, reactor: by, port, at_us: record.header.extra })
                } else {
                    Outcome::Returned
                };
                if !matches!(outcome, Outcome::Ended(_)) {
                    self.confirm_close(reactor, session);
                }
                outcome
            }
            Kind::Barrier => {
                self.hold(&held, reactor, record);
                self.confirm_close(reactor, session);
                Outcome::Returned
            }
            Kind::BufferFull | Kind::BufferEmpty => {
                self.hold(&held, reactor, record);
                let port = record.header.aux;
                if self.sessions.is_closing(session) {
                    Outcome::Returned
                } else if record.header.kind == Kind::BufferFull {
                    host.call(Event::BufferFull { session, port })
                } else {
                    host.call(Event::BufferEmpty { session, port })
                }
            }
            Kind::Send
            | Kind::CloseRequest
            | Kind::Closed
            | Kind::WorkerDied
            | Kind::Pause
            | Kind::Resume
            | Kind::SendTo
            | Kind::SendFile
            | Kind::Broadcast => {
                self.hold(&held, reactor, record);
                add(&self.seat.counters.dropped, 1);
                let kind = record.header.kind;
                let log = self.context.log.limited();
                log.error(|| format!("unexpected record kind={kind:?} from=reactor {reactor}, dropped"));
                Outcome::Returned
            }
        };
        Ok(self.after(outcome, session, record.header.kind))
    }

    fn on_message(
        &mut self,
        reactor: usize,
        record: &Record,
        held: &Held,
        host: &mut dyn Host,
    ) -> Result<Next, Broken> {
        let session = SessionId(held.session);
        let payload = match self.payload(reactor, record) {
            Ok(payload) => payload,
            Err(broken) => {
                // Taken, so that the next process does not meet it again.
                self.drop_message(held, record, None);
                add(&self.seat.counters.dropped, 1);
                self.context.log.limited().error(|| format!("{broken}; a message of session {session} is dropped"));
                return Ok(Next::Go);
            }
        };
        if !self.sessions.lives(session) || (self.drops_late && self.sessions.is_closing(session)) {
            self.drop_message(held, record, Some(&payload));
            add(&self.seat.counters.dropped, 1);
            return Ok(Next::Go);
        }
        if !host.fits(payload.len()) {
            self.begin_message();
            self.hold(held, reactor, record);
            payload.free();
            return Ok(self.refuse(held, record.header.aux, payload.len(), host));
        }
        let from = Origin { session, reactor: u16::try_from(reactor).unwrap_or(0), port: record.header.aux };
        let at_us = record.header.extra;
        let called = self.call_with(held, record, &payload, |taken| host.receive(from, at_us, &payload, taken));
        let Some((outcome, is_lost)) = called else { return Ok(Next::Idle) };
        if is_lost {
            // The disk has failed, and so has the message.
            let _ = self.process.close(session.0.cast_signed(), false);
        }
        if !matches!(outcome, Outcome::Ended(_)) {
            add(&self.seat.counters.requests, 1);
            add(&self.seat.requests_here, 1);
            self.end_message(held);
            self.look_at_itself(held.since_ns);
        }
        Ok(self.after(outcome, session, Kind::Receive))
    }

    /// Takes a message into the hand and has `call` copy it and run its callback. Beside the outcome: whether it is lost,
    /// since it could not be copied; it is taken out of the lane all the same. `None`: there is no inbox.
    pub(super) fn call_with(
        &mut self,
        held: &Held,
        record: &Record,
        payload: &Payload<'static>,
        call: impl FnOnce(&mut dyn FnMut()) -> Outcome,
    ) -> Option<(Outcome, bool)> {
        self.begin_message();
        self.seat.in_hand.set(held);
        let lane = &mut self.inbox.as_mut()?.lanes[held.lane];
        let is_taken = Cell::new(false);
        let mut taken = || {
            // The head moves before the callback: a crash must not replay the message (P4).
            lane.pass(record);
            lane.release();
            payload.free();
            is_taken.set(true);
        };
        let outcome = call(&mut taken);
        if is_taken.get() || matches!(outcome, Outcome::Ended(_)) {
            return Some((outcome, false));
        }
        taken();
        add(&self.seat.counters.refused, 1);
        Some((outcome, true))
    }

    /// Closes the connection of a message that the memory limit has no room for.
    fn refuse(&mut self, held: &Held, port: u16, len: usize, host: &mut dyn Host) -> Next {
        let session = SessionId(held.session);
        let from = Origin { session, reactor: u16::try_from(held.lane).unwrap_or(0), port };
        add(&self.seat.counters.refused, 1);
        let reason = format!("a message of {len} bytes is larger than memory_limit leaves room for");
        self.context.log.limited().warning(|| format!("session {session}: {reason}; closing"));
        let outcome = host.protocol_error(from, code::DATA_TOO_LARGE, &reason);
        if !matches!(outcome, Outcome::Ended(_)) {
            // An error means that it is closing already.
            let _ = self.process.close(session.0.cast_signed(), false);
            self.end_message(held);
        }
        self.after(outcome, session, Kind::ProtocolError)
    }

    /// A message is about to be in hand.
    pub(super) fn begin_message(&self) {
        if self.counts_messages {
            self.slot.done.begin();
        }
    }

    /// The message in hand is done with; its hand is still to be emptied.
    pub(super) fn end_message(&mut self, held: &Held) {
        if self.counts_messages {
            self.slot.done.end();
        }
        if let Some(giver) = &mut self.giver {
            let reactor = u16::try_from(held.lane).unwrap_or(u16::MAX);
            giver.let_go(&self.slot.idle, Idle::Claimed { reactor, position: held.position });
        }
    }

    /// Takes a message out of its lane that no callback gets.
    pub(super) fn drop_message(&mut self, held: &Held, record: &Record, payload: Option<&Payload<'static>>) {
        self.begin_message();
        self.hold(held, held.lane, record);
        if let Some(payload) = payload {
            payload.free();
        }
        self.end_message(held);
        self.seat.in_hand.clear();
    }

    /// Notes a record without bytes as in hand and takes it out of the lane.
    fn hold(&mut self, held: &Held, reactor: usize, record: &Record) {
        self.seat.in_hand.set(held);
        if let Some(inbox) = &mut self.inbox {
            inbox.lanes[reactor].pass(record);
            inbox.lanes[reactor].release();
        }
    }

    pub(super) fn after(&mut self, outcome: Outcome, session: SessionId, kind: Kind) -> Next {
        match outcome {
            Outcome::Returned => {}
            Outcome::Threw => {
                add(&self.seat.counters.exceptions, 1);
                if self.context.settings.close_on_worker_error && !matches!(kind, Kind::Close | Kind::Packet) {
                    self.context.log.limited().warning(|| format!("session {session} is closed: its callback threw"));
                    let _ = self.process.close(session.0.cast_signed(), false);
                }
            }
            // What is in hand stays there: the manager sees what the process was doing when it ended.
            Outcome::Ended(end) => return Next::End(end),
        }
        if kind == Kind::Packet && self.counts_messages {
            self.slot.done.end();
        }
        self.seat.in_hand.clear();
        Next::Go
    }

    fn confirm_close(&mut self, reactor: usize, session: SessionId) {
        let reactor = u16::try_from(reactor).unwrap_or(0);
        if let Err(error) = self.process.to_reactor(reactor, Kind::Closed, session, 0, &[]) {
            let log = self.context.log.limited();
            log.error(|| format!("the close of session {session} cannot be confirmed: {error}"));
        }
    }

    fn payload(&self, reactor: usize, record: &Record) -> Result<Payload<'static>, Broken> {
        let Some(inbox) = &self.inbox else {
            return Err(Broken { what: "an inbox is gone, with the record at", found: record.position });
        };
        let lane = &inbox.lanes[reactor];
        if record.header.location == Where::Inline {
            return Ok(Payload::Inline(lane.bytes(record)));
        }
        let (Some(index), Some(len)) = (lane.word(record, 0), lane.word(record, 1)) else {
            return Err(Broken { what: "a reference has length", found: record.body as u64 });
        };
        let consumer = u16::try_from(self.id.0).unwrap_or(u16::MAX);
        let pool = self.segment.reactor_pool(reactor);
        pool.payload(&record.header, Reference { index, len }, consumer, record.position)
    }
}
