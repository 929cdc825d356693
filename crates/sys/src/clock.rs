//! The clocks: one for durations, one for dates.

use std::time::Duration;

fn read(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec that the call fills; the clock ids used below always exist on Linux.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    let duration = Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0));
    nanos(duration)
}

/// A duration in the unit of [`monotonic_ns`]; what does not fit is the longest.
pub fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Nanoseconds of the monotonic clock, the same in all processes of this machine.
pub fn monotonic_ns() -> u64 {
    read(libc::CLOCK_MONOTONIC)
}

/// Microseconds since 1970.
pub fn unix_us() -> u64 {
    read(libc::CLOCK_REALTIME) / 1000
}
