//! timerfd: a tick that a loop hears in its epoll. A timeout of each wait would arm and disarm a timer every time,
//! which costs more than the rest of a short wait.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use crate::check;

/// A timer that ticks for ever. Watched edge-triggered, each tick is an event of its own; it is never read.
#[derive(Debug)]
pub struct Ticker {
    fd: OwnedFd,
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
            let fd = OwnedFd::from_raw_fd(check(libc::timerfd_create(libc::CLOCK_MONOTONIC, flags))?);
            check(libc::timerfd_settime(fd.as_raw_fd(), 0, &raw const times, std::ptr::null_mut()))?;
            Ok(Self { fd })
        }
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
    fn each_tick_of_an_unread_ticker_is_one_edge() {
        let (epoll, ticker) = (Epoll::new().unwrap(), Ticker::every(Duration::from_millis(1)).unwrap());
        epoll.add(ticker.as_fd(), 3, Interest::ReadEdge).unwrap();
        let mut events = Events::with_capacity(1);
        for _ in 0..3 {
            epoll.wait(&mut events, None).unwrap();
            assert_eq!(events.iter().map(|event| event.token()).collect::<Vec<_>>(), [3]);
        }
    }
}
