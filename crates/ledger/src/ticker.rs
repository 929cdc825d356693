//! The schedule of an open loop.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use crate::args::Plan;

/// Says when each request of a thread is due: request k at `start + phase + k * interval`, whatever became of those
/// before. A timer of the kernel, since the time-out of a poll is no finer than a millisecond.
#[derive(Debug)]
pub struct Ticker {
    timer: TimerFd,
    interval_ns: f64,
    phase_ns: f64,
    armed_for_ns: u64,
    /// The number of the next request.
    pub next: u64,
    /// The connection whose turn it is.
    pub turn: usize,
}

impl Ticker {
    /// For thread `index`; the timer's expiries are events with `token`.
    pub fn new(plan: &Plan, index: usize, registry: &Registry, token: Token) -> io::Result<Self> {
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC)?;
        // Never read: with edges, each expiry is an event of its own.
        registry.register(&mut SourceFd(&timer.as_fd().as_raw_fd()), token, Interest::READABLE)?;
        let between_ns = 1e9 / plan.rate;
        #[expect(clippy::cast_precision_loss, reason = "a few threads")]
        let (threads, index) = (plan.threads as f64, index as f64);
        let (interval_ns, phase_ns) = (between_ns * threads, between_ns * index);
        Ok(Self { timer, interval_ns, phase_ns, armed_for_ns: 0, next: 0, turn: 0 })
    }

    /// When the next request is due in a run that started then.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time")]
    pub fn due(&self, start_ns: u64) -> u64 {
        start_ns + (self.phase_ns + self.next as f64 * self.interval_ns) as u64
    }

    /// Makes the timer expire at `due_ns`, which is `wait` from now.
    pub fn arm(&mut self, due_ns: u64, wait: Duration) -> io::Result<()> {
        if self.armed_for_ns != due_ns {
            let wait = TimeSpec::from_duration(wait.max(Duration::from_nanos(1)));
            self.timer.set(Expiration::OneShot(wait), TimerSetTimeFlags::empty())?;
            self.armed_for_ns = due_ns;
        }
        Ok(())
    }
}
