//! What user code decides on the way of a message. It runs on the master's main thread, and so do the connections
//! concerned (`reactor`).

use crate::host::End;

/// What a function of user code has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This number.
    Number(i64),
    /// No number: what it did instead, which goes on behind its name.
    Other(&'static str),
    /// It threw; the host has reported the exception.
    Threw,
    /// It was not called: the memory limit leaves no room for what it is to be shown.
    NoRoom,
    /// The process has to end now, as this says.
    Ended(End),
}

/// What a worker is wanted for. The numbers are the peer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A message.
    Message = 0,
    /// A datagram.
    Packet = 1,
    /// The end of a connection.
    Close = 4,
    /// A new connection.
    Connect = 5,
}

/// Instead of a worker: nothing is posted.
pub const DISCARD: i64 = -1;
/// Instead of a worker: the connection is closed.
pub const CLOSE: i64 = -2;
/// Instead of a worker: whom `dispatch_mode` chooses.
pub const FALL_BACK: i64 = -3;
/// So much of a message [`Hooks::worker`] is shown at most.
pub const LONGEST_DATA: usize = 8 << 10;

/// The functions. No state of the core is borrowed while they run but that of the reactor, which nothing reaches that
/// they may call.
pub trait Hooks {
    /// How long the message is that `received` begins with (`package_length_func` of the port at this place): 0 when
    /// more has to come before that can be told, less for what is no message.
    fn package_length(&self, port: u16, received: &[u8]) -> Answer;

    /// The number of the worker that gets a record (`dispatch_func` of the port at this place), or one of the numbers
    /// above. `from` is the session, or the [number of a datagram's sender](crate::dispatch::number_of_sender). Of a
    /// message it is shown the beginning.
    fn worker(&self, port: u16, from: u64, about: About, data: &[u8]) -> Answer;
}
