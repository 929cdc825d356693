//! Which CPUs a thread may run on, and whom it interrupts there.

use std::io;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The CPUs that the calling thread may use.
pub fn allowed_cpus() -> io::Result<Vec<u32>> {
    let set = sched_getaffinity(Pid::from_raw(0))?;
    Ok((0..CpuSet::count())
        .filter(|cpu| set.is_set(*cpu).unwrap_or(false))
        .filter_map(|cpu| u32::try_from(cpu).ok())
        .collect())
}

/// Binds the calling thread to one CPU.
pub fn pin_to(cpu: u32) -> io::Result<()> {
    set_allowed(&[cpu])
}

/// Lets the calling thread run on exactly these CPUs.
pub fn set_allowed(cpus: &[u32]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for cpu in cpus {
        set.set(usize::try_from(*cpu).unwrap_or(usize::MAX))?;
    }
    sched_setaffinity(Pid::from_raw(0), &set)?;
    Ok(())
}

/// When the calling thread wakes, it does not interrupt the thread that runs on its CPU (`SCHED_BATCH`). Its share of
/// the CPU stays the same.
pub fn interrupt_nobody() -> io::Result<()> {
    let parameter = libc::sched_param { sched_priority: 0 };
    // SAFETY: the parameter is read from a local.
    crate::check(unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const parameter) })?;
    Ok(())
}
