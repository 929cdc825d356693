//! What the master's other threads tell a reactor. They are threads of one process: plain memory will do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use rotor_ipc::SessionId;
use rotor_ipc::segment::Segment;
use rotor_sys::datagram::Address;

use super::broadcast::Receivers;
use super::output::FilePart;
use crate::disk::Done;

/// A letter to a reactor.
pub enum Mail {
    /// Send bytes to a session: a `send` on the main thread.
    Send {
        /// To whom.
        session: SessionId,
        /// What.
        bytes: Vec<u8>,
    },
    /// Send a part of a file to a session: a `sendfile` on the main thread.
    SendFile {
        /// To whom.
        session: SessionId,
        /// What.
        part: FilePart,
    },
    /// Send the same bytes to many sessions: a `broadcast` on the main thread.
    Broadcast {
        /// What; the reactors share it.
        bytes: Arc<Vec<u8>>,
        /// To whom.
        receivers: Receivers,
    },
    /// Close a session: a `close` on the main thread.
    Close {
        /// Which.
        session: SessionId,
        /// How: the bits of [`Kind::CloseRequest`](rotor_ipc::record::Kind::CloseRequest).
        bits: u16,
    },
    /// Read a session no more, or again: a `pause` or `resume` on the main thread.
    Pause {
        /// Which.
        session: SessionId,
        /// Whether it is to be paused.
        is_paused: bool,
    },
    /// Send a datagram: a `sendto` on the main thread.
    SendTo {
        /// The port whose socket sends it.
        port: u16,
        /// To whom.
        to: Address,
        /// What.
        bytes: Vec<u8>,
    },
    /// The helper thread has done a job.
    Disk(Done),
    /// The server stops: read what has arrived, post it, and close the lanes to the workers.
    Drain,
    /// All workers have ended: send what is queued, until then at the latest, and end.
    Finish {
        /// When the rest is dropped; `None`: never.
        deadline: Option<Instant>,
    },
}

impl Mail {
    /// Whether it is about the server, and not what user code wants of connections and peers.
    fn is_of_server(&self) -> bool {
        match self {
            Self::Disk(_) | Self::Drain | Self::Finish { .. } => true,
            Self::Send { .. }
            | Self::SendFile { .. }
            | Self::Broadcast { .. }
            | Self::Close { .. }
            | Self::Pause { .. }
            | Self::SendTo { .. } => false,
        }
    }

    /// Whether it is about connections.
    fn is_of_connections(&self) -> bool {
        !self.is_of_server() && !matches!(self, Self::SendTo { .. })
    }

    /// What it has to send, in bytes.
    fn bytes(&self) -> usize {
        match self {
            Self::Send { bytes, .. } | Self::SendTo { bytes, .. } => bytes.len(),
            Self::SendFile { .. } => FILE_COUNTS,
            Self::Broadcast { bytes, .. } => bytes.len(),
            Self::Close { .. } | Self::Pause { .. } | Self::Disk(_) | Self::Drain | Self::Finish { .. } => 0,
        }
    }
}

/// Where a reactor finds its mail.
#[derive(Clone)]
pub struct Mailbox {
    inner: Arc<Inner>,
    segment: &'static Segment,
    reactor: usize,
}

struct Inner {
    letters: Mutex<Letters>,
    has_letters: AtomicBool,
    /// Letters were taken, and somebody waits for that.
    room: Condvar,
}

#[derive(Default)]
struct Letters {
    letters: Vec<Mail>,
    /// What they have to send, in bytes.
    bytes: usize,
    /// How many wait for room.
    waiting: usize,
    /// How many about connections were ever put in.
    put: u64,
}

/// So much may lie here to be sent before whoever sends more waits; a single letter may be larger.
const ROOM: usize = 4 << 20;
/// A file is not in memory, but its descriptor is open.
const FILE_COUNTS: usize = ROOM / 64;
/// A reactor takes its mail whatever happens, so a wait for room that is longer than this is for one that has ended.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

impl Mailbox {
    /// An empty one.
    pub fn new(segment: &'static Segment, reactor: usize) -> Self {
        let inner = Inner { letters: Mutex::default(), has_letters: AtomicBool::new(false), room: Condvar::new() };
        Self { inner: Arc::new(inner), segment, reactor }
    }

    /// Puts a letter in and wakes the reactor.
    pub fn put(&self, mail: Mail) {
        self.put_behind(self.inner.letters.lock(), mail);
    }

    /// The same for what user code of the main thread sends: while there is too much it waits, if it may; `false`: there is
    /// no room, or nobody takes anything any more.
    pub fn put_if_there_is_room(&self, mail: Mail, may_wait: bool) -> bool {
        let end = Instant::now() + LONGEST_WAIT;
        let mut letters = self.inner.letters.lock();
        while letters.bytes > 0 && mail.bytes() > 0 && letters.bytes + mail.bytes() > ROOM {
            if !may_wait {
                return false;
            }
            letters.waiting += 1;
            let waited = self.inner.room.wait_until(&mut letters, end);
            letters.waiting -= 1;
            if waited.timed_out() {
                return false;
            }
        }
        self.put_behind(letters, mail);
        true
    }

    fn put_behind(&self, mut letters: MutexGuard<'_, Letters>, mail: Mail) {
        letters.bytes += mail.bytes();
        letters.put += u64::from(mail.is_of_connections());
        letters.letters.push(mail);
        drop(letters);
        self.inner.has_letters.store(true, Ordering::Release);
        self.segment.reactor_bell(self.reactor).write();
    }

    /// How many letters about connections were ever put in.
    pub fn put_so_far(&self) -> u64 {
        self.inner.letters.lock().put
    }

    /// Whether there is mail. After a bell that was missed it is not: every letter rings.
    pub fn has_mail(&self) -> bool {
        self.inner.has_letters.load(Ordering::Acquire)
    }

    /// Everything that is there. While the reactor has enough to send, only what does not wait for that: then whoever sends
    /// more finds no room here.
    pub fn take(&self, has_enough: bool) -> Vec<Mail> {
        self.inner.has_letters.store(false, Ordering::Relaxed);
        let mut letters = self.inner.letters.lock();
        if has_enough {
            let (others, held) = std::mem::take(&mut letters.letters).into_iter().partition(Mail::is_of_server);
            letters.letters = held;
            self.inner.has_letters.store(!letters.letters.is_empty(), Ordering::Relaxed);
            return others;
        }
        letters.bytes = 0;
        if letters.waiting > 0 {
            self.inner.room.notify_all();
        }
        std::mem::take(&mut letters.letters)
    }
}
