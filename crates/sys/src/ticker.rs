//! timerfd: a tick that a loop hears in its epoll. A timeout of each wait would arm and disarm a timer every time,
//! which costs more than the rest of a short wait.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use crate::check;
use crate::own::Own;

/// A timer that ticks for ever, as long as each tick is [`heard`](Self::heard).
#[derive(Debug)]
pub struct Ticker {
    fd: Own,
}

impl Ticker {
    /// Ticks each `period`, at least a nanosecond, for the first time after one.
    pub fn every(period: Duration) -> io::Result<Self> {
        let time = libc::timespec {
            tv_sec: libc::time_t::try_from(period.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: libc::c_long::from(period.subsec_nanos()),
        };
        let times = libc::itimerspec { it_interval: time, it_value: time };
        // SAFETY: a descriptor that is returned is ours alone; the times are read from a local.
        unsafe {
            let flags = libc::TFD_CLOEXEC | libc::TFD_NONBLOCK;
            let fd = Own::new(OwnedFd::from_raw_fd(check(libc::timerfd_create(libc::CLOCK_MONOTONIC, flags))?));
            check(libc::timerfd_settime(fd.as_raw_fd(), 0, &raw const times, std::ptr::null_mut()))?;
            Ok(Self { fd })
        }
    }
}

impl Ticker {
    /// Takes note of a tick, without which there is no next one. Says whether there was one.
    pub fn heard(&self) -> bool {
        let mut ticks = 0_u64;
        // SAFETY: eight bytes are read into a local.
        unsafe { libc::read(self.fd.as_raw_fd(), (&raw mut ticks).cast(), size_of::<u64>()) > 0 }
    }
}

impl AsFd for Ticker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::epoll::{Epoll, Events, Interest};

    #[test]
    fn it_ticks_as_long_as_it_is_heard() {
        let (epoll, ticker) = (Epoll::new().unwrap(), Ticker::every(Duration::from_millis(1)).unwrap());
        epoll.add(ticker.as_fd(), 3, Interest::ReadEdge).unwrap();
        let mut events = Events::with_capacity(1);
        for _ in 0..3 {
            epoll.wait(&mut events, None).unwrap();
            assert_eq!(events.iter().map(|event| event.token()).collect::<Vec<_>>(), [3]);
            assert!(ticker.heard());
        }
    }
}
