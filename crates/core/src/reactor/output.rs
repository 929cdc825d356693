//! A connection's output queue: what the socket did not take at once.

mod file;

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;

use rotor_ipc::payload::{Kept, Payload};
use rotor_sys::file::UnnamedFile;
use rotor_sys::memory::SharedBytes;
use rotor_sys::socket::{MAX_PIECES, Piece, Stream};

use crate::disk::{Jobs, KeptRange};
use crate::reactor::share::Share;

pub use file::{Broke, FILE_TURN, FilePart};

use file::FileChunk;

/// Bytes of a spill file that are read at once.
pub const SPILL_CHUNK: usize = 1 << 20;

/// What waits to be sent, in order. Costs nothing while empty.
#[derive(Default)]
pub struct Output {
    #[expect(clippy::box_collection, reason = "an idle connection has 8 bytes here instead of 32")]
    queue: Option<Box<VecDeque<Chunk>>>,
    bytes: u64,
    /// The socket took less than it was given: it will say when it has room.
    is_blocked: bool,
    /// The helper thread reads a part of a spill range.
    is_reading: bool,
    /// Spill ranges in the queue.
    ranges: u32,
    /// Files in the queue.
    files: u32,
    /// What they have, in bytes: it is not in memory, and not among `bytes`.
    file_bytes: u64,
}

enum Chunk {
    Private { bytes: Vec<u8>, sent: usize },
    Block { bytes: SharedBytes<'static>, sent: usize, _kept: Kept },
    Shared { share: Rc<Share>, sent: usize },
    Spill(Range),
    File(FileChunk),
}

/// A range of a spill file that waits to be sent.
struct Range {
    file: &'static UnnamedFile,
    offset: u64,
    len: u64,
    /// Ranges are short: it is read as soon as may be, whole, to be given back.
    is_urgent: bool,
    is_being_read: bool,
    _kept: KeptRange,
}

/// What sending has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Everything that can be sent without the disk is out.
    All(usize),
    /// So much of files that the others have their turn. There is more, and the socket has room.
    Turn(usize),
    /// The socket is full.
    Blocked(usize),
}

impl Sent {
    /// How many bytes left.
    pub fn bytes(self) -> usize {
        match self {
            Self::All(bytes) | Self::Turn(bytes) | Self::Blocked(bytes) => bytes,
        }
    }
}

/// Part of a spill file that the helper thread shall read.
pub struct Wanted {
    /// The file.
    pub file: &'static UnnamedFile,
    /// Where.
    pub offset: u64,
    /// How many bytes.
    pub len: usize,
}

impl Output {
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0 && self.files == 0
    }

    /// Bytes that wait, without those of files.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the socket may take something now.
    pub fn is_blocked(&self) -> bool {
        self.is_blocked
    }

    /// The socket has room again.
    pub fn unblock(&mut self) {
        self.is_blocked = false;
        self.look_again();
    }

    /// The socket took less than it was given.
    pub fn block(&mut self) {
        self.is_blocked = true;
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.queue = None;
        self.bytes = 0;
        self.ranges = 0;
        self.files = 0;
        self.file_bytes = 0;
    }

    /// Puts private bytes behind what waits.
    pub fn push_private(&mut self, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        self.bytes += bytes.len() as u64;
        self.queue().push_back(Chunk::Private { bytes, sent: 0 });
    }

    /// Puts what `sent` bytes of a payload have left behind what waits: inline bytes are copied, a block or spill
    /// range is kept. When `may_keep` is false, a block is copied as well, and a range soon. A range is given back
    /// by way of `jobs`.
    pub fn push(&mut self, payload: &Payload<'static>, sent: usize, may_keep: bool, jobs: &Jobs) {
        let left = payload.len() - sent;
        match payload {
            Payload::Spill { file, offset, len, .. } => {
                let Some(kept) = payload.keep() else { return };
                self.bytes += left as u64;
                self.ranges += 1;
                self.queue().push_back(Chunk::Spill(Range {
                    file,
                    offset: offset + sent as u64,
                    len: len - sent as u64,
                    is_urgent: !may_keep,
                    is_being_read: false,
                    _kept: KeptRange::new(kept, jobs),
                }));
            }
            Payload::Block { bytes, .. } if may_keep => {
                let Some(kept) = payload.keep() else { return };
                self.bytes += left as u64;
                self.queue().push_back(Chunk::Block { bytes: *bytes, sent, _kept: kept });
            }
            Payload::Block { bytes, .. } | Payload::Inline(bytes) => {
                let rest = bytes.slice(sent, left);
                self.bytes += left as u64;
                if let Some(Chunk::Private { bytes, .. }) = self.queue().back_mut()
                    && bytes.len() + left <= 64 << 10
                {
                    rest.append_to(bytes);
                } else {
                    let mut copy = Vec::new();
                    rest.append_to(&mut copy);
                    self.queue().push_back(Chunk::Private { bytes: copy, sent: 0 });
                }
                payload.free();
            }
        }
    }

    /// Puts what `sent` bytes of a broadcast have left behind what waits.
    pub fn push_shared(&mut self, share: &Rc<Share>, sent: usize) {
        share.stay();
        self.bytes += (share.len() - sent) as u64;
        self.queue().push_back(Chunk::Shared { share: Rc::clone(share), sent });
    }

    /// Whether something that waits will never come.
    pub fn has_lost(&self) -> bool {
        let mut queue = self.queue.as_deref().into_iter().flatten();
        queue.any(|chunk| matches!(chunk, Chunk::Shared { share, .. } if share.is_lost()))
    }

    /// Sends what the socket takes.
    pub fn send(&mut self, stream: &Stream) -> Result<Sent, Broke> {
        let (mut total, mut of_files) = (0, 0);
        loop {
            if self.is_file_next() {
                if of_files >= FILE_TURN {
                    return Ok(Sent::Turn(total));
                }
                match self.send_file(stream, FILE_TURN - of_files)? {
                    Some(0) => return Ok(Sent::All(total)),
                    Some(sent) => {
                        total += sent;
                        of_files += sent;
                    }
                    None => {
                        self.is_blocked = true;
                        return Ok(Sent::Blocked(total));
                    }
                }
                continue;
            }
            let Some(queue) = self.queue.as_deref_mut() else { return Ok(Sent::All(total)) };
            let mut pieces = Vec::with_capacity(queue.len().min(MAX_PIECES));
            for chunk in queue.iter().take(MAX_PIECES) {
                match chunk {
                    Chunk::Private { bytes, sent } => pieces.push(Piece::Private(&bytes[*sent..])),
                    Chunk::Block { bytes, sent, .. } => {
                        pieces.push(Piece::Shared(bytes.slice(*sent, bytes.len() - sent)));
                    }
                    Chunk::Shared { share, sent } => match share.piece(*sent) {
                        Some(piece) => pieces.push(piece),
                        None => break,
                    },
                    Chunk::Spill(_) | Chunk::File(_) => break,
                }
            }
            if pieces.is_empty() {
                return Ok(Sent::All(total));
            }
            let offered: usize = pieces.iter().map(Piece::len).sum();
            let sent = match stream.send_gathered(&pieces) {
                Ok(sent) => sent,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                Err(error) => return Err(Broke::Socket(error)),
            };
            drop(pieces);
            total += sent;
            self.take(sent);
            if sent < offered {
                self.is_blocked = true;
                return Ok(Sent::Blocked(total));
            }
        }
    }

    /// Puts a copy of what waits behind `into`, up to so many bytes, without what is still on the disk. Fails where a
    /// file does.
    pub fn gather(&mut self, into: &mut Vec<u8>, limit: usize) -> io::Result<()> {
        for chunk in self.queue.as_deref_mut().into_iter().flatten() {
            let left = limit - into.len();
            match chunk {
                _ if left == 0 => return Ok(()),
                Chunk::Private { bytes, sent } => {
                    let rest = &bytes[*sent..];
                    into.extend_from_slice(&rest[..rest.len().min(left)]);
                }
                Chunk::Block { bytes, sent, .. } => {
                    bytes.slice(*sent, (bytes.len() - *sent).min(left)).append_to(into);
                }
                Chunk::Shared { share, sent } => match share.piece(*sent) {
                    Some(Piece::Private(rest)) => into.extend_from_slice(&rest[..rest.len().min(left)]),
                    Some(Piece::Shared(rest)) => rest.slice(0, rest.len().min(left)).append_to(into),
                    None => return Ok(()),
                },
                Chunk::File(file) => {
                    if !file.read(into, left)? {
                        return Ok(());
                    }
                }
                Chunk::Spill(_) => return Ok(()),
            }
        }
        Ok(())
    }

    /// What of a spill file is to be read next: a part of the range at the front, without which sending cannot go
    /// on, or a whole range that is urgent. One at a time.
    pub fn wanted(&mut self) -> Option<Wanted> {
        if self.is_reading || self.ranges == 0 {
            return None;
        }
        let chunks = self.queue.as_deref_mut()?.iter_mut().enumerate();
        let range = chunks.into_iter().find_map(|(place, chunk)| match chunk {
            Chunk::Spill(range) if place == 0 || range.is_urgent => Some(range),
            Chunk::Spill(_) | Chunk::Private { .. } | Chunk::Block { .. } | Chunk::Shared { .. } | Chunk::File(_) => {
                None
            }
        })?;
        self.is_reading = true;
        range.is_being_read = true;
        let len = rotor_ipc::to_usize(range.len);
        let len = if range.is_urgent { len } else { len.min(SPILL_CHUNK) };
        Some(Wanted { file: range.file, offset: range.offset, len })
    }

    /// Puts what the helper thread has read before the rest of its range.
    pub fn has_read(&mut self, bytes: Vec<u8>) {
        self.is_reading = false;
        let Some(queue) = self.queue.as_deref_mut() else { return };
        let being_read = queue.iter_mut().enumerate().find_map(|(place, chunk)| match chunk {
            Chunk::Spill(range) if range.is_being_read => Some((place, range)),
            Chunk::Spill(_) | Chunk::Private { .. } | Chunk::Block { .. } | Chunk::Shared { .. } | Chunk::File(_) => {
                None
            }
        });
        let Some((place, range)) = being_read else { return };
        range.is_being_read = false;
        range.offset += bytes.len() as u64;
        range.len = range.len.saturating_sub(bytes.len() as u64);
        if range.len == 0 {
            queue.remove(place);
            self.ranges -= 1;
        }
        queue.insert(place, Chunk::Private { bytes, sent: 0 });
    }

    fn queue(&mut self) -> &mut VecDeque<Chunk> {
        self.queue.get_or_insert_default()
    }

    /// Drops what was sent, of what [`Self::gather`] gives.
    pub fn take(&mut self, mut taken: usize) {
        let Some(queue) = self.queue.as_deref_mut() else { return };
        while taken > 0 {
            let left = match queue.front_mut() {
                Some(Chunk::Private { bytes, sent }) => {
                    let step = taken.min(bytes.len() - *sent);
                    *sent += step;
                    taken -= step;
                    self.bytes -= step as u64;
                    bytes.len() - *sent
                }
                Some(Chunk::Block { bytes, sent, .. }) => {
                    let step = taken.min(bytes.len() - *sent);
                    *sent += step;
                    taken -= step;
                    self.bytes -= step as u64;
                    bytes.len() - *sent
                }
                Some(Chunk::File(file)) => {
                    let step = file.pass(taken);
                    taken -= step;
                    self.file_bytes -= step as u64;
                    self.files -= u32::from(file.is_sent());
                    usize::from(!file.is_sent())
                }
                Some(Chunk::Shared { share, sent }) => {
                    let step = taken.min(share.len() - *sent);
                    *sent += step;
                    taken -= step;
                    self.bytes -= step as u64;
                    share.len() - *sent
                }
                Some(Chunk::Spill(_)) | None => return,
            };
            if left == 0 {
                queue.pop_front();
            }
        }
        if queue.is_empty() {
            self.queue = None;
        }
    }
}

#[cfg(test)]
mod tests;
