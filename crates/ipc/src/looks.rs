//! When a worker must look whether a reactor sleeps, and when the look may wait (P9).
//!
//! A look costs a fence, and a wake-up a system call; a callback that sends a hundred times in a row needs one.
//! A look is put off only while less than [`DEFER_NS`] lie between the clock *before* the publish of the last
//! record for which the worker looked and the clock *after* the publish of this one. The reactor takes the former
//! at or after the former clock and sleeps with a limit until a millisecond after that, then looks at its lanes:
//! it finds what was published by then. Two clocks, since the worker may lose the CPU at any point between.
//!
//! Once the worker waits itself, its sleep word is odd and the reactor may sleep without limit. So before any wait
//! the worker looks at all that it owes, and forgets when it looked.

/// So long after a look the next one may be put off, in nanoseconds.
pub const DEFER_NS: u64 = 50_000;

/// What a worker remembers of its looks at the sleep words of reactors.
#[derive(Debug)]
pub struct Looks {
    reactors: Vec<Look>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Look {
    /// The clock before the publish of the last record that was looked for.
    since_ns: Option<u64>,
    owed: bool,
}

impl Looks {
    /// Nothing looked at, nothing owed.
    pub fn new(reactors: usize) -> Self {
        Self { reactors: vec![Look::default(); reactors] }
    }

    /// Something was published to `reactor` between the two clocks (monotonic ns). Says whether the worker must
    /// look at its sleep word now; if not, it owes the look.
    pub fn published(&mut self, reactor: usize, before_ns: u64, after_ns: u64) -> bool {
        let look = &mut self.reactors[reactor];
        look.owed = look.since_ns.is_some_and(|since_ns| after_ns.saturating_sub(since_ns) < DEFER_NS);
        if !look.owed {
            look.since_ns = Some(before_ns);
        }
        !look.owed
    }

    /// The reactors whose look was put off and not made up for since.
    pub fn owed(&self) -> impl Iterator<Item = usize> {
        self.reactors.iter().enumerate().filter(|(_, look)| look.owed).map(|(reactor, _)| reactor)
    }

    /// The worker is about to wait and has looked at all it owed.
    pub fn forget(&mut self) {
        self.reactors.fill(Look::default());
    }
}
