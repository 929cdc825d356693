//! A connection that the server has closed and whose peer still sends. A socket that is closed with bytes unread, or
//! that gets some afterwards, resets the connection, and what the kernel has not sent yet goes with it. So the peer is
//! told that nothing more will come, and what it still sends is dropped, until it has seen all or has had its time.

use std::collections::VecDeque;
use std::time::Duration;

use rotor_ipc::SessionId;
use rotor_ipc::ring::Broken;

use super::connection::Connection;
use super::{READ_SIZE, Reactor};

/// So long a closed connection stays for a peer that goes on sending and does not take what was sent to it.
const LINGER_NS: u64 = 5_000_000_000;
/// Reads that drop what has arrived, in one turn.
const READS_PER_TURN: usize = 64;

/// The kernel does not say when the peer has confirmed all: a lingering connection is looked at this often.
const LOOK_NS: u64 = 50_000_000;

/// Connections that linger, by when they are looked at next.
#[derive(Default)]
pub(super) struct Lingering {
    queue: VecDeque<(u64, SessionId)>,
}

/// What dropping what has arrived has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dropped {
    /// All of it; more may come.
    All,
    /// There is more.
    Some,
    /// The peer has ended, or the connection is broken.
    End,
}

impl Lingering {
    /// How long until one must be looked at.
    pub(super) fn next(&self, now_ns: u64) -> Option<Duration> {
        self.queue.front().map(|(look_ns, _)| Duration::from_nanos(look_ns.saturating_sub(now_ns)))
    }
}

impl Reactor {
    /// Whether a socket that has nothing more to do has to stay for its peer's sake.
    pub(super) fn must_linger(&mut self, connection: &mut Connection) -> bool {
        if !connection.may_have_unread() {
            return false;
        }
        let dropped = self.drop_arrived(connection);
        let Some(stream) = &connection.stream else { return false };
        if dropped == Dropped::End || !stream.unsent().is_ok_and(|bytes| bytes > 0) {
            return false;
        }
        if dropped == Dropped::Some && !connection.is_scheduled {
            connection.is_scheduled = true;
            self.scheduled.push(connection.id);
        }
        let until_ns = match connection.lingers_until_ns {
            Some(until_ns) => until_ns,
            None => {
                if stream.shutdown_write().is_err() {
                    return false;
                }
                let until_ns = self.now_ns + LINGER_NS;
                connection.lingers_until_ns = Some(until_ns);
                self.lingering.queue.push_back((self.now_ns + LOOK_NS, connection.id));
                until_ns
            }
        };
        self.now_ns < until_ns
    }

    /// Looks at lingering connections again: whose peer has confirmed all, or that have had their time, close.
    pub(super) fn look_at_lingering(&mut self) -> Result<(), Broken> {
        while let Some((look_ns, id)) = self.lingering.queue.front().copied() {
            if look_ns > self.now_ns {
                break;
            }
            self.lingering.queue.pop_front();
            let Some(connection) = self.take(id) else { continue };
            self.settle(connection)?;
            if self.connections.get(id).is_some_and(|connection| connection.stream.is_some()) {
                self.lingering.queue.push_back((self.now_ns + LOOK_NS, id));
            }
        }
        Ok(())
    }

    fn drop_arrived(&mut self, connection: &Connection) -> Dropped {
        let Some(stream) = &connection.stream else { return Dropped::End };
        for _ in 0..READS_PER_TURN {
            match stream.recv(&mut self.scratch) {
                Ok(0) => return Dropped::End,
                // A short read has drained the socket, unless the end of the stream is behind it.
                Ok(len) if len < READ_SIZE && !connection.is_ending => return Dropped::All,
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Dropped::All,
                Err(_) => return Dropped::End,
            }
        }
        Dropped::Some
    }
}
