//! The helper threads of the master: disk, files that are sent, and log, so that no reactor ever waits for any.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::thread::JoinHandle;

use rotor_ipc::SessionId;
use rotor_ipc::payload::{Filling, Kept, Payload, Shared};
use rotor_sys::file::UnnamedFile;
use rotor_sys::regular::RegularFile;

use crate::log::{Line, Log};

/// Work for the helper thread.
pub enum Job {
    /// Write a message into its spill range, then tell the reactor.
    Write {
        /// Whose message it is.
        session: SessionId,
        /// Where it goes.
        range: Filling,
        /// The message.
        bytes: Vec<u8>,
        /// Whom to tell.
        reply: Reply,
    },
    /// Write a piece of a message into its spill range, then tell the reactor.
    WritePiece {
        /// Whose message it is.
        session: SessionId,
        /// The range of the whole message.
        range: Filling,
        /// Where in the range the piece begins.
        offset: u64,
        /// The piece.
        bytes: Vec<u8>,
        /// Whom to tell.
        reply: Reply,
    },
    /// Read a part of what a worker has spilled, then tell the reactor.
    Read {
        /// To which session it goes.
        session: SessionId,
        /// From where.
        file: &'static UnnamedFile,
        /// Where in the file.
        offset: u64,
        /// How many bytes.
        len: usize,
        /// Whom to tell.
        reply: Reply,
    },
    /// Read all of a range that reactors share, give this one's part back, and tell it.
    ReadShared {
        /// What the reactor calls it.
        number: u64,
        /// Its part.
        range: Shared,
        /// Whom to tell.
        reply: Reply,
    },
    /// Read the certificates of a port again.
    Certificates(Box<dyn FnOnce() + Send>),
    /// Drop what holds a spill range: its disk space is given back, which may take a while.
    GiveBack(Box<dyn Send>),
}

/// How the helper answers a reactor: puts the result into its mailbox and wakes it.
pub type Reply = Arc<dyn Fn(Done) + Send + Sync>;

/// Finished work.
pub enum Done {
    /// The message is in its range, or the disk did not take it.
    Written {
        /// Whose message it is.
        session: SessionId,
        /// How many bytes it has.
        len: usize,
        /// Its range.
        result: Result<Filling, Unwritten>,
    },
    /// A piece is in its message's range, or the disk did not take it.
    WrittenPiece {
        /// Whose message it is.
        session: SessionId,
        /// The range of the whole message.
        range: Filling,
        /// How many bytes the piece has.
        result: Result<usize, Unwritten>,
    },
    /// A part of a file is in memory, or the disk's error.
    ReadAhead {
        /// To which session it goes.
        session: SessionId,
        /// Where it begins.
        offset: u64,
        /// How many bytes.
        len: u64,
        /// The disk's answer.
        result: io::Result<()>,
    },
    /// The bytes, or the disk's error.
    Read {
        /// To which session they go.
        session: SessionId,
        /// The disk's answer.
        result: io::Result<Vec<u8>>,
    },
    /// All bytes of a shared range, or the disk's error.
    ReadShared {
        /// What the reactor calls it.
        number: u64,
        /// The disk's answer.
        result: io::Result<Vec<u8>>,
    },
}

/// A message, or a piece of one, that could not be written.
pub struct Unwritten {
    /// The disk's answer.
    pub error: io::Error,
    /// What it was to take.
    pub bytes: Vec<u8>,
}

/// A spill range that a reactor keeps; the helper thread gives it back.
pub struct KeptRange {
    kept: Option<Kept>,
    jobs: Jobs,
}

impl KeptRange {
    /// What is given back by way of `jobs`.
    pub fn new(kept: Kept, jobs: &Jobs) -> Self {
        Self { kept: Some(kept), jobs: jobs.clone() }
    }
}

impl Drop for KeptRange {
    fn drop(&mut self) {
        if let Some(kept) = self.kept.take() {
            // Where there is no helper any more, the job comes back and is done here.
            let _ = self.jobs.send(Job::GiveBack(Box::new(kept)));
        }
    }
}

/// Gives a payload back that nobody wants, a spill range by way of `jobs`.
pub fn discard(payload: &Payload<'_>, jobs: &Jobs) {
    match payload {
        Payload::Spill { .. } => drop(payload.keep().map(|kept| KeptRange::new(kept, jobs))),
        Payload::Inline(_) | Payload::Block { .. } => payload.free(),
    }
}

/// Starts the thread that does the work. It ends when all senders of jobs are gone.
pub fn spawn_disk(jobs: Receiver<Job>) -> io::Result<JoinHandle<()>> {
    spawn("rotor-disk", move || {
        while let Ok(job) = jobs.recv() {
            perform(job);
        }
    })
}

/// Starts the thread that reads files ahead that are being sent. It is not the one of the spill files: a file may lie on a
/// file system that does not answer, and nothing but files that are sent shall wait for that. It ends when all senders
/// of jobs are gone.
pub fn spawn_files(jobs: Receiver<FileJob>) -> io::Result<JoinHandle<()>> {
    spawn("rotor-files", move || {
        let mut room = vec![0; 64 << 10];
        while let Ok(job) = jobs.recv() {
            match job {
                FileJob::ReadAhead { session, file, offset, len, reply } => {
                    let result = file.get().map_or(Ok(()), |file| file.read_ahead(offset, len, &mut room));
                    drop(file);
                    reply(Done::ReadAhead { session, offset, len, result });
                }
                FileJob::Close(file) => drop(file),
            }
        }
    })
}

/// Starts the thread that writes the log lines of this process. It ends when all senders are gone.
pub fn spawn_log(log: Log, lines: Receiver<Line>) -> io::Result<JoinHandle<()>> {
    spawn("rotor-log", move || {
        while let Ok(line) = lines.recv() {
            log.write(&line);
        }
    })
}

/// Starts a thread of the master. All signals are blocked in it: they are for the main thread, where user code
/// expects them.
pub fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    let _blocked = rotor_sys::signal::Blocked::all()?;
    std::thread::Builder::new().name(name.to_owned()).spawn(body)
}

/// Work for the thread that reads files ahead.
pub enum FileJob {
    /// Have a part of a file in memory, then tell the reactor.
    ReadAhead {
        /// To which session it goes.
        session: SessionId,
        /// The file.
        file: Arc<SentFile>,
        /// Where the part begins.
        offset: u64,
        /// How many bytes it has.
        len: u64,
        /// Whom to tell.
        reply: Reply,
    },
    /// Close a file that has no name any more: its disk space is given back, which may take a while.
    Close(RegularFile),
}

/// The way to the thread that reads files ahead.
pub type FileJobs = Sender<FileJob>;

/// A file that is being sent.
pub struct SentFile {
    file: Option<RegularFile>,
    jobs: FileJobs,
}

impl SentFile {
    /// One that is closed by way of `jobs` if that may take long.
    pub fn new(file: RegularFile, jobs: &FileJobs) -> Self {
        Self { file: Some(file), jobs: jobs.clone() }
    }

    /// The file; it is there until this is dropped.
    pub fn get(&self) -> Option<&RegularFile> {
        self.file.as_ref()
    }
}

impl Drop for SentFile {
    fn drop(&mut self) {
        if let Some(file) = self.file.take_if(|file| !file.has_name()) {
            // Where there is no helper any more, the job comes back and is done here.
            let _ = self.jobs.send(FileJob::Close(file));
        }
    }
}

/// The way to the helper thread.
pub type Jobs = Sender<Job>;

fn perform(job: Job) {
    match job {
        Job::Write { session, range, bytes, reply } => {
            let len = bytes.len();
            let result = match range.fill(&bytes) {
                Ok(()) => Ok(range),
                Err(error) => {
                    drop(range);
                    Err(Unwritten { error, bytes })
                }
            };
            reply(Done::Written { session, len, result });
        }
        Job::WritePiece { session, range, offset, bytes, reply } => {
            let result = match range.fill_at(&bytes, offset) {
                Ok(()) => Ok(bytes.len()),
                Err(error) => Err(Unwritten { error, bytes }),
            };
            reply(Done::WrittenPiece { session, range, result });
        }
        Job::Read { session, file, offset, len, reply } => {
            let mut bytes = vec![0; len];
            let result = file.read_exact_at(&mut bytes, offset);
            reply(Done::Read { session, result: result.map(|()| bytes) });
        }
        Job::ReadShared { number, range, reply } => {
            let result = range.read();
            drop(range);
            reply(Done::ReadShared { number, result });
        }
        Job::Certificates(read) => read(),
        Job::GiveBack(range) => drop(range),
    }
}
