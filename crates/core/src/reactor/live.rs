//! How many connections there are, and who waits until there are fewer.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicUsize, fence};

use rotor_sys::eventfd::EventFd;

use crate::settings::AtMost;

/// The open descriptors of all connections. The accept thread adds, whoever closes removes.
#[derive(Debug)]
pub struct Live {
    count: AtomicUsize,
    most: usize,
    waits: AtomicBool,
    /// Rung for the accept thread, where that may wait at all.
    bell: Option<EventFd>,
}

impl Live {
    /// None yet, of so many.
    pub fn new(most: usize, policy: AtMost) -> std::io::Result<Self> {
        let bell = (policy == AtMost::Hold).then(EventFd::new).transpose()?;
        Ok(Self { count: AtomicUsize::new(0), most, waits: AtomicBool::new(false), bell })
    }

    /// Whether there are as many as there may be.
    pub fn is_full(&self) -> bool {
        self.count.load(Relaxed) >= self.most
    }

    /// One more.
    pub fn add(&self) {
        self.count.fetch_add(1, Relaxed);
    }

    /// One less.
    pub fn remove(&self) {
        self.count.fetch_sub(1, Relaxed);
        self.tell();
    }

    /// Something has made room: a closed socket, or a session that is forgotten.
    pub fn tell(&self) {
        let Some(bell) = &self.bell else { return };
        // What has made room is stored before this, and the accept thread looks at it behind its own fence: one of us sees
        // what the other has done.
        fence(SeqCst);
        if self.waits.load(Relaxed) && self.waits.swap(false, Relaxed) {
            bell.write();
        }
    }

    /// What the accept thread waits for, once it has announced that; `None` where clients are refused instead.
    pub fn bell(&self) -> Option<BorrowedFd<'_>> {
        self.bell.as_ref().map(AsFd::as_fd)
    }

    /// From here on whoever makes room rings. Look once more whether there is some, then wait.
    pub fn announce_wait(&self) {
        self.waits.store(true, Relaxed);
        fence(SeqCst);
    }

    /// Nobody needs to ring.
    pub fn end_wait(&self) {
        self.waits.store(false, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rotor_sys::socket::wait_readable;
    use std::time::Duration;

    #[test]
    fn whoever_makes_room_rings_once_for_each_wait_and_for_nobody_else() {
        let live = Live::new(1, AtMost::Hold).unwrap();
        let has_rung = || wait_readable(live.bell().unwrap(), Duration::ZERO).unwrap();
        live.add();
        assert!(live.is_full());
        live.remove();
        live.add();
        live.announce_wait();
        live.end_wait();
        live.tell();
        assert!(!has_rung(), "nobody waited");
        live.announce_wait();
        live.remove();
        assert!(has_rung() && !live.is_full());
    }

    #[test]
    fn no_room_is_missed_by_who_looks_once_more_after_the_announcement() {
        for _ in 0..2000 {
            let live = Live::new(1, AtMost::Hold).unwrap();
            live.add();
            std::thread::scope(|scope| {
                scope.spawn(|| live.remove());
                live.announce_wait();
                if live.is_full() {
                    assert!(wait_readable(live.bell().unwrap(), Duration::from_secs(20)).unwrap());
                }
            });
        }
    }
}
