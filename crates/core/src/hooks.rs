//! What user code decides on the way of a message. It runs on the master's main thread, and so do the connections
//! concerned (`reactor`).

use crate::host::End;

/// What a function of user code has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This number.
    Number(i64),
    /// Something else, by the name of its type.
    Other(&'static str),
    /// It threw; the host has reported the exception.
    Threw,
    /// It was not called: the memory limit leaves no room for what it is to be shown.
    NoRoom,
    /// The process has to end now, as this says.
    Ended(End),
}

/// The functions. No state of the core is borrowed while they run but that of the reactor, which nothing reaches that
/// they may call.
pub trait Hooks {
    /// How long the message is that `received` begins with (`package_length_func` of the port at this place): 0 when
    /// more has to come before that can be told, less for what is no message.
    fn package_length(&self, port: u16, received: &[u8]) -> Answer;
}
