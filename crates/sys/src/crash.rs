//! A crash that waits to be looked at: a process that gets a deadly signal says so in shared memory, rings, and holds
//! still until somebody has looked at it, or nobody comes. Then its signal does what it would have done without us.

use std::cell::UnsafeCell;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::check;
use crate::eventfd::write_raw;

/// What a process says about its crash, in memory that it shares with who looks. Zero is a process that has not crashed.
#[repr(C)]
#[derive(Debug, Default)]
pub struct Story {
    signal: AtomicU32,
    code: AtomicU32,
    place: AtomicU64,
    over: AtomicU32,
}

/// What a [`Story`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// The signal.
    pub signal: i32,
    /// Where it comes from.
    pub cause: Cause,
}

/// Where a deadly signal comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An instruction, and the address that it used or was at.
    Address(u64),
    /// A process.
    Sender(i32),
}

impl Story {
    /// There is a new process: nothing has been said.
    pub fn begin(&self) {
        self.signal.store(0, Ordering::Relaxed);
        self.over.store(0, Ordering::Relaxed);
    }

    /// The crash of a process that waits to be looked at.
    pub fn crash(&self) -> Option<Crash> {
        // Pairs with the Release of `tell`.
        let signal = self.signal.load(Ordering::Acquire);
        if signal == 0 || self.over.load(Ordering::Relaxed) != 0 {
            return None;
        }
        let place = self.place.load(Ordering::Relaxed);
        let is_sent = self.code.load(Ordering::Relaxed).cast_signed() <= 0;
        let sender = i32::try_from(place).unwrap_or(0);
        let cause = if is_sent { Cause::Sender(sender) } else { Cause::Address(place) };
        Some(Crash { signal: signal.cast_signed(), cause })
    }

    /// Has been looked at: lets the process die.
    pub fn let_go(&self) {
        self.over.store(1, Ordering::Release);
        // SAFETY: the word lives as long as this call.
        unsafe { libc::syscall(libc::SYS_futex, self.over.as_ptr(), libc::FUTEX_WAKE, i32::MAX) };
    }

    /// The process itself, in its signal handler. Async-signal-safe.
    fn tell(&self, signal: i32, info: &libc::siginfo_t) {
        // SAFETY: the kernel has filled the field that belongs to the kind of signal; either is a number.
        let place = unsafe {
            if info.si_code > 0 { info.si_addr().addr() as u64 } else { u64::from(info.si_pid().cast_unsigned()) }
        };
        self.place.store(place, Ordering::Relaxed);
        self.code.store(info.si_code.cast_unsigned(), Ordering::Relaxed);
        // Pairs with the Acquire of `crash`.
        self.signal.store(signal.cast_unsigned(), Ordering::Release);
    }

    /// Waits until it has been looked at. Async-signal-safe, and still: whoever looks finds a process that waits.
    fn wait(&self) {
        let patience = libc::timespec { tv_sec: libc::time_t::try_from(PATIENCE.as_secs()).unwrap_or(1), tv_nsec: 0 };
        // SAFETY: the word is in shared memory, the time a local. It returns early when the word has changed already; an
        // interrupt, with all signals blocked, is a debugger's, and costs the look at most.
        unsafe { libc::syscall(libc::SYS_futex, self.over.as_ptr(), libc::FUTEX_WAIT, 0, &raw const patience) };
    }
}

/// From here on a crash of this process is told in `story`, with a write to `bell`. A process that it forks tells
/// nothing, and neither does one that has replaced itself by another program.
pub fn tell_in(story: &'static Story, bell: BorrowedFd<'_>) -> io::Result<()> {
    // A stack that has overflown is one of the causes.
    use_own_stack()?;
    OWNER.store(std::process::id().cast_signed(), Ordering::Relaxed);
    BELL.store(bell.as_raw_fd(), Ordering::Relaxed);
    STORY.store(ptr::from_ref(story).cast_mut(), Ordering::Release);
    for (signal, before) in SIGNALS.iter().zip(&BEFORE) {
        // SAFETY: the action is filled before use; the handler only does what a handler may. The former action is
        // written before anybody can come to read it: by a crash of this thread.
        unsafe {
            let mut new: libc::sigaction = std::mem::zeroed();
            new.sa_sigaction = on_crash as *const () as usize;
            new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigfillset(&raw mut new.sa_mask);
            let mut former = MaybeUninit::<libc::sigaction>::zeroed();
            check(libc::sigaction(*signal, ptr::null(), former.as_mut_ptr()))?;
            if former.assume_init_ref().sa_sigaction != new.sa_sigaction {
                (*before.0.get()).write(former.assume_init());
            }
            check(libc::sigaction(*signal, &raw const new, ptr::null_mut()))?;
        }
    }
    Ok(())
}

/// Gives this thread a stack for its signal handlers, if it has none.
fn use_own_stack() -> io::Result<()> {
    // SAFETY: asks; then a mapping that is ours alone becomes the stack, and stays mapped. Its lowest page is for nobody.
    unsafe {
        let mut stack: libc::stack_t = std::mem::zeroed();
        check(libc::sigaltstack(ptr::null(), &raw mut stack))?;
        if stack.ss_flags & libc::SS_DISABLE == 0 {
            return Ok(());
        }
        let guard = crate::memory::page_size();
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK;
        let map = libc::mmap(ptr::null_mut(), guard + STACK, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        if map == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        check(libc::mprotect(map, guard, libc::PROT_NONE))?;
        let stack = libc::stack_t { ss_sp: map.byte_add(guard), ss_flags: 0, ss_size: STACK };
        check(libc::sigaltstack(&raw const stack, ptr::null_mut()))?;
    }
    Ok(())
}

/// All signals are blocked meanwhile, so that a crash in here ends the process at once.
extern "C" fn on_crash(signal: i32, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: no pointers.
    let (pid, thread) = unsafe { (libc::getpid(), libc::gettid()) };
    // Taken: another thread that crashes as well does not tell.
    let story = STORY.swap(ptr::null_mut(), Ordering::AcqRel);
    // SAFETY: set by `tell_in`, to what lives for ever; another process may have been forked since, and is left alone.
    if let Some(story) = unsafe { story.as_ref() }.filter(|_| OWNER.load(Ordering::Relaxed) == pid) {
        // SAFETY: the kernel has passed it.
        story.tell(signal, unsafe { &*info });
        write_raw(BELL.load(Ordering::Relaxed));
        story.wait();
    }
    // SAFETY: what was before was written by `tell_in`. The same signal once more, with all that the kernel has said
    // about it, is delivered when this returns: to where it came from, so that a core dump is what it would have been.
    unsafe {
        if let Some(place) = SIGNALS.iter().position(|known| *known == signal) {
            libc::sigaction(signal, (*BEFORE[place].0.get()).as_ptr(), ptr::null_mut());
        }
        libc::syscall(libc::SYS_rt_tgsigqueueinfo, pid, thread, signal, info);
    }
}

/// The signals that are crashes.
const SIGNALS: [i32; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT];
/// Bytes for a handler that calls hardly anything, and for all registers of any machine.
const STACK: usize = 128 << 10;
/// Whoever looks has this long.
const PATIENCE: Duration = Duration::from_secs(3);

/// An action, written by the main thread and read by a handler.
struct Action(UnsafeCell<MaybeUninit<libc::sigaction>>);

// SAFETY: written before the handler that reads it is installed.
unsafe impl Sync for Action {}

static BEFORE: [Action; SIGNALS.len()] = [const { Action(UnsafeCell::new(MaybeUninit::zeroed())) }; SIGNALS.len()];
static STORY: AtomicPtr<Story> = AtomicPtr::new(ptr::null_mut());
static BELL: AtomicI32 = AtomicI32::new(-1);
static OWNER: AtomicI32 = AtomicI32::new(0);

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::time::Instant;

    use super::*;
    use crate::eventfd::EventFd;
    use crate::memory::SharedMemory;
    use crate::process::{self, Exit, Fork};
    use crate::socket::wait_readable;

    fn story() -> &'static Story {
        let memory = SharedMemory::create(c"rotor-test", crate::memory::page_size()).unwrap();
        // SAFETY: within the mapping and aligned; zero is a valid value.
        unsafe { memory.place::<Story>(0).as_ref() }
    }

    /// A child that crashes, and is looked at if `look`.
    fn crash_of(body: impl FnOnce(), look: bool) -> (Option<Crash>, Exit, Duration) {
        let (story, bell) = (story(), EventFd::new().unwrap());
        let began = Instant::now();
        let Fork::Parent { child } = process::fork().unwrap() else {
            let _ = process::die_with_parent();
            // Rust has a handler and a stack of its own, which a process of PHP has not.
            // SAFETY: the process is as new, and this is its only thread.
            unsafe {
                libc::signal(libc::SIGSEGV, libc::SIG_DFL);
                let none = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
                libc::sigaltstack(&raw const none, ptr::null_mut());
            }
            tell_in(story, bell.as_fd()).unwrap();
            body();
            process::exit_now(0)
        };
        let mut crash = None;
        if look {
            assert!(wait_readable(bell.as_fd(), Duration::from_secs(30)).unwrap());
            crash = story.crash();
            assert_eq!(process::reap(child).unwrap(), None, "it waits");
            story.let_go();
        }
        loop {
            if let Some(exit) = process::reap(child).unwrap() {
                assert!(story.crash().is_none_or(|_| !look), "a crash is told once");
                return (crash, exit, began.elapsed());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn recurse(depth: u64) -> u64 {
        let room = std::hint::black_box([depth; 64]);
        if depth == u64::MAX { 0 } else { recurse(depth + 1) + room[usize::try_from(depth % 64).unwrap()] }
    }

    #[test]
    fn a_crash_waits_to_be_looked_at_and_dies_of_its_own_signal() {
        // SAFETY: it is what the test is about.
        let fault = || unsafe { ptr::without_provenance_mut::<u8>(0x10).write_volatile(1) };
        let (crash, exit, _) = crash_of(fault, true);
        assert_eq!(crash, Some(Crash { signal: libc::SIGSEGV, cause: Cause::Address(0x10) }));
        assert_eq!(exit.signal, libc::SIGSEGV);

        let (crash, exit, _) = crash_of(|| std::process::abort(), true);
        assert_eq!(crash, Some(Crash { signal: libc::SIGABRT, cause: Cause::Sender(exit.pid) }));
        assert_eq!(exit.signal, libc::SIGABRT);

        let sent = || {
            let _ = process::kill(process::id(), libc::SIGFPE);
        };
        let (crash, exit, _) = crash_of(sent, true);
        assert_eq!(crash, Some(Crash { signal: libc::SIGFPE, cause: Cause::Sender(exit.pid) }));
        assert_eq!(exit.signal, libc::SIGFPE);
    }

    #[test]
    fn a_stack_that_has_overflown_is_a_crash_like_any() {
        let (crash, exit, _) = crash_of(
            || {
                std::hint::black_box(recurse(0));
            },
            true,
        );
        assert_eq!((crash.unwrap().signal, exit.signal), (libc::SIGSEGV, libc::SIGSEGV));
    }

    #[test]
    fn a_crash_that_nobody_looks_at_ends_by_itself_and_a_forked_process_does_not_wait() {
        let (_, exit, took) = crash_of(|| std::process::abort(), false);
        assert_eq!(exit.signal, libc::SIGABRT);
        assert!(took >= PATIENCE);
        let fork = || match process::fork().unwrap() {
            Fork::Child => std::process::abort(),
            Fork::Parent { child } => {
                let exit = loop {
                    if let Some(exit) = process::reap(child).unwrap() {
                        break exit;
                    }
                    std::thread::sleep(Duration::from_millis(1));
                };
                process::exit_now(exit.signal)
            }
        };
        let (_, exit, _) = crash_of(fork, false);
        assert_eq!(exit.code, libc::SIGABRT);
    }
}
