//! Cuts the bytes of a connection into messages. No sockets and no buffers here: the reactor shows a
//! [`Framer`] what has been received and not yet been taken, and is told where the first message ends.
//!
//! Whatever a peer sends, one of three things follows: a message of at least one byte, a wait for a byte
//! that has not come yet, or an error before more than the limit was received. So nobody can make a
//! reactor loop for ever or buffer without end. Raw framing needs no limit, since it never waits.

mod asked;
mod eof;
mod length;
mod raw;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::error::code;
use asked::Asked;
use eof::Eof;
use length::Length;
pub use length::{ByteOrder, LengthField, LengthType};

/// How a port's byte stream is divided into messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// Whatever one read gave is one message.
    #[default]
    Raw,
    /// A message ends with a terminator, which is part of it.
    Eof {
        /// 1 to 8 bytes. An empty one would be everywhere, and frames as [`Framing::Raw`] does.
        terminator: Vec<u8>,
        /// True (`open_eof_split`): the terminator is searched for, and each message has one.
        /// False (`open_eof_check`): all that has come is one message as soon as it *ends* with the
        /// terminator, several of the peer's messages glued together included.
        split: bool,
    },
    /// A message says its length in a field near its beginning.
    Length(LengthField),
    /// User code says how long a message is (`package_length_func`).
    Asked,
}

/// What the first bytes of the unread ones are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The first so many bytes are one message; at least one byte. The caller takes them away and asks
    /// again, until it is told [`Cut::More`].
    Message(usize),
    /// The first message is not complete.
    More {
        /// The length of the whole message when that is known already, counted from the first unread
        /// byte and within the limit. The caller may then receive the message by itself, without asking
        /// again, and [`reset`](Framer::reset) the framer behind it.
        total: Option<u64>,
    },
    /// Somebody has to look at the first so many bytes, and [`answer`](Framer::answer); then the caller asks again.
    Ask(usize),
}

/// What the peer did wrong. Framing cannot go on behind it: the connection has to be closed.
///
/// Which error comes, and behind which message, does not depend on how the bytes were split into reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The message announces more bytes than are allowed.
    TooLarge {
        /// Its length; `u64::MAX` when even that is too small a number.
        length: u64,
        /// The largest allowed.
        limit: u64,
    },
    /// So many bytes came that no message can end within the limit any more.
    NoTerminator {
        /// The largest message allowed.
        limit: u64,
    },
    /// The limit was reached inside the header, so that no length is known: the limit is smaller than
    /// the smallest message.
    NoLength {
        /// The largest message allowed.
        limit: u64,
    },
    /// The length is negative, or would end the message inside its own header.
    Malformed {
        /// What the field says.
        length: i64,
        /// The bytes that do not count in it.
        body_offset: u32,
        /// The bytes from the beginning of a message to the end of its length field: its smallest length.
        header: u64,
    },
    /// User code says that this is no message.
    Refused {
        /// What it returned instead of a length.
        length: i64,
    },
    /// User code was shown as much as a message may have, and has found no length.
    NotFound {
        /// The largest message allowed.
        limit: u64,
    },
    /// User code has given no answer that can be used.
    NoAnswer {
        /// What it did instead; goes on behind its name.
        did: &'static str,
    },
}

impl FrameError {
    /// What `getLastError()` calls it.
    pub fn code(&self) -> i32 {
        match self {
            Self::TooLarge { .. } | Self::NoTerminator { .. } => code::PACKAGE_TOO_LARGE,
            Self::NoLength { .. } | Self::NotFound { .. } => code::PACKAGE_LENGTH_NOT_FOUND,
            Self::Malformed { .. } | Self::Refused { .. } | Self::NoAnswer { .. } => code::PACKAGE_MALFORMED,
        }
    }

    /// Whether it is no fault of the peer's.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::NoAnswer { .. })
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { length, limit } => {
                write!(f, "message of {length} bytes announced, package_max_length is {limit}")
            }
            Self::NoTerminator { limit } => write!(f, "no package_eof within the {limit} bytes of package_max_length"),
            Self::NoLength { limit } => {
                write!(f, "package_max_length of {limit} bytes ends before the length field does")
            }
            Self::Malformed { length, .. } if *length < 0 => write!(f, "length field says {length}, which is negative"),
            Self::Malformed { length, body_offset, header } => write!(
                f,
                "length field says {length}, with package_body_offset {body_offset} less than the {header} bytes up \
                 to the field's end"
            ),
            Self::Refused { length } => write!(f, "package_length_func returned {length}"),
            Self::NotFound { limit } => {
                write!(f, "package_length_func has found no length in the {limit} bytes of package_max_length")
            }
            Self::NoAnswer { did } => write!(f, "package_length_func {did}"),
        }
    }
}

impl std::error::Error for FrameError {}

/// The framing of one connection, with the little it has to remember between two reads.
///
/// A clone shares what is the same for all connections of a port: make one per port and clone it for each
/// connection before it has been shown any bytes.
#[derive(Clone, Debug)]
pub struct Framer(State);

#[derive(Clone, Debug)]
enum State {
    Raw,
    Eof(Eof),
    Length(Length),
    Asked(Asked),
}

impl Framer {
    /// A framer at the beginning of a stream, for messages of 1 to `max_length` bytes (0 counts as 1).
    /// A message of exactly `max_length` is allowed. Raw framing does not look at it.
    pub fn new(framing: &Framing, max_length: u64) -> Self {
        let limit = max_length.max(1);
        Self(match framing {
            Framing::Raw => State::Raw,
            Framing::Eof { terminator, .. } if terminator.is_empty() => State::Raw,
            Framing::Eof { terminator, split } => State::Eof(Eof::new(terminator, *split, limit)),
            Framing::Length(field) => State::Length(Length::new(*field, limit)),
            Framing::Asked => State::Asked(Asked::new(limit)),
        })
    }

    /// Whether each read is a message.
    pub fn is_raw(&self) -> bool {
        matches!(self.0, State::Raw)
    }

    /// Says what the beginning of `unread` is.
    ///
    /// `unread` starts behind the last message, and holds at least what it held at the last call, unless
    /// that one returned a message. After an error, if it was not one of [`answer`](Self::answer), each further call
    /// returns the same error.
    ///
    /// # Errors
    /// When the peer broke the framing; see [`FrameError`].
    #[inline]
    pub fn next(&mut self, unread: &[u8]) -> Result<Cut, FrameError> {
        match &mut self.0 {
            State::Raw => Ok(raw::next(unread)),
            State::Eof(eof) => eof.next(unread),
            State::Length(length) => length.next(unread),
            State::Asked(asked) => asked.next(unread),
        }
    }

    /// What user code has said of the first `shown` bytes, for which [`Cut::Ask`] has asked: the length of the message
    /// that they begin with, 0 when they are too few to tell, less when they begin none.
    ///
    /// # Errors
    /// When no message can be cut any more; see [`FrameError`].
    pub fn answer(&mut self, shown: usize, length: i64) -> Result<(), FrameError> {
        match &mut self.0 {
            State::Asked(asked) => asked.answer(shown, length),
            State::Raw | State::Eof(_) | State::Length(_) => Ok(()),
        }
    }

    /// Forgets what was seen: the next bytes begin a message. For a caller that has taken one.
    pub fn reset(&mut self) {
        match &mut self.0 {
            State::Eof(eof) => eof.reset(),
            State::Asked(asked) => asked.reset(),
            State::Raw | State::Length(_) => {}
        }
    }
}
