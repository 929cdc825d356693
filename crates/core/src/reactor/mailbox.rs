//! What the master's other threads tell a reactor. They are threads of one process: plain memory will do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use rotor_ipc::SessionId;
use rotor_ipc::segment::Segment;

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
    /// Close a session: a `close` on the main thread.
    Close {
        /// Which.
        session: SessionId,
        /// Whether queued output is dropped.
        reset: bool,
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

/// Where a reactor finds its mail.
#[derive(Clone)]
pub struct Mailbox {
    inner: Arc<Inner>,
    segment: &'static Segment,
    reactor: usize,
}

struct Inner {
    letters: Mutex<Vec<Mail>>,
    has_letters: AtomicBool,
}

impl Mailbox {
    /// An empty one.
    pub fn new(segment: &'static Segment, reactor: usize) -> Self {
        let inner = Inner { letters: Mutex::new(Vec::new()), has_letters: AtomicBool::new(false) };
        Self { inner: Arc::new(inner), segment, reactor }
    }

    /// Puts a letter in and wakes the reactor.
    pub fn put(&self, mail: Mail) {
        self.inner.letters.lock().push(mail);
        self.inner.has_letters.store(true, Ordering::Release);
        self.segment.reactor_bell(self.reactor).write();
    }

    /// Whether there is mail. After a bell that was missed it is not: every letter rings.
    pub fn has_mail(&self) -> bool {
        self.inner.has_letters.load(Ordering::Acquire)
    }

    /// Everything that is there.
    pub fn take(&self) -> Vec<Mail> {
        self.inner.has_letters.store(false, Ordering::Relaxed);
        std::mem::take(&mut self.inner.letters.lock())
    }
}
