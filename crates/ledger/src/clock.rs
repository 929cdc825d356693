//! The time of a run and what its threads share.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::args::{Extent, Plan};

/// What the threads of a run share.
#[derive(Debug)]
pub struct Shared {
    origin: Instant,
    next_connection: AtomicU32,
    start_ns: AtomicU64,
    /// Answered requests, brought up to date by each thread once in a turn of its loop.
    pub answered: AtomicU64,
    /// Threads whose load is over.
    pub over: AtomicUsize,
    /// The threads and the one that measures the server meet here between the stages of a run.
    pub stage: Barrier,
}

/// When load starts, counts, and ends, in nanoseconds of the run's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first request.
    pub start_ns: u64,
    /// From here on latencies and rates count.
    pub measured_ns: u64,
    /// No request is issued from here on; the far future when a number of messages ends the run.
    pub end_ns: u64,
}

impl Shared {
    /// For a run of this many threads.
    pub fn new(threads: usize) -> Self {
        Self {
            origin: Instant::now(),
            next_connection: AtomicU32::new(0),
            start_ns: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            over: AtomicUsize::new(0),
            stage: Barrier::new(threads + 1),
        }
    }

    /// The run's clock.
    pub fn now_ns(&self) -> u64 {
        nanos(self.origin.elapsed())
    }

    /// A number for a new connection.
    pub fn next_connection(&self) -> u32 {
        self.next_connection.fetch_add(1, Relaxed)
    }

    /// Starts the load; the barrier behind this call makes it visible.
    pub fn start(&self) {
        self.start_ns.store(self.now_ns(), Relaxed);
    }

    /// The window of a run that has started.
    pub fn window(&self, plan: &Plan) -> Window {
        let start_ns = self.start_ns.load(Relaxed);
        let measured_ns = start_ns + nanos(plan.warmup);
        let end_ns = match plan.extent {
            Extent::Time(time) => measured_ns + nanos(time),
            Extent::Messages(_) => u64::MAX,
        };
        Window { start_ns, measured_ns, end_ns }
    }

    /// How long it is until then.
    pub fn until(&self, then_ns: u64) -> Duration {
        Duration::from_nanos(then_ns.saturating_sub(self.now_ns()))
    }
}

/// A duration in nanoseconds; the longest for what does not fit.
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
