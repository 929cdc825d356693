//! Files in an output queue: the socket takes them from the kernel's memory of them. What is not there yet the helper
//! thread reads first, since a reactor waits for no disk.

use std::io;
use std::sync::Arc;

use rotor_sys::regular::{Cached, RegularFile};
use rotor_sys::socket::Stream;

use super::{Chunk, Output};
use crate::disk::{FileJobs, SentFile};

/// So much of its files goes to one connection before the others have their turn.
pub const FILE_TURN: usize = 512 << 10;
/// So much is looked for in memory at once.
const LOOK: u64 = FILE_TURN as u64;
/// So much is read ahead at once, where it is not.
const READ_AHEAD: u64 = 256 << 10;
/// So many files may wait for one connection: each holds a descriptor.
const MOST_FILES: u32 = 64;

/// A part of a file, to be sent.
#[derive(Debug)]
pub struct FilePart {
    /// The file.
    pub file: RegularFile,
    /// Where it begins.
    pub offset: u64,
    /// How many bytes it has.
    pub len: u64,
}

/// A part of a file that the helper thread shall have in memory.
pub struct Ahead {
    /// The file.
    pub file: Arc<SentFile>,
    /// Where.
    pub offset: u64,
    /// How many bytes.
    pub len: u64,
}

/// Why nothing more can be sent.
#[derive(Debug)]
pub enum Broke {
    /// The connection.
    Socket(io::Error),
    /// A file: it cannot be read, or is shorter by now.
    File(io::Error),
}

/// What is left of a part of a file.
pub(super) struct FileChunk {
    file: Arc<SentFile>,
    offset: u64,
    end: u64,
    /// Up to here it is in memory, as far as is known.
    ready_to: u64,
    /// It was looked for there and was not found.
    is_cold: bool,
    /// The helper thread reads ahead.
    is_being_read: bool,
}

impl FileChunk {
    pub(super) fn is_sent(&self) -> bool {
        self.offset == self.end
    }

    /// Counts up to so many bytes as sent, and returns how many.
    pub(super) fn pass(&mut self, most: usize) -> usize {
        let step = rotor_ipc::to_usize(self.end - self.offset).min(most);
        self.offset += step as u64;
        step
    }

    /// How much of what comes next can be read without waiting.
    fn ready(&mut self) -> usize {
        if self.ready_to <= self.offset && !self.is_cold {
            let len = LOOK.min(self.end - self.offset);
            match self.file.get().map(|file| file.is_cached(self.offset, len)) {
                Some(Cached::Yes) => self.ready_to = self.offset + len,
                Some(Cached::No | Cached::Unknown) | None => self.is_cold = true,
            }
        }
        rotor_ipc::to_usize(self.ready_to.saturating_sub(self.offset))
    }

    /// Puts up to so many bytes behind `into`. False when there is more of it.
    pub(super) fn read(&mut self, into: &mut Vec<u8>, most: usize) -> io::Result<bool> {
        let len = self.ready().min(most);
        let begin = into.len();
        into.resize(begin + len, 0);
        let mut read = 0;
        while read < len {
            let Some(file) = self.file.get() else { return Err(shorter()) };
            match file.read_at(&mut into[begin + read..], self.offset + read as u64)? {
                0 => return Err(shorter()),
                more => read += more,
            }
        }
        Ok(self.offset + len as u64 == self.end)
    }
}

impl Output {
    /// Puts a part of a file behind what waits.
    pub fn push_file(&mut self, part: FilePart, jobs: &FileJobs) {
        let FilePart { file, offset, len } = part;
        if len == 0 {
            return;
        }
        self.files += 1;
        self.file_bytes += len;
        self.queue().push_back(Chunk::File(FileChunk {
            file: Arc::new(SentFile::new(file, jobs)),
            offset,
            end: offset + len,
            ready_to: offset,
            is_cold: false,
            is_being_read: false,
        }));
    }

    /// What files still have to send, in bytes.
    pub fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// Whether no more files may wait.
    pub fn has_most_files(&self) -> bool {
        self.files >= MOST_FILES
    }

    /// Whether what comes next is a file.
    pub fn is_file_next(&self) -> bool {
        self.files > 0 && matches!(self.queue.as_deref().and_then(|queue| queue.front()), Some(Chunk::File(_)))
    }

    fn next_file(&mut self) -> Option<&mut FileChunk> {
        match self.queue.as_deref_mut().filter(|_| self.files > 0)?.front_mut() {
            Some(Chunk::File(file)) => Some(file),
            _ => None,
        }
    }

    /// The socket was full for some time: what was in memory then may not be any more.
    pub(super) fn look_again(&mut self) {
        if let Some(file) = self.next_file() {
            file.ready_to = file.offset;
            file.is_cold = false;
        }
    }

    /// Sends what the socket takes of the file that comes next, up to so many bytes. 0: it is on the disk; `None`: the
    /// socket is full.
    pub(super) fn send_file(&mut self, stream: &Stream, most: usize) -> Result<Option<usize>, Broke> {
        let Some(next) = self.next_file() else { return Ok(Some(0)) };
        let len = next.ready().min(most);
        let Some(file) = next.file.get().filter(|_| len > 0) else { return Ok(Some(0)) };
        match stream.send_file(file, next.offset, len) {
            Ok(0) => Err(Broke::File(shorter())),
            Ok(sent) => {
                self.take(sent);
                Ok(Some(sent))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) if is_of_file(&error) => Err(Broke::File(error)),
            Err(error) => Err(Broke::Socket(error)),
        }
    }

    /// What of the file that comes next is to be read ahead, so that sending can go on.
    pub fn wanted_ahead(&mut self) -> Option<Ahead> {
        if self.is_blocked {
            return None;
        }
        let next = self.next_file()?;
        if !next.is_cold || next.is_being_read || next.ready_to > next.offset {
            return None;
        }
        next.is_being_read = true;
        let len = READ_AHEAD.min(next.end - next.offset);
        Some(Ahead { file: next.file.clone(), offset: next.offset, len })
    }

    /// The helper thread has read ahead.
    pub fn has_read_ahead(&mut self, offset: u64, len: u64) {
        if let Some(next) = self.next_file().filter(|next| next.is_being_read) {
            next.is_being_read = false;
            if next.offset == offset {
                next.ready_to = offset + len;
            }
        }
    }
}

fn shorter() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it has become shorter")
}

/// Whether an error of `sendfile(2)` is the file's.
fn is_of_file(error: &io::Error) -> bool {
    const EIO: i32 = 5;
    const EINVAL: i32 = 22;
    const EOVERFLOW: i32 = 75;
    const ESTALE: i32 = 116;
    matches!(error.raw_os_error(), Some(EIO | EINVAL | EOVERFLOW | ESTALE))
}
