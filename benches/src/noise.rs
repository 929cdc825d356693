//! How much of the machine others used meanwhile.

use std::time::{Duration, Instant};
use std::{fs, io};

use ledger::proc;

/// A look at the machine and at our own processes.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    at: Instant,
    /// CPU time of everything, in ticks.
    busy_ticks: u64,
    own: Duration,
}

impl Look {
    /// Now.
    pub fn take() -> io::Result<Self> {
        let own = proc::cpu(i32::try_from(std::process::id()).unwrap_or(0))?.total;
        let busy_ticks = busy(&fs::read_to_string("/proc/stat")?)
            .ok_or_else(|| io::Error::other("/proc/stat is not as expected"))?;
        Ok(Self { at: Instant::now(), busy_ticks, own })
    }

    /// CPUs that were busy since then with what is not ours: other processes, and what the host took.
    pub fn others(&self) -> io::Result<f64> {
        let now = Self::take()?;
        let ticks = u32::try_from(now.busy_ticks.saturating_sub(self.busy_ticks)).unwrap_or(u32::MAX);
        let all = f64::from(ticks) / TICKS_PER_SECOND;
        let own = now.own.saturating_sub(self.own).as_secs_f64();
        Ok(((all - own) / now.at.duration_since(self.at).as_secs_f64()).max(0.0))
    }
}

/// user, nice, system, irq, softirq, steal; guests are part of user.
fn busy(stat: &str) -> Option<u64> {
    let fields: Vec<u64> =
        stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace().filter_map(|field| field.parse().ok()).collect();
    [0, 1, 2, 5, 6, 7].iter().map(|&index| fields.get(index).copied()).sum()
}

/// More than this many CPUs busy elsewhere make a round noisy.
pub const QUIET_BELOW: f64 = 0.20;
/// The kernel's unit in /proc on every architecture that PHP runs on.
const TICKS_PER_SECOND: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_waiting_are_not_busy_and_guests_do_not_count_twice() {
        assert_eq!(busy("cpu  1 2 4 1000 1000 8 16 32 1000 1000\ncpu0 1 1 1\n"), Some(63));
        assert_eq!(busy("intr 1"), None);
    }

    #[test]
    fn our_own_work_is_not_noise() {
        let look = Look::take().unwrap();
        let before = look.own;
        let end = Instant::now() + Duration::from_millis(200);
        while Instant::now() < end {}
        let now = Look::take().unwrap();
        assert!(now.own - before >= Duration::from_millis(20), "spinning shows as our own work");
        assert!(look.others().unwrap() >= 0.0);
    }
}
