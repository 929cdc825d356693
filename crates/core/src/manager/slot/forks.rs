//! How many processes a slot has been given lately.

use std::time::{Duration, Instant};

/// When the last processes were forked, as far back as a second matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecentForks {
    times: [Option<Instant>; MOST_A_SECOND],
    next: usize,
}

impl RecentForks {
    /// There is one more.
    pub fn note(&mut self, now: Instant) {
        self.times[self.next] = Some(now);
        self.next = (self.next + 1) % MOST_A_SECOND;
    }

    /// How long it is until another is allowed: the oldest of those that fill a second has to be a second old.
    pub fn room_after(&self, now: Instant) -> Duration {
        self.times[self.next].map_or(Duration::ZERO, |oldest| (oldest + SECOND).saturating_duration_since(now))
    }
}

/// However fruitful its processes are: a slot gets no more than so many in a second.
const MOST_A_SECOND: usize = 10;
const SECOND: Duration = Duration::from_secs(1);
