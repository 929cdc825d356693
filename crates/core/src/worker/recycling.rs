//! When a worker has served, grown or lived long enough and asks for a successor.
//!
//! Limits that no worker can keep must not have the server fork for ever. What a worker has before its first message
//! its successors have, too: a `max_memory` below that is left out of account, and said. And a worker serves for a
//! while before it is too large or too old.

use std::io;
use std::time::Duration;

use rotor_sys::clock::{monotonic_ns, nanos};
use rotor_sys::memory::Resident;
use rotor_sys::random;

use crate::settings::Settings;

/// The memory is looked at no more often than this.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A ready worker is too large or too old no sooner than this.
const SERVES_AT_LEAST: Duration = Duration::from_secs(1);

/// What a worker watches in itself.
pub(super) struct Recycling {
    /// `max_request` and this process's share of `max_request_grace`.
    most_requests: Option<u64>,
    most_memory: Option<(u64, Resident)>,
    /// When `max_lifetime` is over (monotonic ns).
    until_ns: Option<u64>,
    /// Neither memory nor age is looked at before.
    next_look_ns: u64,
    has_asked: bool,
}

impl Recycling {
    /// For the process that calls, from now on; `None` where no setting asks for it.
    pub(super) fn of(settings: &Settings) -> io::Result<Option<Self>> {
        let now_ns = monotonic_ns();
        let recycling = Self {
            most_requests: settings.max_request.map(|most| most + random::up_to(settings.max_request_grace)),
            most_memory: settings
                .max_memory
                .map(|most| Ok::<_, io::Error>((most, Resident::of_this_process()?)))
                .transpose()?,
            until_ns: settings.max_lifetime.map(|time| now_ns.saturating_add(nanos(time))),
            next_look_ns: 0,
            has_asked: false,
        };
        let is_any =
            recycling.most_requests.is_some() || recycling.most_memory.is_some() || recycling.until_ns.is_some();
        Ok(is_any.then_some(recycling))
    }

    /// The worker is ready and has taken nothing yet. Returns what is wrong with the limits, if anything is.
    pub(super) fn begin(&mut self, now_ns: u64) -> Option<String> {
        self.next_look_ns = now_ns.saturating_add(nanos(SERVES_AT_LEAST));
        let (most, resident) = self.most_memory.as_ref()?;
        let (most, bytes) = (*most, resident.bytes().unwrap_or(0));
        if bytes < most {
            return None;
        }
        self.most_memory = None;
        Some(format!(
            "max_memory is less than what a worker has before its first message: it is not replaced for its memory; raise \
             max_memory; resident={bytes} max_memory={most}"
        ))
    }

    /// Why it is time, the first time that it is.
    pub(super) fn due(&mut self, requests: u64, now_ns: u64) -> Option<String> {
        if self.has_asked {
            return None;
        }
        let why = self.reached(requests, now_ns)?;
        self.has_asked = true;
        Some(why)
    }

    fn reached(&mut self, requests: u64, now_ns: u64) -> Option<String> {
        if let Some(most) = self.most_requests.filter(|most| requests >= *most) {
            return Some(format!("max_request is reached; requests={most}"));
        }
        if now_ns < self.next_look_ns {
            return None;
        }
        if self.until_ns.is_some_and(|until_ns| now_ns >= until_ns) {
            return Some("max_lifetime is over".to_owned());
        }
        if let Some((most, resident)) = &self.most_memory {
            self.next_look_ns = now_ns.saturating_add(nanos(LOOK_EVERY));
            // What cannot be read now may be read next time.
            let bytes = resident.bytes().unwrap_or(0);
            if bytes >= *most {
                return Some(format!("max_memory is reached; resident={bytes}"));
            }
        }
        None
    }

    /// How many messages were taken beyond the limit.
    pub(super) fn overshoot(&self, requests: u64) -> u64 {
        self.most_requests.map_or(0, |most| requests.saturating_sub(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watching(most_requests: Option<u64>, until_ns: Option<u64>, most_memory: Option<u64>) -> Recycling {
        let most_memory = most_memory.map(|most| (most, Resident::of_this_process().unwrap()));
        Recycling { most_requests, most_memory, until_ns, next_look_ns: 0, has_asked: false }
    }

    #[test]
    fn it_asks_at_the_very_request_that_reaches_the_limit_and_once() {
        let mut recycling = watching(Some(50), None, None);
        assert_eq!(recycling.due(49, 0), None);
        assert_eq!(recycling.due(50, 0).as_deref(), Some("max_request is reached; requests=50"));
        assert_eq!(recycling.due(51, 0), None);
        assert_eq!(recycling.overshoot(53), 3);
        assert_eq!(recycling.overshoot(12), 0, "it was replaced for another reason");
    }

    #[test]
    fn it_asks_when_its_time_is_over() {
        let mut recycling = watching(None, Some(1000), None);
        assert_eq!(recycling.due(1, 999), None);
        assert!(recycling.due(1, 1000).is_some());
    }

    #[test]
    fn a_worker_serves_for_a_while_before_it_is_too_old_or_too_large() {
        let mut recycling = watching(None, Some(0), Some(u64::MAX));
        assert_eq!(recycling.begin(1000), None);
        let end_ns = 1000 + nanos(SERVES_AT_LEAST);
        assert_eq!(recycling.due(1, end_ns - 1), None);
        assert!(recycling.due(1, end_ns).is_some());
        let mut counting = watching(Some(1), None, None);
        assert_eq!(counting.begin(1000), None);
        assert!(counting.due(1, 1001).is_some(), "max_request is exact");
    }

    #[test]
    fn a_limit_that_no_worker_can_keep_is_said_and_left_out_of_account() {
        let mut recycling = watching(None, None, Some(1));
        let why = recycling.begin(1000).unwrap();
        assert!(why.contains("raise max_memory; resident=") && why.ends_with("max_memory=1"), "{why}");
        assert_eq!(recycling.due(1, u64::MAX), None);
    }

    #[test]
    fn it_asks_when_it_has_grown_and_does_not_look_all_the_time() {
        let mut recycling = watching(None, None, Some(1));
        recycling.next_look_ns = 500;
        assert_eq!(recycling.due(1, 499), None);
        assert!(recycling.due(1, 500).unwrap().starts_with("max_memory is reached; resident="));
        assert_eq!(watching(None, None, Some(u64::MAX)).due(1, 0), None);
    }
}
