//! Signals as bits: a handler notes what came and wakes the loop that waits.

use std::cell::UnsafeCell;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU64, AtomicUsize, Ordering};

use crate::check;
use crate::clock::monotonic_ns;
use crate::eventfd::{EventFd, write_raw};

static ARRIVED: AtomicU64 = AtomicU64::new(0);
/// When each signal came last (monotonic ns).
static CAME_NS: [AtomicU64; 65] = [const { AtomicU64::new(0) }; 65];
static WAKE: AtomicI32 = AtomicI32::new(-1);
static KEPT: AtomicBool = AtomicBool::new(false);
static OBSERVED: AtomicU64 = AtomicU64::new(0);
static NOTIFY: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());

/// The signals that this process notes. There is one set for the process, as there is one table of handlers.
pub struct Signals {
    eventfd: EventFd,
}

impl Signals {
    /// Starts to note nothing; [`Self::note`] and [`Self::ignore`] add to it. Called in a child, it starts
    /// anew: an eventfd of its parent's would wake the parent.
    pub fn begin() -> io::Result<Self> {
        let eventfd = EventFd::new()?;
        ARRIVED.store(0, Ordering::Relaxed);
        WAKE.store(eventfd.as_fd().as_raw_fd(), Ordering::Release);
        Ok(Self { eventfd })
    }

    /// Notes `signal` when it comes. System calls of user code go on, as far as the kernel lets them; a wait of
    /// [`crate::epoll`] ends.
    pub fn note(&self, signal: i32) -> io::Result<()> {
        self.set(signal, on_signal as *const () as usize)
    }

    /// Ignores `signal`.
    pub fn ignore(&self, signal: i32) -> io::Result<()> {
        self.set(signal, libc::SIG_IGN)
    }

    /// Gives `signal` its default action.
    pub fn default(&self, signal: i32) -> io::Result<()> {
        self.set(signal, libc::SIG_DFL)
    }

    /// Whether something has come since the last [`Self::take`].
    pub fn any(&self) -> bool {
        ARRIVED.load(Ordering::Relaxed) != 0
    }

    /// What has come since the last call.
    pub fn take(&self) -> Arrived {
        Arrived(ARRIVED.swap(0, Ordering::AcqRel))
    }

    /// When `signal`, which has come, came last (monotonic ns): whoever takes note may have been busy for long.
    pub fn came_ns(&self, signal: i32) -> u64 {
        place_of(signal).map_or(0, |place| CAME_NS[place].load(Ordering::Relaxed))
    }

    fn set(&self, signal: i32, action: usize) -> io::Result<()> {
        let Some(place) = usize::try_from(signal).ok().and_then(|signal| BEFORE.get(signal)) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let before = set_action(signal, action, libc::SA_RESTART)?;
        if CHANGED.load(Ordering::Relaxed) & bit(signal) == 0 {
            // SAFETY: the main thread alone sets actions, and nobody reads this place before its bit is set.
            unsafe { (*place.0.get()).write(before) };
            CHANGED.fetch_or(bit(signal), Ordering::Release);
        }
        ACTIONS[signal.cast_unsigned() as usize].store(action, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        if !KEPT.load(Ordering::Relaxed) {
            restore();
        }
        // The descriptor is closed next, and its number may be another's soon.
        WAKE.store(-1, Ordering::Release);
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.eventfd.as_fd()
    }
}

/// A set of signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived(u64);

impl Arrived {
    /// Whether `signal` is in the set.
    pub fn has(self, signal: i32) -> bool {
        self.0 & bit(signal) != 0
    }
}

/// All signals are blocked in this thread, and in those it starts, until this is dropped.
#[derive(Debug)]
pub struct Blocked {
    before: nix::sys::signal::SigSet,
}

impl Blocked {
    /// Blocks all signals in the calling thread.
    pub fn all() -> io::Result<Self> {
        let before = nix::sys::signal::SigSet::thread_get_mask()?;
        nix::sys::signal::SigSet::all().thread_block()?;
        Ok(Self { before })
    }
}

impl Blocked {
    /// Ends it, for a process whose [`Signals`] are set: those are blocked no more, also where whoever has started the
    /// process had blocked them.
    pub fn end_hearing(mut self) {
        let changed = CHANGED.load(Ordering::Acquire);
        let mut mask = *self.before();
        for signal in (1..64).filter(|signal| changed & bit(*signal) != 0) {
            // SAFETY: a copy of a mask, from which a signal is taken.
            unsafe { libc::sigdelset(&raw mut mask, signal) };
        }
        // SAFETY: it was a mask before.
        self.before = unsafe { nix::sys::signal::SigSet::from_sigset_t_unchecked(mask) };
    }

    /// The signals that were blocked before.
    pub(crate) fn before(&self) -> &libc::sigset_t {
        self.before.as_ref()
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // Fails only for a mask that is no mask.
        let _ = self.before.thread_set_mask();
    }
}

/// Lets every signal that was noted, ignored or given its default action do what it did before, unless somebody has
/// changed it since. Async-signal-safe.
pub(crate) fn restore() {
    let changed = CHANGED.swap(0, Ordering::AcqRel);
    for signal in (1..64).filter(|signal| changed & bit(*signal) != 0) {
        let number = signal.cast_unsigned() as usize;
        // SAFETY: the bit says that the place has been written, with what the kernel gave for this very signal.
        unsafe {
            let mut now: libc::sigaction = std::mem::zeroed();
            let is_known = libc::sigaction(signal, std::ptr::null(), &raw mut now) == 0;
            if is_known && now.sa_sigaction == ACTIONS[number].load(Ordering::Relaxed) {
                libc::sigaction(signal, (*BEFORE[number].0.get()).as_ptr(), std::ptr::null_mut());
            }
        }
    }
}

/// An action of a signal, once it is known.
struct Before(UnsafeCell<MaybeUninit<libc::sigaction>>);

// SAFETY: written and read by the main thread alone.
unsafe impl Sync for Before {}

/// What was done on each signal before; the bits of `CHANGED` say for which it is known.
static BEFORE: [Before; 65] = [const { Before(UnsafeCell::new(MaybeUninit::uninit())) }; 65];
static CHANGED: AtomicU64 = AtomicU64::new(0);
/// What is done on each of these signals now.
static ACTIONS: [AtomicUsize; 65] = [const { AtomicUsize::new(0) }; 65];

/// A signal is ignored that would end this process, and its children, until this is dropped.
#[must_use]
pub struct Ignored(Option<Former>);

impl Ignored {
    /// Ignores `signal`, unless somebody has chosen what it does.
    pub fn begin(signal: i32) -> io::Result<Self> {
        if !has_handler(signal, libc::SIG_DFL) {
            return Ok(Self(None));
        }
        Ok(Self(Some(Former { signal, action: set_action(signal, libc::SIG_IGN, 0)? })))
    }
}

impl Drop for Ignored {
    fn drop(&mut self) {
        if let Some(former) = self.0.take().filter(|former| has_handler(former.signal, libc::SIG_IGN)) {
            former.restore();
        }
    }
}

/// What a process did on a signal before [`observe`].
pub struct Former {
    signal: i32,
    action: libc::sigaction,
}

impl Former {
    /// Whether that was to observe the signal, too.
    pub fn was_observed(&self) -> bool {
        self.action.sa_sigaction == on_observed as *const () as usize
    }

    /// Lets it do that again.
    pub fn restore(self) {
        // SAFETY: the action is what the kernel gave for this very signal.
        unsafe { libc::sigaction(self.signal, &raw const self.action, std::ptr::null_mut()) };
    }
}

/// Notes `signal` for [`observed`] when it comes and calls `notify`, which may do no more than store to atomics.
/// System calls that can be are restarted.
pub fn observe(signal: i32, notify: fn()) -> io::Result<Former> {
    NOTIFY.store(notify as *mut (), Ordering::Release);
    let action = set_action(signal, on_observed as *const () as usize, libc::SA_RESTART)?;
    Ok(Former { signal, action })
}

/// The observed signals that have come since the last call, lowest first.
pub fn observed() -> impl Iterator<Item = i32> {
    let arrived = OBSERVED.swap(0, Ordering::AcqRel);
    (1..=HIGHEST).filter(move |signal| arrived & 1 << (signal - 1) != 0)
}

/// Whether the server itself listens to `signal` in this process.
pub fn is_noted(signal: i32) -> bool {
    has_handler(signal, on_signal as *const () as usize)
}

/// Whether `signal` is observed in this process.
pub fn is_observed(signal: i32) -> bool {
    has_handler(signal, on_observed as *const () as usize)
}

fn has_handler(signal: i32, handler: usize) -> bool {
    // SAFETY: an action of zeros is a valid one, and the kernel only writes it.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut action) == 0 && action.sa_sigaction == handler
    }
}

/// From now on no signal of this process gets its former action back: the process is on its way out, and one that comes
/// as late as that must neither kill it there nor look like a crash.
pub fn keep_to_the_end() {
    KEPT.store(true, Ordering::Relaxed);
}

/// The first real-time signal: the C library keeps some for itself, so it is no constant.
pub fn sigrtmin() -> i32 {
    libc::SIGRTMIN()
}

/// Whether this process has a timer running that sends it SIGALRM.
pub fn alarm_is_set() -> bool {
    let none = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let mut timer = libc::itimerval { it_interval: none, it_value: none };
    // SAFETY: the kernel fills the structure, which is live and of its type.
    let failed = unsafe { libc::getitimer(libc::ITIMER_REAL, &raw mut timer) } != 0;
    !failed && (timer.it_value.tv_sec != 0 || timer.it_value.tv_usec != 0)
}

fn place_of(signal: i32) -> Option<usize> {
    usize::try_from(signal).ok().filter(|place| *place < CAME_NS.len())
}

fn bit(signal: i32) -> u64 {
    1_u64.checked_shl(signal.cast_unsigned()).unwrap_or(0)
}

/// Sets what happens on `signal` and returns what happened before.
fn set_action(signal: i32, action: usize, flags: i32) -> io::Result<libc::sigaction> {
    // SAFETY: the action is filled before use; the handler only touches atomics and writes to a descriptor,
    // all of which is async-signal-safe.
    unsafe {
        let mut new: libc::sigaction = std::mem::zeroed();
        let mut before: libc::sigaction = std::mem::zeroed();
        new.sa_sigaction = action;
        new.sa_flags = flags;
        libc::sigemptyset(&raw mut new.sa_mask);
        check(libc::sigaction(signal, &raw const new, &raw mut before))?;
        Ok(before)
    }
}

extern "C" fn on_signal(signal: i32) {
    // SAFETY: reads and restores the thread's errno, which the interrupted code may be about to look at.
    let errno = unsafe { *libc::__errno_location() };
    if let Some(place) = place_of(signal) {
        CAME_NS[place].store(monotonic_ns(), Ordering::Relaxed);
    }
    ARRIVED.fetch_or(bit(signal), Ordering::AcqRel);
    write_raw(WAKE.load(Ordering::Acquire));
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

extern "C" fn on_observed(signal: i32) {
    OBSERVED.fetch_or(1 << (signal - 1), Ordering::AcqRel);
    let notify = NOTIFY.load(Ordering::Acquire);
    if !notify.is_null() {
        // SAFETY: `observe` alone stores there, a function of this type.
        unsafe { std::mem::transmute::<*mut (), fn()>(notify)() };
    }
}

/// Signals are numbered from 1 to this.
const HIGHEST: i32 = 64;

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// What is noted is the process's: one test after the other.
    static TURN: Mutex<()> = Mutex::new(());

    #[test]
    fn a_signal_is_noted_and_its_former_action_comes_back() {
        // SAFETY: only asks.
        let current = |signal| unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            libc::sigaction(signal, std::ptr::null(), &raw mut action);
            action.sa_sigaction
        };
        let _turn = TURN.lock();
        let before = current(libc::SIGURG);
        let signals = Signals::begin().unwrap();
        signals.note(libc::SIGURG).unwrap();
        signals.note(libc::SIGURG).unwrap();
        let from = monotonic_ns();
        // SAFETY: the handler that was just installed takes it.
        unsafe { libc::raise(libc::SIGURG) };
        let to = monotonic_ns();
        assert!(signals.any());
        assert!(signals.take().has(libc::SIGURG));
        assert!((from..=to).contains(&signals.came_ns(libc::SIGURG)));
        assert!(!signals.any());
        drop(signals);
        assert_eq!(current(libc::SIGURG), before);
    }

    #[test]
    fn what_is_noted_is_heard_though_it_was_blocked_before() {
        let _turn = TURN.lock();
        // In a thread of its own, whose mask is nobody else's.
        let heard = std::thread::spawn(|| {
            let mut mask = nix::sys::signal::SigSet::empty();
            mask.add(nix::sys::signal::Signal::SIGIO);
            mask.thread_block().unwrap();
            let signals = Signals::begin().unwrap();
            let blocked = Blocked::all().unwrap();
            signals.note(libc::SIGIO).unwrap();
            // SAFETY: the handler that was just installed takes it.
            unsafe { libc::raise(libc::SIGIO) };
            assert!(!signals.take().has(libc::SIGIO));
            blocked.end_hearing();
            signals.take().has(libc::SIGIO)
        });
        assert!(heard.join().unwrap());
    }

    #[test]
    fn a_signal_is_ignored_for_a_while_unless_somebody_has_chosen_what_it_does() {
        let ignored = Ignored::begin(libc::SIGXFSZ).unwrap();
        assert!(has_handler(libc::SIGXFSZ, libc::SIG_IGN));
        drop(ignored);
        assert!(has_handler(libc::SIGXFSZ, libc::SIG_DFL));
        let former = observe(libc::SIGXFSZ, || {}).unwrap();
        drop(Ignored::begin(libc::SIGXFSZ).unwrap());
        assert!(is_observed(libc::SIGXFSZ));
        former.restore();
    }

    #[test]
    fn an_observed_signal_is_told_once_and_is_not_the_servers() {
        static TOLD: AtomicI32 = AtomicI32::new(0);
        let former = observe(libc::SIGCONT, || {
            TOLD.fetch_add(1, Ordering::Relaxed);
        })
        .unwrap();
        // SAFETY: the handler that was just installed takes it.
        unsafe { libc::raise(libc::SIGCONT) };
        assert_eq!(TOLD.load(Ordering::Relaxed), 1);
        assert_eq!(observed().collect::<Vec<_>>(), [libc::SIGCONT]);
        assert_eq!(observed().count(), 0);
        assert!(is_observed(libc::SIGCONT) && !is_noted(libc::SIGCONT));
        assert!(!former.was_observed() && observe(libc::SIGCONT, || {}).unwrap().was_observed());
        former.restore();
        let action = set_action(libc::SIGCONT, on_signal as *const () as usize, 0).unwrap();
        assert!(is_noted(libc::SIGCONT) && !is_noted(libc::SIGKILL));
        Former { signal: libc::SIGCONT, action }.restore();
        assert!(!is_noted(libc::SIGCONT));
    }
}
