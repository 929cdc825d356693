//! epoll: readiness of many descriptors, edge-triggered.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use crate::check;
use crate::own::Own;

/// An epoll instance. Each process makes its own: registrations are inherited by a fork, which helps nobody.
#[derive(Debug)]
pub struct Epoll {
    fd: Own,
}

/// What to be told about a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Each time that something arrives, once.
    ReadEdge,
    /// As long as there is something to read.
    ReadLevel,
    /// Readable, writable, half-closed and broken, each edge once: one registration for a socket's whole life.
    SocketEdge,
}

impl Interest {
    fn bits(self) -> u32 {
        let bits = match self {
            Self::ReadEdge => libc::EPOLLIN | libc::EPOLLET,
            Self::ReadLevel => libc::EPOLLIN,
            Self::SocketEdge => libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET,
        };
        bits.cast_unsigned()
    }
}

/// One thing that happened.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Event(libc::epoll_event);

impl Event {
    /// The number that the descriptor was registered with.
    pub fn token(&self) -> u64 {
        self.0.u64
    }

    /// Bytes, or the end of them.
    pub fn is_readable(&self) -> bool {
        self.has(libc::EPOLLIN)
    }

    /// Room to write.
    pub fn is_writable(&self) -> bool {
        self.has(libc::EPOLLOUT)
    }

    /// The peer has shut down its sending half, or the connection is broken: a short read does not mean that
    /// the end has been seen.
    pub fn is_ending(&self) -> bool {
        self.has(libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR)
    }

    /// The connection is broken, or both halves are shut down.
    pub fn is_broken(&self) -> bool {
        self.has(libc::EPOLLHUP | libc::EPOLLERR)
    }

    /// The connection is broken by an error, such as a reset.
    pub fn is_error(&self) -> bool {
        self.has(libc::EPOLLERR)
    }

    fn has(&self, bits: i32) -> bool {
        self.0.events & bits.cast_unsigned() != 0
    }
}

/// Room for the events of one wait.
pub struct Events {
    buffer: Vec<libc::epoll_event>,
    filled: usize,
}

impl Events {
    /// Room for `capacity` events, at least one.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { buffer: vec![libc::epoll_event { events: 0, u64: 0 }; capacity.max(1)], filled: 0 }
    }

    /// What the last wait brought.
    pub fn iter(&self) -> impl Iterator<Item = Event> + '_ {
        self.buffer[..self.filled].iter().map(|event| Event(*event))
    }

    /// Whether there was no room for more events.
    pub fn is_full(&self) -> bool {
        self.filled == self.buffer.len()
    }

    /// How many events the last wait brought.
    pub fn len(&self) -> usize {
        self.filled
    }

    /// Whether the last wait brought none.
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }
}

impl Epoll {
    /// A new instance, closed on exec.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers; a descriptor that is returned is ours alone.
        unsafe {
            let fd = check(libc::epoll_create1(libc::EPOLL_CLOEXEC))?;
            Ok(Self { fd: Own::new(OwnedFd::from_raw_fd(fd)) })
        }
    }

    /// Watches `fd` and reports it as `token`.
    pub fn add(&self, fd: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()> {
        let mut event = libc::epoll_event { events: interest.bits(), u64: token };
        // SAFETY: both descriptors are open for the length of the call, and `event` outlives it.
        check(unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), &raw mut event) })?;
        Ok(())
    }

    /// Watches `fd` no more.
    pub fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        // SAFETY: both descriptors are open; DEL ignores the event pointer.
        check(unsafe {
            libc::epoll_ctl(self.fd.as_raw_fd(), libc::EPOLL_CTL_DEL, fd.as_raw_fd(), std::ptr::null_mut())
        })?;
        Ok(())
    }

    /// Waits until something happens or `timeout` has passed (`None`: for ever; rounded up to a millisecond).
    ///
    /// An interrupting signal ends the wait with [`io::ErrorKind::Interrupted`] and leaves `events` empty.
    pub fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        let timeout_ms =
            timeout.map_or(-1, |timeout| i32::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX));
        let capacity = i32::try_from(events.buffer.len()).unwrap_or(i32::MAX);
        events.filled = 0;
        // SAFETY: the buffer has room for `capacity` events and is borrowed for the length of the call.
        let count =
            check(unsafe { libc::epoll_wait(self.fd.as_raw_fd(), events.buffer.as_mut_ptr(), capacity, timeout_ms) })?;
        events.filled = usize::try_from(count).unwrap_or(0);
        Ok(())
    }
}

impl AsFd for Epoll {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eventfd::EventFd;

    #[test]
    fn each_write_to_an_unread_eventfd_is_one_edge() {
        let (epoll, eventfd) = (Epoll::new().unwrap(), EventFd::new().unwrap());
        epoll.add(eventfd.as_fd(), 7, Interest::ReadEdge).unwrap();
        let mut events = Events::with_capacity(4);
        for _ in 0..3 {
            eventfd.write();
            epoll.wait(&mut events, None).unwrap();
            assert_eq!(events.iter().map(|event| event.token()).collect::<Vec<_>>(), [7]);
            epoll.wait(&mut events, Some(Duration::ZERO)).unwrap();
            assert!(events.is_empty());
        }
    }
}
