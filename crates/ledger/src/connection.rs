//! One connection: its socket, its open requests, and where writing and reading stand.

use std::io::{self, IoSlice};

use crate::book::Book;
use crate::checker::{Bench, Checker};
use crate::counts::Counts;
use crate::message::Recipe;
use crate::wire::Wire;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for the server's answer to our SYN.
    Connecting,
    /// Requests and answers flow.
    Open,
    /// We sent our FIN and wait for the server's.
    Finishing,
}

/// A turn at the socket that did not end the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// An edge will tell when there is more to do.
    Done,
    /// There is more to do, but others come first.
    Again,
}

/// How the server ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By RST.
    Reset,
    /// By FIN.
    Closed,
}

/// A socket and its ledger.
#[derive(Debug)]
pub struct Connection {
    /// The socket.
    pub wire: Wire,
    /// Unique in this run.
    pub id: u32,
    /// What it is doing.
    pub phase: Phase,
    /// When we began to connect, on the run's clock.
    pub since_ns: u64,
    /// Its requests.
    pub book: Book,
    checker: Checker,
}

/// Room that all connections of a thread use in turn.
#[derive(Debug)]
pub struct Buffers {
    input: Vec<u8>,
    small: Vec<u8>,
}

impl Default for Buffers {
    fn default() -> Self {
        Self { input: vec![0; READ_SIZE], small: Vec::with_capacity(SMALL_ROOM + 4096) }
    }
}

/// A piece of what is written next.
enum Part<'a> {
    /// The next so many of the bytes that were copied together.
    Small(usize),
    /// Bytes of the table, as they are.
    Table(&'a [u8]),
}

impl Connection {
    /// A connection that is being made.
    pub fn new(wire: Wire, id: u32, since_ns: u64) -> Self {
        let (book, checker) = (Book::default(), Checker::default());
        Self { wire, id, phase: Phase::Connecting, since_ns, book, checker }
    }

    /// Writes issued requests until the socket is full, all are written, or others should have a turn.
    pub fn write(&mut self, recipe: &Recipe, buffers: &mut Buffers, counts: &mut Counts) -> io::Result<Turn> {
        let mut budget = TURN;
        self.wire.flush()?;
        while let Some((number, offset)) = self.book.to_write() {
            if budget == 0 {
                return Ok(Turn::Again);
            }
            let small = &mut buffers.small;
            small.clear();
            let parts = gather(recipe, self.id, (number, offset), self.book.issued(), small);
            let mut rest = &small[..];
            let slices: Vec<IoSlice<'_>> = parts
                .iter()
                .map(|part| match part {
                    Part::Table(bytes) => IoSlice::new(bytes),
                    Part::Small(len) => {
                        let (bytes, others) = rest.split_at(*len);
                        rest = others;
                        IoSlice::new(bytes)
                    }
                })
                .collect();
            let wanted: usize = slices.iter().map(|slice| slice.len()).sum();
            let written = match self.wire.write_vectored(&slices) {
                Ok(written) => written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Turn::Done),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            counts.bytes_sent += written as u64;
            budget = budget.saturating_sub(written);
            self.advance(recipe, number, offset, written as u64, counts);
            // A full socket says so itself only when it is asked again; the edge comes in either case.
            if written < wanted {
                return Ok(Turn::Done);
            }
        }
        Ok(Turn::Done)
    }

    fn advance(&mut self, recipe: &Recipe, mut number: u64, mut offset: u64, mut written: u64, counts: &mut Counts) {
        while written > 0 {
            counts.sent += u64::from(offset == 0);
            let left = recipe.wire_len(recipe.size(self.id, number)) - offset;
            if written < left {
                offset += written;
                break;
            }
            written -= left;
            number += 1;
            offset = 0;
        }
        self.book.written(number, offset);
    }

    /// Reads and judges what has come; `answered` is called with the due time of each answered request.
    pub fn read(
        &mut self,
        recipe: &Recipe,
        buffers: &mut Buffers,
        counts: &mut Counts,
        is_ending: bool,
        answered: &mut impl FnMut(u64),
    ) -> Result<Turn, End> {
        let mut budget = TURN;
        loop {
            let read = match self.wire.read(&mut buffers.input) {
                Ok(0) => return Err(End::Closed),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Turn::Done),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Err(End::Reset),
            };
            counts.bytes_received += read as u64;
            let mut bench = Bench { connection: self.id, recipe, book: &mut self.book, counts };
            self.checker.feed(&buffers.input[..read], &mut bench, answered);
            budget = budget.saturating_sub(read);
            // Less than asked for means drained, unless the end is waiting behind it.
            if read < buffers.input.len() && !is_ending && self.wire.drains() {
                return Ok(Turn::Done);
            }
            if budget == 0 {
                return Ok(Turn::Again);
            }
        }
    }

    /// Whether what arrives can no longer be told apart.
    pub fn is_astray(&self) -> bool {
        self.checker.is_astray()
    }

    /// Counts what arrived behind the last answer.
    pub fn finish(&mut self, recipe: &Recipe, counts: &mut Counts) {
        self.checker.finish(&mut Bench { connection: self.id, recipe, book: &mut self.book, counts });
    }
}

/// The next bytes to write, from byte `offset` of request `number` on.
fn gather<'a>(
    recipe: &'a Recipe,
    connection: u32,
    (mut number, offset): (u64, u64),
    end: u64,
    small: &mut Vec<u8>,
) -> Vec<Part<'a>> {
    fn copy(bytes: &[u8], small: &mut Vec<u8>, parts: &mut Vec<Part<'_>>) {
        small.extend_from_slice(bytes);
        match parts.last_mut() {
            Some(Part::Small(len)) => *len += bytes.len(),
            _ => parts.push(Part::Small(bytes.len())),
        }
    }
    let mut parts = Vec::with_capacity(2 * TABLE_PARTS);
    let mut at = offset;
    while number < end && small.len() < SMALL_ROOM && parts.len() < TABLE_PARTS {
        let identity = recipe.identity(connection, number);
        let head = recipe.head(&identity);
        let (prefix, head_len) = (recipe.prefix_len() as u64, head.bytes().len() as u64);
        let (pattern_end, end) = (prefix + identity.size, recipe.wire_len(identity.size));
        if at < head_len {
            copy(&head.bytes()[usize::try_from(at).unwrap_or(0)..], small, &mut parts);
            at = head_len;
        }
        while at < pattern_end && parts.len() < TABLE_PARTS {
            let pattern = recipe.pattern(&identity, at - prefix);
            if pattern.len() < COPIED_BELOW {
                copy(pattern, small, &mut parts);
            } else {
                parts.push(Part::Table(pattern));
            }
            at += pattern.len() as u64;
        }
        if at < pattern_end {
            break;
        }
        if at < end {
            copy(&recipe.suffix()[usize::try_from(at - pattern_end).unwrap_or(0)..], small, &mut parts);
        }
        number += 1;
        at = 0;
    }
    parts
}

/// Bytes that one connection reads or writes before others have a turn.
const TURN: usize = 1 << 20;
const READ_SIZE: usize = 128 << 10;
/// Where a write of small requests stops to collect more.
const SMALL_ROOM: usize = 64 << 10;
/// Pieces of the table in one write: about 1 MiB.
const TABLE_PARTS: usize = 20;
/// Shorter pieces of the table are copied together: that is cheaper than an entry of their own.
const COPIED_BELOW: usize = 4096;
