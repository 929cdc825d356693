//! Sending datagrams, from any process.

use rotor_ipc::record::Kind;
use rotor_ipc::sync::Ordering::Relaxed;

use super::{Process, Way};
use crate::datagram::{LARGEST_UDP, LARGEST_UDP6, LARGEST_UNIX, encode, parse};
use crate::error::{CallError, code};
use crate::outlets::{PostFailure, header};
use crate::ports::SockType;
use crate::reactor::Mail;

impl Process {
    /// Hands a datagram over for sending: to a path, or to an IP address and port. `socket` is the place of the port
    /// whose socket sends it; `None`: the first of the address's family. `Ok` means queued, not received.
    pub fn send_to(&self, host: &[u8], port: i64, bytes: &[u8], socket: Option<i64>) -> Result<(), CallError> {
        let invalid = |what: String| CallError::new(code::INVALID_PARAMS, what);
        if host.is_empty() {
            // As a datagram has it whose sender has bound no path, with the port 0.
            let what = "$ip is empty: who has bound no path cannot be answered; give an IP address or the path of a unix socket";
            return Err(invalid(what.to_owned()));
        }
        let is_path = matches!(host.first(), Some(b'/' | 0));
        let number = u16::try_from(port).ok().filter(|port| *port > 0 || is_path);
        let number = match number {
            Some(number) => number,
            None if is_path => 0,
            None => return Err(invalid(format!("$port must be 1 to 65535, {port} given"))),
        };
        let (to, kind) = parse(host, number).map_err(invalid)?;
        let place = self.sending_port(kind, socket)?;
        let largest = match kind {
            SockType::Udp => LARGEST_UDP,
            SockType::Udp6 => LARGEST_UDP6,
            _ => LARGEST_UNIX,
        };
        if bytes.len() > largest {
            let message = format!("{} bytes are more than a datagram to {to} carries ({largest})", bytes.len());
            return Err(CallError::new(code::MESSAGE_TOO_LONG, message));
        }
        let reactor = self.context.settings.reactor_of_datagrams(place);
        match &self.way {
            Way::Mailboxes(mailboxes) => {
                let mail = Mail::SendTo { port: place, to, bytes: bytes.to_vec() };
                if !mailboxes[reactor].put_if_there_is_room(mail, !self.is_own(reactor)) {
                    return Err(self.not_posted(PostFailure::Full, bytes.len()));
                }
            }
            Way::Lanes(outlets) => {
                let mut header = header(Kind::SendTo, 0);
                header.aux = place;
                let coded = encode(&to);
                let posted = outlets.borrow_mut().post_datagram(reactor, header, coded.as_bytes(), bytes);
                posted.map_err(|failure| self.not_posted(failure, bytes.len()))?;
            }
        }
        if let Some(seat) = self.seat {
            seat.counters.responses.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    /// The port that sends datagrams of this family.
    fn sending_port(&self, kind: SockType, socket: Option<i64>) -> Result<u16, CallError> {
        let family = match kind {
            SockType::Udp => "SOCK_UDP",
            SockType::Udp6 => "SOCK_UDP6",
            _ => "SOCK_UNIX_DGRAM",
        };
        let ports = &self.context.ports;
        let place = match socket {
            None => ports.iter().position(|port| port.sock_type == kind).ok_or_else(|| {
                format!("no port of this server has the type {family}, from which it could be sent; listen() on one")
            }),
            Some(number) => {
                let place = usize::try_from(number).ok();
                place.filter(|place| ports.get(*place).is_some_and(|port| port.sock_type == kind)).ok_or_else(|| {
                    format!(
                        "the socket must be the place of a port of the type {family} in $ports, or -1 for the \
                         first of them, {number} given"
                    )
                })
            }
        };
        let place = place.map_err(|what| CallError::new(code::INVALID_PARAMS, what))?;
        Ok(u16::try_from(place).unwrap_or(0))
    }
}
