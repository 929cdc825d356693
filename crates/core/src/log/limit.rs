//! Lines that clients can cause, kept to a few a second: for each place in the code that says one, in each process.

use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::line::split;
use crate::settings::LogLevel;

/// The places that have said something, and how much.
#[derive(Debug, Default)]
pub struct Limits {
    sites: Mutex<Vec<Site>>,
    /// Whether any of them has been silenced; looked at often, hence beside the lock.
    has_silenced: AtomicBool,
}

#[derive(Debug)]
struct Site {
    place: &'static Location<'static>,
    /// When its current second began.
    began: Instant,
    /// Lines in it that were written.
    written: u32,
    /// And those that were not.
    silenced: u64,
    /// What they are like: the first one of the second.
    like: Option<Like>,
}

/// A line, as far as a summary of others needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Like {
    /// Its speaker.
    pub who: Arc<str>,
    /// Its level.
    pub level: LogLevel,
    /// Its event.
    pub event: String,
}

/// Lines that were not written.
#[derive(Debug, PartialEq, Eq)]
pub struct Summary {
    /// How many.
    pub count: u64,
    /// One of the kind that was.
    pub like: Like,
}

/// What becomes of a line.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is written, after the summary of the second before. `Limits::is_like` is told of the first of its second.
    Write {
        /// Whether it is the first of its second.
        is_first: bool,
        /// What there is to say before.
        summary: Option<Summary>,
    },
    /// It is counted.
    Silence,
}

impl Limits {
    /// A line of `level` that `place` wants to say.
    pub fn ask(&self, place: &'static Location<'static>, level: LogLevel, now: Instant) -> Verdict {
        let mut sites = self.sites.lock();
        let number = sites.iter().position(|site| site.place == place).unwrap_or_else(|| {
            sites.push(Site { place, began: now, written: 0, silenced: 0, like: None });
            sites.len() - 1
        });
        let site = &mut sites[number];
        let summary = if site.is_over(now) { site.begin_anew(now) } else { None };
        if site.written >= lines_a_second(level) {
            site.silenced += 1;
            self.has_silenced.store(true, Ordering::Relaxed);
            return Verdict::Silence;
        }
        site.written += 1;
        Verdict::Write { is_first: site.written == 1, summary }
    }

    /// What the lines of `place` are like.
    pub fn is_like(&self, place: &'static Location<'static>, like: Like) {
        if let Some(site) = self.sites.lock().iter_mut().find(|site| site.place == place) {
            site.like = Some(like);
        }
    }

    /// Summaries of seconds that are over; at the end of a process, of all.
    pub fn due(&self, now: Instant, is_end: bool) -> Vec<Summary> {
        if !self.has_silenced.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let mut sites = self.sites.lock();
        let due: Vec<_> = sites
            .iter_mut()
            .filter(|site| site.silenced > 0 && (is_end || site.is_over(now)))
            .filter_map(|site| site.begin_anew(now))
            .collect();
        self.has_silenced.store(sites.iter().any(|site| site.silenced > 0), Ordering::Relaxed);
        due
    }

    /// Forgets all: a child says nothing of what its parent did not.
    pub fn forget(&self) {
        self.sites.lock().clear();
        self.has_silenced.store(false, Ordering::Relaxed);
    }
}

impl Site {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.began) >= SECOND
    }

    fn begin_anew(&mut self, now: Instant) -> Option<Summary> {
        self.began = now;
        self.written = 0;
        let count = std::mem::take(&mut self.silenced);
        let like = self.like.take();
        like.filter(|_| count > 0).map(|like| Summary { count, like })
    }
}

impl Summary {
    /// The line that says so. Whose facts the one line had does not matter for the others.
    pub fn event(&self) -> String {
        let (like, _) = split(&self.like.event);
        format!("{} more like this were not written: {like}; suppressed={}", self.count, self.count)
    }
}

/// How many lines a place may say in a second.
fn lines_a_second(level: LogLevel) -> u32 {
    if level >= LogLevel::Warning { OF_TROUBLE } else { OF_CONNECTIONS }
}

/// Warnings and errors: the next one says nothing that the first ten did not.
const OF_TROUBLE: u32 = 10;
/// Below that, each line is about another connection, and whoever asks for them wants them.
const OF_CONNECTIONS: u32 = 100;
const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn like(event: &str) -> Like {
        Like { who: "worker=1".into(), level: LogLevel::Warning, event: event.into() }
    }

    /// Says `times` lines at one place; how many were written, and the summaries that came with them.
    fn say(limits: &Limits, place: &'static Location<'static>, times: u32, now: Instant) -> (u32, Vec<String>) {
        let (mut written, mut summaries) = (0, Vec::new());
        for _ in 0..times {
            if let Verdict::Write { is_first, summary } = limits.ask(place, LogLevel::Warning, now) {
                written += 1;
                summaries.extend(summary.map(|summary| summary.event()));
                if is_first {
                    limits.is_like(place, like("refused; session=7"));
                }
            }
        }
        (written, summaries)
    }

    #[test]
    fn ten_lines_a_second_are_written_and_the_next_second_says_how_many_were_not() {
        let (limits, place, now) = (Limits::default(), Location::caller(), Instant::now());
        assert_eq!(say(&limits, place, 25, now), (10, vec![]));
        assert_eq!(say(&limits, place, 5, now + SECOND / 2), (0, vec![]));
        let summary = "20 more like this were not written: refused; suppressed=20";
        assert_eq!(say(&limits, place, 3, now + SECOND), (3, vec![summary.to_owned()]));
        assert_eq!(say(&limits, place, 3, now + SECOND * 3), (3, vec![]));
    }

    #[test]
    fn a_place_that_says_nothing_more_is_summed_up_when_its_second_is_over_or_the_process_ends() {
        let (limits, now) = (Limits::default(), Instant::now());
        let (one, other) = (Location::caller(), here());
        say(&limits, one, 12, now);
        say(&limits, other, 11, now + SECOND / 2);
        let counts = |due: Vec<Summary>| due.iter().map(|summary| summary.count).collect::<Vec<_>>();
        assert_eq!(counts(limits.due(now, false)), [0; 0]);
        assert_eq!(counts(limits.due(now + SECOND, false)), [2]);
        assert_eq!(counts(limits.due(now + SECOND, true)), [1]);
        assert_eq!(counts(limits.due(now + SECOND * 9, true)), [0; 0]);
    }

    #[test]
    fn places_do_not_silence_each_other_and_connections_have_more_lines() {
        let (limits, now) = (Limits::default(), Instant::now());
        assert_eq!(say(&limits, Location::caller(), 100, now).0, 10);
        assert_eq!(say(&limits, here(), 4, now).0, 4);
        let place = third();
        let written = |_: &i32| limits.ask(place, LogLevel::Info, now) != Verdict::Silence;
        assert_eq!((0..1000).filter(written).count(), 100);
    }

    #[test]
    fn a_child_begins_anew() {
        let (limits, place, now) = (Limits::default(), Location::caller(), Instant::now());
        say(&limits, place, 100, now);
        limits.forget();
        assert_eq!(limits.due(now + SECOND, true), []);
        assert_eq!(say(&limits, place, 100, now).0, 10);
    }

    fn here() -> &'static Location<'static> {
        Location::caller()
    }

    fn third() -> &'static Location<'static> {
        Location::caller()
    }
}
