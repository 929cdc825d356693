//! The helper thread of the master: disk and log, so that no reactor ever waits for either.

use std::io;
use std::sync::mpsc::{Receiver, Sender};
use std::thread::JoinHandle;

use rotor_ipc::SessionId;
use rotor_ipc::payload::{Filling, Kept, Payload};
use rotor_sys::file::UnnamedFile;

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
    /// Read the certificates of a port again.
    Certificates(Box<dyn FnOnce() + Send>),
    /// Drop what holds a spill range: its disk space is given back, which may take a while.
    GiveBack(Box<dyn Send>),
}

/// How the helper answers a reactor: puts the result into its mailbox and wakes it.
pub type Reply = std::sync::Arc<dyn Fn(Done) + Send + Sync>;

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
    /// The bytes, or the disk's error.
    Read {
        /// To which session they go.
        session: SessionId,
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
        Job::Certificates(read) => read(),
        Job::GiveBack(range) => drop(range),
    }
}
