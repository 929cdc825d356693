//! Latencies and rates of one thread, or of all.

use hdrhistogram::Histogram;

use crate::clock::Window;

/// What was measured of the answers.
#[derive(Debug, Clone)]
pub struct Measure {
    window: Window,
    /// Whether latency counts by when the request was due; else by when its answer came.
    is_open_loop: bool,
    late_ns: u64,
    latencies: Histogram<u64>,
    /// Answers that came inside the window.
    pub answered: u64,
    /// Answers that came late, at any time.
    pub late: u64,
    /// When the last answer came.
    pub last_ns: u64,
}

impl Measure {
    /// Nothing yet.
    pub fn new(window: Window, is_open_loop: bool, late_ns: u64) -> Self {
        let latencies = Histogram::new_with_bounds(1, LONGEST_NS, 3).expect("the bounds are valid");
        Self { window, is_open_loop, late_ns, latencies, answered: 0, late: 0, last_ns: 0 }
    }

    /// Takes an answer that came now.
    pub fn answer(&mut self, due_ns: u64, now_ns: u64) {
        let latency = now_ns.saturating_sub(due_ns);
        self.late += u64::from(latency > self.late_ns);
        self.last_ns = now_ns;
        let is_inside = (self.window.measured_ns..self.window.end_ns).contains(&now_ns);
        self.answered += u64::from(is_inside);
        if if self.is_open_loop { due_ns >= self.window.measured_ns } else { is_inside } {
            self.latencies.saturating_record(latency);
        }
    }

    /// Adds what another thread measured.
    pub fn add(&mut self, other: &Self) {
        self.latencies.add(&other.latencies).expect("both have the same bounds");
        self.answered += other.answered;
        self.late += other.late;
        self.last_ns = self.last_ns.max(other.last_ns);
    }

    /// The latency that this share of the answers did not exceed, in microseconds.
    pub fn quantile_us(&self, share: f64) -> f64 {
        microseconds(self.latencies.value_at_quantile(share))
    }

    /// The longest latency, in microseconds.
    pub fn max_us(&self) -> f64 {
        microseconds(self.latencies.max())
    }

    /// The mean latency, in microseconds.
    pub fn mean_us(&self) -> f64 {
        self.latencies.mean() / 1000.0
    }

    /// How many latencies there are.
    pub fn samples(&self) -> u64 {
        self.latencies.len()
    }
}

fn microseconds(ns: u64) -> f64 {
    std::time::Duration::from_nanos(ns).as_secs_f64() * 1e6
}

/// Ten minutes; what takes longer counts as this.
const LONGEST_NS: u64 = 600_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { start_ns: 0, measured_ns: 1000, end_ns: 2000 };

    #[test]
    fn a_closed_loop_counts_what_came_inside_the_window() {
        let mut measure = Measure::new(WINDOW, false, 100);
        for (due, now) in [(0, 999), (900, 1000), (1500, 1600), (1950, 2000)] {
            measure.answer(due, now);
        }
        assert_eq!((measure.answered, measure.samples(), measure.late), (2, 2, 1));
    }

    #[test]
    fn an_open_loop_counts_what_was_due_inside_the_window_however_late_it_came() {
        let mut measure = Measure::new(WINDOW, true, u64::MAX);
        for (due, now) in [(900, 1000), (1500, 1600), (1950, 9000)] {
            measure.answer(due, now);
        }
        assert_eq!((measure.answered, measure.samples()), (2, 2));
        assert!((measure.max_us() - 7.05).abs() < 0.01);
    }
}
