//! Datagrams: what a worker does with one.

use rotor_ipc::SessionId;
use rotor_ipc::lane::Record;
use rotor_ipc::record::Kind;
use rotor_ipc::ring::Broken;
use rotor_ipc::workers::Held;

use super::{Next, Worker, add};
use crate::datagram;
use crate::host::{Host, Outcome, Sender};

impl Worker {
    /// As with a message of a connection (P4), but that there is no connection that could be gone or be closed.
    pub(super) fn on_packet(
        &mut self,
        reactor: usize,
        record: &Record,
        held: &Held,
        host: &mut dyn Host,
    ) -> Result<Next, Broken> {
        let pool = self.segment.reactor_pool(reactor);
        let consumer = u16::try_from(self.id.0).unwrap_or(u16::MAX);
        let Some(inbox) = &self.inbox else { return Ok(Next::Idle) };
        let (address, payload) = match datagram::of_record(&inbox.lanes[reactor], record, &pool, consumer) {
            Ok(datagram) => datagram,
            Err(broken) => {
                // Taken, so that the next process does not meet it again.
                self.drop_message(held, record, None);
                add(&self.seat.counters.dropped, 1);
                self.context.log.limited().error(|| format!("{broken}; the datagram is dropped"));
                return Ok(Next::Go);
            }
        };
        if !host.fits(payload.len()) {
            self.drop_message(held, record, Some(&payload));
            add(&self.seat.counters.refused, 1);
            let len = payload.len();
            self.context
                .log
                .limited()
                .warning(|| format!("a datagram of {len} bytes is larger than memory_limit leaves room for; dropped"));
            return Ok(Next::Go);
        }
        let from = Sender { address: &address, port: record.header.aux, received_us: record.header.extra };
        let called = self.call_with(held, record, &payload, |taken| host.packet(from, &payload, taken));
        let Some((outcome, _)) = called else { return Ok(Next::Idle) };
        if !matches!(outcome, Outcome::Ended(_)) {
            add(&self.seat.counters.requests, 1);
            add(&self.seat.requests_here, 1);
            self.look_at_itself(held.since_ns);
        }
        Ok(self.after(outcome, SessionId(0), Kind::Packet))
    }
}
