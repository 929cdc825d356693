//! Times as PHP has them.

/// Seconds with their fraction: a float holds microseconds exactly until the year 2255.
#[expect(clippy::cast_precision_loss, reason = "see above")]
pub fn seconds(time_us: u64) -> f64 {
    time_us as f64 / 1e6
}

/// Seconds without it.
pub fn whole_seconds(time_us: u64) -> i64 {
    i64::try_from(time_us / 1_000_000).unwrap_or(i64::MAX)
}
