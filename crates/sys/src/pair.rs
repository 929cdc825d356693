//! Two connected sockets, and waiting for one that others may share: how long a wait may take is the waiter's, not
//! the socket's, and signals that nobody wants to hear of do not end it.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use crate::check;
use crate::signal::Blocked;

/// What goes through a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes, without bounds.
    Stream,
    /// Messages: what is sent at once is received at once.
    Datagram,
}

/// How to wait for the other side.
pub struct Wait<'a> {
    /// How long; `None` is for ever, zero not at all.
    pub limit: Option<Duration>,
    /// Whether a signal that has come is one that ends the wait. Asked with all signals blocked.
    pub is_interrupted: &'a dyn Fn() -> bool,
}

/// Makes a pair, closed on exec.
pub fn pair(kind: Kind) -> io::Result<(OwnedFd, OwnedFd)> {
    let kind = match kind {
        Kind::Stream => SockType::Stream,
        Kind::Datagram => SockType::Datagram,
    };
    Ok(socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC)?)
}

/// Sends all of `bytes` and returns how many went out: fewer where a wait has ended between two parts of a stream.
pub fn send(socket: BorrowedFd<'_>, bytes: &[u8], wait: &Wait<'_>) -> io::Result<usize> {
    let deadline = wait.deadline();
    let mut sent = 0;
    loop {
        let left = &bytes[sent..];
        // SAFETY: the bytes live as long as the call, which reads at most their length.
        let result = check(unsafe { libc::send(socket.as_raw_fd(), left.as_ptr().cast(), left.len(), FLAGS) });
        match result {
            Ok(count) => {
                sent += count.unsigned_abs();
                if sent >= bytes.len() {
                    return Ok(sent);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                match wait.until(socket, libc::POLLOUT, deadline) {
                    Ok(()) => {}
                    Err(_) if sent > 0 => return Ok(sent),
                    Err(error) => return Err(error),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) if sent > 0 => return Ok(sent),
            Err(error) => return Err(error),
        }
    }
}

/// Appends what is there next to `bytes`, at most as much as those have room for: nothing at the end of a stream.
pub fn receive(socket: BorrowedFd<'_>, bytes: &mut Vec<u8>, wait: &Wait<'_>) -> io::Result<()> {
    let deadline = wait.deadline();
    loop {
        let room = bytes.spare_capacity_mut();
        // SAFETY: the kernel writes into the room, and no more than its length.
        let result = check(unsafe { libc::recv(socket.as_raw_fd(), room.as_mut_ptr().cast(), room.len(), FLAGS) });
        match result {
            Ok(count) => {
                // SAFETY: so many bytes of the room have been written.
                unsafe { bytes.set_len(bytes.len() + count.unsigned_abs()) };
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait.until(socket, libc::POLLIN, deadline)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Ends one direction of a connection for all who share the socket.
pub fn shut(socket: BorrowedFd<'_>, reading: bool) -> io::Result<()> {
    let how = if reading { libc::SHUT_RD } else { libc::SHUT_WR };
    // SAFETY: no pointers.
    check(unsafe { libc::shutdown(socket.as_raw_fd(), how) })?;
    Ok(())
}

impl Wait<'_> {
    fn deadline(&self) -> Option<Instant> {
        self.limit.and_then(|limit| Instant::now().checked_add(limit))
    }

    /// Waits until the socket is ready. A signal that comes between the question whether it ends the wait and the
    /// wait itself is held back until the latter.
    fn until(&self, socket: BorrowedFd<'_>, events: i16, deadline: Option<Instant>) -> io::Result<()> {
        loop {
            let left = match deadline {
                Some(deadline) => Some(deadline.saturating_duration_since(Instant::now())),
                None => self.limit,
            };
            if left == Some(Duration::ZERO) {
                return Err(io::Error::from_raw_os_error(libc::EAGAIN));
            }
            let blocked = Blocked::all()?;
            if (self.is_interrupted)() {
                return Err(io::Error::from_raw_os_error(libc::EINTR));
            }
            let mut poll = libc::pollfd { fd: socket.as_raw_fd(), events, revents: 0 };
            let timeout = left.map(timespec);
            let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
            let mask = std::ptr::from_ref(blocked.before());
            // SAFETY: one descriptor, a time and a mask that live as long as the call.
            let ready = check(unsafe { libc::ppoll(&raw mut poll, 1, timeout, mask) });
            drop(blocked);
            match ready {
                // Nobody is asked whether a signal came just now: the next round does.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(0) => {}
                Ok(_) => return Ok(()),
            }
        }
    }
}

fn timespec(time: Duration) -> libc::timespec {
    let seconds = libc::time_t::try_from(time.as_secs()).unwrap_or(libc::time_t::MAX);
    libc::timespec { tv_sec: seconds, tv_nsec: time.subsec_nanos().into() }
}

/// A wait has a limit of its own, and a peer that is gone is an error and no signal.
const FLAGS: libc::c_int = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    const PATIENT: Wait<'static> = Wait { limit: None, is_interrupted: &|| false };
    const NOT_AT_ALL: Wait<'static> = Wait { limit: Some(Duration::ZERO), is_interrupted: &|| false };

    fn received(socket: &OwnedFd, size: usize, wait: &Wait<'_>) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(size);
        receive(socket.as_fd(), &mut bytes, wait)?;
        Ok(bytes)
    }

    #[test]
    fn messages_keep_their_bounds_and_streams_do_not() {
        for (kind, first) in [(Kind::Datagram, "one"), (Kind::Stream, "onetwo")] {
            let (a, b) = pair(kind).unwrap();
            for text in ["one", "two"] {
                assert_eq!(send(a.as_fd(), text.as_bytes(), &PATIENT).unwrap(), 3);
            }
            assert_eq!(received(&b, 100, &PATIENT).unwrap(), first.as_bytes());
        }
    }

    #[test]
    fn a_wait_ends_by_its_limit_by_the_other_side_and_by_a_signal_that_matters() {
        let (a, b) = pair(Kind::Stream).unwrap();
        assert_eq!(received(&b, 1, &NOT_AT_ALL).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let short = Wait { limit: Some(Duration::from_millis(5)), is_interrupted: &|| false };
        assert_eq!(received(&b, 1, &short).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let interrupted = Wait { limit: None, is_interrupted: &|| true };
        assert_eq!(received(&b, 1, &interrupted).unwrap_err().kind(), io::ErrorKind::Interrupted);
        let sender = std::thread::spawn(move || send(a.as_fd(), b"late", &PATIENT).map(|_| ()));
        assert_eq!(received(&b, 100, &PATIENT).unwrap(), b"late");
        sender.join().unwrap().unwrap();
        assert_eq!(received(&b, 100, &PATIENT).unwrap(), b"", "the other side is closed");
        assert_eq!(send(b.as_fd(), b"x", &PATIENT).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_stream_takes_more_than_it_has_room_for_while_somebody_reads() {
        let (a, b) = pair(Kind::Stream).unwrap();
        let bytes: Vec<u8> = (0..=250).cycle().take(4 << 20).collect();
        let sent = send(a.as_fd(), &bytes, &NOT_AT_ALL).unwrap();
        assert!(sent > 0 && sent < bytes.len(), "what had room");
        let expected = bytes[..sent].iter().chain(&bytes).copied().collect::<Vec<_>>();
        let sender = std::thread::spawn(move || send(a.as_fd(), &bytes, &PATIENT));
        let mut all = Vec::new();
        while all.len() < expected.len() {
            all.extend(received(&b, 64 << 10, &PATIENT).unwrap());
        }
        assert_eq!(sender.join().unwrap().unwrap(), 4 << 20);
        assert!(all == expected);
    }
}
