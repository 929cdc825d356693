//! Typed records and their coding: three words, then a body that ends on a word boundary.
//!
//! | word | content |
//! |---|---|
//! | 0 | body length (32 bits), kind (8), where the body is (8), auxiliary number (16) |
//! | 1 | session id |
//! | 2 | by kind |
//!
//! A record never crosses the end of the ring; the gap before the end is a record of kind *pad*, of which only
//! the first word is there.

use crate::ring::Broken;

/// Bytes of a record before its body.
pub const HEADER: usize = 24;

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Reactor → worker: a message; auxiliary: the port; the third word is the time it was received (microseconds since
    /// 1970).
    Receive = 1,
    /// Reactor → worker: a client connected; auxiliary: the port.
    Connect = 2,
    /// Reactor → worker: the connection is over; auxiliary: the port, and [`BY_SERVER`] when the server closed it.
    Close = 3,
    /// Worker → reactor: bytes to send.
    Send = 4,
    /// Worker → reactor: close the connection; auxiliary: [`RESET`] or [`EXPIRED`].
    CloseRequest = 5,
    /// Worker → reactor: the close callback has returned, the session may be forgotten.
    Closed = 6,
    /// Manager → reactor: a worker's process is dead and recovered; auxiliary: its seat; the session: the one in
    /// hand; the third word: the head of this reactor's lane to it, [`NO_HEAD`] when it did not own the inbox.
    WorkerDied = 7,
    /// Reactor → worker: what the client sent was rejected, and its connection is about to be over; auxiliary: the port;
    /// the third word: the error's code; the body: the reason, in words.
    ProtocolError = 8,
    /// Reactor → worker: answered by [`Kind::Closed`] once all that the worker has of the session is done with.
    Barrier = 9,
    /// Reactor → worker: so much waits to be sent that the high watermark is reached; auxiliary: the port.
    BufferFull = 10,
    /// Reactor → worker: what waits to be sent is down at the low watermark; auxiliary: the port.
    BufferEmpty = 11,
    /// Worker → reactor: read the connection no more.
    Pause = 12,
    /// Worker → reactor: read the connection again.
    Resume = 13,
    /// Reactor → worker: a datagram; auxiliary: the port; the third word as in [`Kind::Receive`]. Whom it comes from
    /// stands in the lane, before inline bytes or behind the reference to others. There is no session.
    Packet = 14,
    /// Worker → reactor: a datagram to send; auxiliary: the port whose socket sends it; address and bytes as in
    /// [`Kind::Packet`].
    SendTo = 15,
    /// Worker → reactor: a part of a file to send; the body: where it begins, how many bytes it has, and the number by
    /// which its descriptor is known, which has gone before the record by another way.
    SendFile = 16,
    /// Worker → reactor: bytes for many connections of it. The body says who they are, then the bytes follow, or the
    /// reference to a shared block or range. Auxiliary: [`BY_PLACE`], or 0: how many ids there are, and the ids.
    Broadcast = 17,
}

/// The receivers of [`Kind::Broadcast`] have bits by their places in the session table, in a shared block that the body
/// begins with a reference to. The session is the place of the first bit, the third word the highest id that is meant:
/// whoever has come to a place since is another client.
pub const BY_PLACE: u16 = 1;

/// The bit of [`Kind::Close`] beside the port.
pub const BY_SERVER: u16 = 1 << 15;

/// The bit of [`Kind::CloseRequest`] that drops queued output and resets.
pub const RESET: u16 = 1;
/// The bit of [`Kind::CloseRequest`] for a peer that was silent for too long.
pub const EXPIRED: u16 = 2;

/// Beside the generation in the word that [`Kind::WorkerDied`] carries: the connection in hand is closed in any case.
pub const CLOSES_IN_HAND: u64 = 1 << 32;
/// [`Kind::WorkerDied`] of a process that did not own its slot's inbox.
pub const NO_HEAD: u64 = u64::MAX;

impl Kind {
    pub(crate) fn parse(value: u8) -> Option<Self> {
        Some(match value {
            1 => Self::Receive,
            2 => Self::Connect,
            3 => Self::Close,
            4 => Self::Send,
            5 => Self::CloseRequest,
            6 => Self::Closed,
            7 => Self::WorkerDied,
            8 => Self::ProtocolError,
            9 => Self::Barrier,
            10 => Self::BufferFull,
            11 => Self::BufferEmpty,
            12 => Self::Pause,
            13 => Self::Resume,
            14 => Self::Packet,
            15 => Self::SendTo,
            16 => Self::SendFile,
            17 => Self::Broadcast,
            _ => return None,
        })
    }
}

/// Where a record's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Where {
    /// Behind the header.
    Inline = 0,
    /// In a payload block; the body is a [`crate::payload::Reference`].
    Block = 1,
    /// In a range of the producer's spill file; the body is a [`crate::payload::Reference`].
    Spill = 2,
}

/// The header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What it says.
    pub kind: Kind,
    /// Where its bytes are.
    pub location: Where,
    /// By kind.
    pub aux: u16,
    /// The session it is about; 0: none.
    pub session: u64,
    /// By kind.
    pub extra: u64,
}

/// What the first word of a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FirstWord {
    /// Nothing up to the end of the ring; the length includes the word.
    Pad {
        len: usize,
    },
    Record {
        kind: Kind,
        location: Where,
        aux: u16,
        body: usize,
    },
}

const PAD: u8 = 0;

/// The bytes a record with a body of `body` bytes takes.
pub(crate) fn size_with(body: usize) -> usize {
    HEADER + body.next_multiple_of(8)
}

pub(crate) fn pad_word(len: usize) -> u64 {
    word(len, PAD, 0, 0)
}

pub(crate) fn first_word(header: &Header, body: usize) -> u64 {
    word(body, header.kind as u8, header.location as u8, header.aux)
}

fn word(len: usize, kind: u8, location: u8, aux: u16) -> u64 {
    (len as u64 & 0xffff_ffff) | u64::from(kind) << 32 | u64::from(location) << 40 | u64::from(aux) << 48
}

pub(crate) fn parse_first_word(value: u64) -> Result<FirstWord, Broken> {
    let len = crate::to_usize(value & 0xffff_ffff);
    let [_, _, _, _, kind, location, aux @ ..] = value.to_le_bytes();
    if kind == PAD {
        return Ok(FirstWord::Pad { len });
    }
    let location = match location {
        0 => Where::Inline,
        1 => Where::Block,
        2 => Where::Spill,
        _ => return Err(Broken { what: "a record's bytes are at", found: value }),
    };
    let kind = Kind::parse(kind).ok_or(Broken { what: "a record's kind is in", found: value })?;
    Ok(FirstWord::Record { kind, location, aux: u16::from_le_bytes(aux), body: len })
}
