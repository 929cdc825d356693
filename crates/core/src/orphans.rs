//! What the master does as the first process of a container: whoever dies there leaves it its children, and nobody
//! else reaps them.
//!
//! Nothing tells an orphan from what user code has started in the master and waits for itself, so a child that is not
//! the server's own is left to user code for a moment after its end.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rotor_sys::process;

/// User code has so long to wait for what it has started, once that has ended.
const USER_CODE_WAITS: Duration = Duration::from_secs(1);
/// The list of processes is read no more often than this.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The ended children of this process that the server has not started itself.
#[derive(Debug, Default)]
pub struct Orphans {
    /// Since when each is known to have ended.
    ended: HashMap<i32, Instant>,
    looked: Option<Instant>,
}

impl Orphans {
    /// Reaps what has ended long enough ago. Does nothing unless this is the first process.
    pub fn reap(&mut self, now: Instant) {
        if process::id() != 1 || self.looked.is_some_and(|looked| now < looked + LOOK_EVERY) {
            return;
        }
        let Ok(Some(one)) = process::ended_child() else {
            self.ended.clear();
            return;
        };
        self.looked = Some(now);
        // Without /proc it is one after the other.
        let ended = process::ended_children().unwrap_or_else(|_| vec![one]);
        for pid in self.due(&ended, now) {
            // An error: user code was faster.
            let _ = process::reap(pid);
        }
    }

    /// Notes who has ended, and returns those whose time is over.
    fn due(&mut self, ended: &[i32], now: Instant) -> Vec<i32> {
        self.ended.retain(|pid, _| ended.contains(pid));
        for pid in ended {
            self.ended.entry(*pid).or_insert(now);
        }
        self.ended.extract_if(|_, since| *since + USER_CODE_WAITS <= now).map(|(pid, _)| pid).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_has_ended_is_left_to_user_code_for_a_moment() {
        let (mut orphans, begin) = (Orphans::default(), Instant::now());
        let half = USER_CODE_WAITS / 2;
        assert!(orphans.due(&[4, 5], begin).is_empty());
        // 5 was waited for by user code; 6 has ended later.
        assert!(orphans.due(&[4, 6], begin + half).is_empty());
        assert_eq!(orphans.due(&[4, 6], begin + USER_CODE_WAITS), [4]);
        // Its number is another process's by now.
        assert!(orphans.due(&[4], begin + USER_CODE_WAITS).is_empty());
        assert_eq!(orphans.due(&[4], begin + 2 * USER_CODE_WAITS), [4]);
    }
}
