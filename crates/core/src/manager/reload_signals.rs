//! Which signals that ask for a reload are one: whoever signals all processes of a group reaches master and manager.

/// What is remembered of the signals that have come.
#[derive(Debug, Default)]
pub(super) struct ReloadSignals {
    /// The last one that the other process has not had as well, and when it came (monotonic ns).
    alone: Option<(By, u64)>,
    /// When the last reload was over (monotonic ns).
    over_ns: u64,
}

/// Which process a signal has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Master,
    Manager,
}

impl ReloadSignals {
    /// Whether a signal that came to this process asks for a reload of its own: not if the other process has had it
    /// within half a second. Two that come to the same process are two, however soon.
    pub(super) fn counts(&mut self, by: By, came_ns: u64) -> bool {
        let is_same = self.alone.is_some_and(|(other, at_ns)| {
            let is_behind_its_reload = self.over_ns > at_ns && came_ns > self.over_ns;
            other != by && came_ns.abs_diff(at_ns) < SAME_NS && !is_behind_its_reload
        });
        self.alone = if is_same { None } else { Some((by, came_ns)) };
        !is_same
    }

    /// A reload is over (monotonic ns): what comes from then on asks for another.
    pub(super) fn is_over(&mut self, now_ns: u64) {
        self.over_ns = now_ns;
    }
}

/// Master and manager get one signal at about the same time, unless one of them waits for a CPU.
const SAME_NS: u64 = 500_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn counted<const N: usize>(signals: [(By, u64); N]) -> [bool; N] {
        let mut seen = ReloadSignals::default();
        signals.map(|(by, at_ms)| seen.counts(by, at_ms * MS))
    }

    #[test]
    fn one_that_comes_to_both_counts_once() {
        assert_eq!(counted([(By::Manager, 5000), (By::Master, 5001)]), [true, false]);
        assert_eq!(counted([(By::Master, 5001), (By::Manager, 5000)]), [true, false], "whoever takes note first");
        let twice = [(By::Master, 0), (By::Manager, 1), (By::Manager, 30), (By::Master, 31)];
        assert_eq!(counted(twice), [true, false, true, false]);
    }

    #[test]
    fn two_that_come_to_one_process_are_two() {
        assert_eq!(counted([(By::Master, 0), (By::Master, 1), (By::Master, 2)]), [true, true, true]);
        assert_eq!(counted([(By::Manager, 0), (By::Master, 1), (By::Master, 2)]), [true, false, true]);
    }

    #[test]
    fn those_that_lie_far_apart_are_two() {
        assert_eq!(counted([(By::Master, 0), (By::Manager, 500)]), [true, true]);
        assert_eq!(counted([(By::Master, 0), (By::Manager, 500), (By::Master, 999)]), [true, true, false]);
    }

    #[test]
    fn one_that_comes_when_the_reload_is_over_is_another() {
        let mut seen = ReloadSignals::default();
        assert!(seen.counts(By::Master, 0));
        seen.is_over(30 * MS);
        assert!(seen.counts(By::Manager, 50 * MS));
        seen.is_over(80 * MS);
        assert!(!seen.counts(By::Master, 50 * MS), "it has come before, and the master was busy");
    }
}
