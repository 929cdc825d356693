//! eventfd: wakes whoever waits for it in an epoll.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::check;
use crate::own::Own;

/// A counter in the kernel that is written to wake its readers and never read: watched edge-triggered, each
/// write is an event of its own.
#[derive(Debug)]
pub struct EventFd {
    fd: Own,
}

impl EventFd {
    /// A new one, non-blocking, closed on exec, inherited by a fork.
    pub fn new() -> io::Result<Self> {
        Ok(Self { fd: Own::new(open()?) })
    }

    /// Wakes. Cannot fail in a way that matters: at one write a nanosecond the counter is full after 584
    /// years, and a full one is readable, so that its readers are awake.
    pub fn write(&self) {
        write_raw(self.fd.as_raw_fd());
    }
}

impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Makes one; async-signal-safe.
pub(crate) fn open() -> io::Result<OwnedFd> {
    // SAFETY: no pointers; a descriptor that is returned is ours alone.
    unsafe { Ok(OwnedFd::from_raw_fd(check(libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK))?)) }
}

/// Wakes through a descriptor's number; async-signal-safe.
pub(crate) fn write_raw(fd: i32) {
    let one = 1_u64;
    // SAFETY: eight bytes of a local are written to a descriptor; a wrong one only yields EBADF.
    unsafe { libc::write(fd, (&raw const one).cast(), size_of::<u64>()) };
}
