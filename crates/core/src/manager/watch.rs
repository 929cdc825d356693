//! Who has had a record in hand for too long, and when to look again. Nobody tells the manager that a worker has
//! begun with a record; but one that begins now is not late before a whole limit has passed, so that one look in that
//! time misses nobody, and each is found when it becomes late.

use std::time::Duration;

use rotor_ipc::WorkerId;
use rotor_ipc::workers::{Generation, Held};

/// The limits, and what was found.
#[derive(Debug)]
pub(super) struct Watch {
    slow_ns: Option<u64>,
    hard_ns: Option<u64>,
    /// When to look again (monotonic ns).
    next_ns: u64,
    /// The last slow record of each seat: each is told of once.
    told: Vec<Option<(Generation, Held)>>,
}

/// A record in the hand of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hand {
    pub(super) worker: WorkerId,
    pub(super) seat: usize,
    pub(super) pid: i32,
    pub(super) generation: Generation,
    pub(super) held: Held,
    /// Until when it may be there, as its callback has said (monotonic ns).
    pub(super) until_ns: Option<u64>,
}

/// What a record is late for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// It is slow: `request_slowlog_timeout`.
    Slow,
    /// Its time is over: `request_timeout`.
    TimedOut,
}

impl Watch {
    /// Watches for workers that take longer than `slow`, and than `hard`.
    pub(super) fn new(slow: Option<Duration>, hard: Option<Duration>, seats: usize) -> Self {
        let limit = |time: Duration| u64::try_from(time.max(SHORTEST_LIMIT).as_nanos()).unwrap_or(u64::MAX);
        Self { slow_ns: slow.map(limit), hard_ns: hard.map(limit), next_ns: 0, told: vec![None; seats] }
    }

    /// When to look (monotonic ns); `None`: never.
    pub(super) fn next_ns(&self) -> Option<u64> {
        (self.slow_ns.is_some() || self.hard_ns.is_some()).then_some(self.next_ns)
    }

    /// A callback has said that it will take less time than it had: look at once.
    pub(super) fn hurry(&mut self) {
        self.next_ns = 0;
    }

    /// Those that have become late. Whoever is timed out is found at each look until it is gone.
    pub(super) fn look(&mut self, now_ns: u64, hands: impl Iterator<Item = Hand>) -> Vec<(Late, Hand)> {
        let Some(shortest_ns) = self.slow_ns.into_iter().chain(self.hard_ns).min() else { return Vec::new() };
        let mut late = Vec::new();
        self.next_ns = now_ns.saturating_add(shortest_ns);
        for hand in hands {
            let since_ns = hand.held.since_ns;
            let told = &mut self.told[hand.worker.index() * 2 + hand.seat];
            let record = Some((hand.generation, hand.held));
            if let Some(limit_ns) = self.slow_ns
                && *told != record
            {
                let due_ns = since_ns.saturating_add(limit_ns);
                if due_ns <= now_ns {
                    *told = record;
                    late.push((Late::Slow, hand));
                } else {
                    self.next_ns = self.next_ns.min(due_ns);
                }
            }
            if let Some(limit_ns) = self.hard_ns {
                let due_ns = hand.until_ns.unwrap_or(since_ns.saturating_add(limit_ns));
                if due_ns <= now_ns {
                    late.push((Late::TimedOut, hand));
                } else {
                    self.next_ns = self.next_ns.min(due_ns);
                }
            }
        }
        late
    }
}

/// A shorter limit would have the manager look all the time.
const SHORTEST_LIMIT: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use rotor_ipc::record::Kind;

    use super::*;

    const MS: u64 = 1_000_000;

    fn hand(worker: u32, position: u64, since_ms: u64) -> Hand {
        let held = Held { lane: 0, kind: Kind::Receive, position, session: 1, since_ns: since_ms * MS };
        Hand { worker: WorkerId(worker), seat: 0, pid: 100, generation: 2, held, until_ns: None }
    }

    fn watch(slow_ms: u64, hard_ms: u64) -> Watch {
        let limit = |ms| (ms > 0).then(|| Duration::from_millis(ms));
        Watch::new(limit(slow_ms), limit(hard_ms), 4)
    }

    #[test]
    fn without_limits_nobody_looks() {
        let mut watch = watch(0, 0);
        assert_eq!(watch.next_ns(), None);
        assert_eq!(watch.look(900 * MS, [hand(0, 1, 0)].into_iter()), []);
        assert_eq!(watch.next_ns(), None);
    }

    #[test]
    fn a_slow_record_is_told_of_once_and_when_it_becomes_slow() {
        let mut watch = watch(100, 0);
        assert_eq!(watch.look(0, [].into_iter()), []);
        assert_eq!(watch.next_ns(), Some(100 * MS), "a record that begins now is not slow before");
        assert_eq!(watch.look(100 * MS, [hand(0, 1, 30), hand(1, 1, 90)].into_iter()), []);
        assert_eq!(watch.next_ns(), Some(130 * MS), "the first of them");
        let slow = hand(0, 1, 30);
        assert_eq!(watch.look(130 * MS, [slow, hand(1, 1, 90)].into_iter()), [(Late::Slow, slow)]);
        assert_eq!(watch.next_ns(), Some(190 * MS), "the other");
        assert_eq!(watch.look(500 * MS, [slow].into_iter()), [], "once");
        assert_eq!(watch.next_ns(), Some(600 * MS));
        let next = hand(0, 2, 510);
        assert_eq!(watch.look(610 * MS, [next].into_iter()), [(Late::Slow, next)], "the next record is another");
        let successor = Hand { generation: 4, ..next };
        assert_eq!(watch.look(620 * MS, [successor].into_iter()), [(Late::Slow, successor)], "as is another process's");
    }

    #[test]
    fn a_record_is_timed_out_until_it_is_gone_and_as_its_callback_has_said() {
        let mut watch = watch(100, 1000);
        let late = hand(0, 1, 0);
        assert_eq!(watch.look(100 * MS, [late].into_iter()), [(Late::Slow, late)]);
        assert_eq!(watch.next_ns(), Some(200 * MS));
        assert_eq!(watch.look(950 * MS, [late].into_iter()), []);
        assert_eq!(watch.next_ns(), Some(1000 * MS));
        let extended = Hand { until_ns: Some(3000 * MS), ..late };
        assert_eq!(watch.look(2990 * MS, [extended].into_iter()), []);
        assert_eq!(watch.next_ns(), Some(3000 * MS));
        for _ in 0..2 {
            assert_eq!(watch.look(3000 * MS, [extended].into_iter()), [(Late::TimedOut, extended)]);
        }
        let shortened = Hand { until_ns: Some(3100 * MS), ..hand(0, 2, 3050) };
        watch.hurry();
        assert_eq!(watch.next_ns(), Some(0));
        assert_eq!(watch.look(3060 * MS, [shortened].into_iter()), []);
        assert_eq!(watch.next_ns(), Some(3100 * MS));
    }
}
