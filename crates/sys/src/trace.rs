//! Looking into another process: its memory, whether it waits in the kernel, and holding it still for a moment.
//!
//! A process that waits in the kernel is still by itself, and is read without being touched: a stop ends some system
//! calls early. One that runs is stopped by ptrace, which its own code cannot see. Nothing here takes a wait status
//! away from whoever reaps the process.

use std::io;
use std::time::{Duration, Instant};

use crate::{check, process};

/// The memory of a process that this one may trace, or its own.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    pid: i32,
}

impl Memory {
    /// Of that process.
    pub fn of(pid: i32) -> Self {
        Self { pid }
    }

    /// Fills `into` from `address` on, or fails; the process may be changing what is read.
    pub fn read(&self, address: usize, into: &mut [u8]) -> io::Result<()> {
        let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
        let remote = libc::iovec { iov_base: std::ptr::without_provenance_mut(address), iov_len: into.len() };
        // SAFETY: the kernel writes to the local range, which is `into`, and checks the remote one itself.
        let read = unsafe { libc::process_vm_readv(self.pid, &raw const local, 1, &raw const remote, 1, 0) };
        if check(read)?.cast_unsigned() < into.len() {
            return Err(io::Error::from_raw_os_error(libc::EFAULT));
        }
        Ok(())
    }
}

/// What the scheduler says about a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// The letter of its state: `R` runs or wants to, `S` and `D` wait in the kernel, `T` is stopped by a signal.
    pub state: char,
    /// How often it has been switched away from.
    pub switches: u64,
    /// The process that traces it; 0: none.
    pub tracer: i32,
}

impl Pulse {
    /// Feels it.
    pub fn of(pid: i32) -> io::Result<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        Self::parse(&status).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn parse(status: &str) -> Option<Self> {
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let count = |name: &str| field(name)?.parse::<u64>().ok();
        Some(Self {
            state: field("State:")?.chars().next()?,
            switches: count("voluntary_ctxt_switches:")?.wrapping_add(count("nonvoluntary_ctxt_switches:")?),
            tracer: field("TracerPid:")?.parse().ok()?,
        })
    }

    /// Whether it does nothing before somebody wakes it.
    pub fn is_still(&self) -> bool {
        matches!(self.state, 'S' | 'D' | 'T' | 't' | 'I')
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// Whether this process may look into another: fails with the reason. `EPERM`: it may not.
pub fn may_look(pid: i32) -> io::Result<()> {
    // Something that is at the same address in any fork of this process.
    static ANYTHING: u8 = 1;
    Memory::of(pid).read((&raw const ANYTHING).addr(), &mut [0])
}

/// Where in the kernel a process waits, as the name of a function; `None` where it does not, or the kernel does not say.
pub fn waits_in(pid: i32) -> Option<String> {
    let place = std::fs::read_to_string(format!("/proc/{pid}/wchan")).ok()?;
    let place = place.trim();
    (!place.is_empty() && place != "0").then(|| place.to_owned())
}

/// Lets `tracer` and the processes that it has forked trace this one, where the kernel (Yama) allows that to forebears
/// alone. Where it makes no such difference this does nothing.
pub fn allow(tracer: i32) {
    // SAFETY: no pointers. EINVAL: there is no Yama.
    unsafe { libc::prctl(libc::PR_SET_PTRACER, libc::c_long::from(tracer), 0, 0, 0) };
}

/// A process that is held still, or will be as soon as the kernel gets to it.
///
/// Dropping it lets the process go on. One that the kernel has not got to yet cannot be let go: whoever has to go on
/// meanwhile keeps this, and [waits](Self::wait) again later. The kernel lets it go when the process that holds it ends.
#[derive(Debug)]
pub struct Hold {
    pid: i32,
    holder: u32,
}

/// What became of a [`Hold`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stillness {
    /// The process is held.
    Held,
    /// The kernel has not got to it yet.
    NotYet,
    /// The process has ended.
    Over,
}

impl Hold {
    /// Begins to hold a process.
    pub fn begin(pid: i32) -> io::Result<Self> {
        request(libc::PTRACE_SEIZE, pid, 0)?;
        let hold = Self { pid, holder: std::process::id() };
        // ESRCH: it has just ended, which the wait finds.
        let _ = request(libc::PTRACE_INTERRUPT, pid, 0);
        Ok(hold)
    }

    /// Waits until the process is held, or has ended, or `patience` is over.
    pub fn wait(&self, patience: Duration) -> Stillness {
        let end = Instant::now() + patience;
        let mut pause = SHORTEST_PAUSE;
        loop {
            if self.signal_at_hand().is_ok() {
                return Stillness::Held;
            }
            if has_ended(self.pid) {
                return Stillness::Over;
            }
            if Instant::now() >= end {
                return Stillness::NotYet;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// What a held process has in its registers, in the order of the machine.
    pub fn registers(&self) -> io::Result<Vec<usize>> {
        let mut words = [0_usize; MOST_REGISTERS];
        let mut range = libc::iovec { iov_base: words.as_mut_ptr().cast(), iov_len: size_of_val(&words) };
        // SAFETY: the kernel fills the range, which is a local, and shortens it to what it has filled.
        let done = unsafe {
            let set = std::ptr::without_provenance_mut::<libc::c_void>(NT_PRSTATUS);
            libc::ptrace(libc::PTRACE_GETREGSET, self.pid, set, &raw mut range)
        };
        check(done)?;
        Ok(words[..range.iov_len.min(size_of_val(&words)) / size_of::<usize>()].to_vec())
    }

    /// The signal that the process was about to receive when it was held; 0: none. Fails while it is not held.
    fn signal_at_hand(&self) -> io::Result<i32> {
        // SAFETY: all zeros are a siginfo.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        match request(libc::PTRACE_GETSIGINFO, self.pid, (&raw mut info).expose_provenance()) {
            Ok(()) if info.si_code >> 8 == libc::PTRACE_EVENT_STOP => Ok(0),
            Ok(()) => Ok(info.si_signo),
            // Held while a signal has stopped it: it stays stopped afterwards.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(0),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.holder != std::process::id() {
            // A copy in a forked process: the hold is its parent's.
            return;
        }
        for _ in 0..2 {
            match self.wait(LAST_PATIENCE) {
                Stillness::Held => {
                    let signal = self.signal_at_hand().unwrap_or(0);
                    if request(libc::PTRACE_DETACH, self.pid, usize::try_from(signal).unwrap_or(0)).is_ok() {
                        return;
                    }
                    // It has been killed this very moment: its end comes next.
                }
                Stillness::Over => return pass_on_end_of(self.pid),
                Stillness::NotYet => return,
            }
        }
    }
}

/// A process that has ended while this one held it: its parent, if that is another one, learns of it only once this one
/// has waited for it.
fn pass_on_end_of(pid: i32) {
    if process::state_and_parent(pid).is_some_and(|(_, parent)| parent != process::id()) {
        // SAFETY: the kernel tells nothing that is wanted here. An error: it was nobody's any more.
        unsafe {
            libc::waitid(
                libc::P_PID,
                pid.cast_unsigned(),
                std::ptr::null_mut(),
                libc::WEXITED | libc::WNOHANG | libc::__WALL,
            )
        };
    }
}

/// A ptrace request without an address.
fn request(request: libc::c_uint, pid: i32, data: usize) -> io::Result<()> {
    // SAFETY: `data` is a number, or for PTRACE_GETSIGINFO the address of a siginfo that the caller has.
    let done = unsafe { libc::ptrace(request, pid, std::ptr::null_mut::<libc::c_void>(), data) };
    check(done)?;
    Ok(())
}

/// Whether a child, or a process that this one traces, has ended; whoever reaps it still sees how.
fn has_ended(pid: i32) -> bool {
    // SAFETY: the kernel fills a local; all zeros are a siginfo.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT | libc::__WALL;
        let found = libc::waitid(libc::P_PID, pid.cast_unsigned(), &raw mut info, flags);
        // A process that this one traces is reported when it stops, too, asked for or not. ECHILD: somebody has reaped it.
        let is_end = matches!(info.si_code, libc::CLD_EXITED | libc::CLD_KILLED | libc::CLD_DUMPED);
        found < 0 || (info.si_pid() == pid && is_end)
    }
}

/// More than any machine's.
const MOST_REGISTERS: usize = 64;
/// The set of general registers.
const NT_PRSTATUS: usize = 1;
const SHORTEST_PAUSE: Duration = Duration::from_micros(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(1);
/// A process that is not held within this time is left to be let go by the end of this one.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::memory::SharedMemory;
    use crate::process::Fork;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Runs `body` in a child, which has ended when the test has.
    struct Child(i32);

    impl Child {
        fn run(body: impl FnOnce()) -> Self {
            match process::fork().unwrap() {
                Fork::Parent { child } => Self(child),
                Fork::Child => {
                    let _ = process::die_with_parent();
                    body();
                    process::exit_now(0)
                }
            }
        }

        fn wait(self) -> process::Exit {
            loop {
                if let Some(exit) = process::reap(self.0).unwrap() {
                    std::mem::forget(self);
                    return exit;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }

    impl Drop for Child {
        fn drop(&mut self) {
            // The test has failed: nothing of it is left behind.
            let _ = process::kill(self.0, libc::SIGKILL);
        }
    }

    fn shared_words() -> &'static [AtomicU64; 2] {
        let memory = SharedMemory::create(c"rotor-test", crate::memory::page_size()).unwrap();
        // SAFETY: within the mapping and aligned; zero is a valid value.
        unsafe { memory.place::<[AtomicU64; 2]>(0).as_ref() }
    }

    #[test]
    fn a_running_process_is_held_read_and_goes_on() {
        let words = shared_words();
        let private = Box::new([7_u8, 8, 9]);
        let child = Child::run(|| {
            while words[1].load(Ordering::Relaxed) == 0 {
                words[0].fetch_add(1, Ordering::Relaxed);
            }
        });
        for _ in 0..20 {
            let hold = Hold::begin(child.0).unwrap();
            assert_eq!(hold.wait(PATIENCE), Stillness::Held);
            let count = words[0].load(Ordering::Relaxed);
            let mut read = [0; 3];
            Memory::of(child.0).read(private.as_ptr().addr(), &mut read).unwrap();
            assert_eq!(read, *private);
            assert!(Memory::of(child.0).read(8, &mut read).is_err());
            std::thread::sleep(Duration::from_millis(1));
            assert_eq!(words[0].load(Ordering::Relaxed), count, "it is held");
            assert!(hold.registers().unwrap().len() > 16, "those of its mode, at least");
            drop(hold);
            while words[0].load(Ordering::Relaxed) == count {}
        }
        words[1].store(1, Ordering::Relaxed);
        assert!(child.wait().is_clean());
    }

    #[test]
    fn a_signal_that_comes_while_a_process_is_held_is_delivered_and_its_end_is_left_to_the_reaper() {
        for signal in [libc::SIGTERM, libc::SIGKILL] {
            let child = Child::run(|| std::thread::sleep(PATIENCE));
            let hold = Hold::begin(child.0).unwrap();
            assert_eq!(hold.wait(PATIENCE), Stillness::Held);
            process::kill(child.0, signal).unwrap();
            drop(hold);
            assert_eq!(child.wait().signal, signal);
        }
        let child = Child::run(|| std::thread::sleep(PATIENCE));
        process::kill(child.0, libc::SIGTERM).unwrap();
        // Whichever comes first, the hold or the signal.
        if let Ok(hold) = Hold::begin(child.0) {
            hold.wait(PATIENCE);
        }
        assert_eq!(child.wait().signal, libc::SIGTERM);
    }

    #[test]
    fn the_end_of_a_process_that_another_one_holds_reaches_its_parent() {
        let (words, parent) = (shared_words(), process::id());
        let child = Child::run(|| {
            allow(parent);
            std::thread::sleep(PATIENCE);
        });
        let held = child.0;
        let holder = Child::run(|| {
            let hold = loop {
                match Hold::begin(held) {
                    Ok(hold) => break hold,
                    // It has not allowed it yet.
                    Err(_) => std::thread::sleep(Duration::from_millis(1)),
                }
            };
            hold.wait(PATIENCE);
            words[0].store(1, Ordering::Relaxed);
            while words[1].load(Ordering::Relaxed) == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            drop(hold);
            std::thread::sleep(PATIENCE);
        });
        while words[0].load(Ordering::Relaxed) == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        process::kill(child.0, libc::SIGKILL).unwrap();
        words[1].store(1, Ordering::Relaxed);
        assert_eq!(child.wait().signal, libc::SIGKILL);
        assert_eq!(process::reap(holder.0).unwrap(), None, "it lives on");
        process::kill(holder.0, libc::SIGKILL).unwrap();
        holder.wait();
    }

    #[test]
    fn a_process_that_a_signal_has_stopped_stays_stopped() {
        let child = Child::run(|| std::thread::sleep(PATIENCE));
        process::kill(child.0, libc::SIGSTOP).unwrap();
        while Pulse::of(child.0).unwrap().state != 'T' {}
        let hold = Hold::begin(child.0).unwrap();
        assert_eq!(hold.wait(PATIENCE), Stillness::Held);
        drop(hold);
        // It wakes up to stop again.
        while Pulse::of(child.0).unwrap().state != 'T' {}
        assert_eq!(Pulse::of(child.0).unwrap().tracer, 0);
        process::kill(child.0, libc::SIGKILL).unwrap();
        assert_eq!(child.wait().signal, libc::SIGKILL);
    }

    #[test]
    fn a_waiting_process_is_told_from_a_running_one() {
        let words = shared_words();
        let child = Child::run(|| {
            while words[1].load(Ordering::Relaxed) == 0 {}
            std::thread::sleep(PATIENCE);
        });
        assert!(!Pulse::of(child.0).unwrap().is_still());
        words[1].store(1, Ordering::Relaxed);
        while !Pulse::of(child.0).unwrap().is_still() {}
        let before = Pulse::of(child.0).unwrap();
        assert_eq!(Pulse::of(child.0).unwrap(), before, "it sleeps on");
        process::kill(child.0, libc::SIGKILL).unwrap();
        while !Pulse::of(child.0).unwrap().is_over() {}
        let pid = child.0;
        assert_eq!(child.wait().signal, libc::SIGKILL);
        assert!(Pulse::of(pid).is_err());
    }
}
