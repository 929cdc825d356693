//! What is the server's own in a process: its descriptors, its shared memory, its signal handlers. They are known
//! here, so that a process that user code forks can be freed of its copies. A copy of the listening socket would keep
//! the port, one of a client's socket the connection, one of a pipe's writing end would hide a death.

use std::fs::File;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::{AtomicU64, AtomicUsize};

use crate::{eventfd, memory, signal};

/// A descriptor that is the server's own, until this is dropped.
#[derive(Debug)]
pub struct Own<T: AsRawFd = OwnedFd>(T);

impl<T: AsRawFd> Own<T> {
    /// Makes it known as the server's own.
    pub fn new(descriptor: T) -> Self {
        if let Some((word, bit)) = place_of(descriptor.as_raw_fd()) {
            OURS[word].fetch_or(bit, Relaxed);
            if word >= USED_WORDS.load(Relaxed) {
                USED_WORDS.fetch_max(word + 1, Release);
            }
        }
        Self(descriptor)
    }
}

impl Own<OwnedFd> {
    /// Another descriptor of the same thing.
    pub fn try_clone(&self) -> std::io::Result<Self> {
        self.0.try_clone().map(Self::new)
    }

    /// Gives up the ownership; the descriptor stays open, and known as the server's own.
    pub fn into_raw(self) -> RawFd {
        let this = ManuallyDrop::new(self);
        // SAFETY: read once, and `this` is not dropped.
        unsafe { std::ptr::read(&raw const this.0) }.into_raw_fd()
    }
}

impl<T: AsRawFd> Drop for Own<T> {
    fn drop(&mut self) {
        // Before it is closed: its number may be another's at once.
        if let Some((word, bit)) = place_of(self.0.as_raw_fd()) {
            OURS[word].fetch_and(!bit, Relaxed);
        }
    }
}

impl<T: AsRawFd> Deref for Own<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl DerefMut for Own<File> {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.0
    }
}

impl<T: AsRawFd + AsFd> AsFd for Own<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Frees a process that user code has just forked of all that is the server's. Async-signal-safe, as a child of a
/// process with threads has to be.
///
/// The descriptors stay open under their numbers, but lead nowhere: their owners close them, if they are ever dropped,
/// and must not close what has got such a number since. The shared memory reads as zero.
pub fn disown() {
    signal::restore();
    memory::leave();
    let used = USED_WORDS.load(Relaxed);
    let mut numbers = OURS[..used].iter().enumerate().flat_map(|(word, bits)| {
        let bits = bits.load(Relaxed);
        (0..64).filter(move |bit| bits & 1 << bit != 0).filter_map(move |bit| i32::try_from(word * 64 + bit).ok())
    });
    let Some(first) = numbers.next() else { return };
    // With no descriptor left there is one after this.
    close(first);
    let Ok(nowhere) = eventfd::open() else { return };
    let lead_nowhere = |number| {
        if number != nowhere.as_raw_fd() {
            // SAFETY: no pointers; the number's own descriptor is the server's.
            unsafe { libc::dup3(nowhere.as_raw_fd(), number, libc::O_CLOEXEC) };
        }
    };
    lead_nowhere(first);
    numbers.for_each(lead_nowhere);
    if nowhere.as_raw_fd() == first {
        // It is the owner's from now on.
        let _ = nowhere.into_raw_fd();
    }
}

fn close(number: RawFd) {
    // SAFETY: one of the server's own, of which this process has a copy that nobody uses any more.
    unsafe { libc::close(number) };
}

fn place_of(number: RawFd) -> Option<(usize, u64)> {
    let number = usize::try_from(number).ok()?;
    (number / 64 < WORDS).then_some((number / 64, 1 << (number % 64)))
}

/// The kernel's own limit of a process's descriptors, unless an administrator has raised it.
const WORDS: usize = (1 << 20) / 64;

/// A bit for each number.
static OURS: [AtomicU64; WORDS] = [const { AtomicU64::new(0) }; WORDS];
/// So many words have ever had a bit.
static USED_WORDS: AtomicUsize = AtomicUsize::new(0);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{self, Fork, LifeLine};
    use crate::socket::wait_readable;
    use std::time::Duration;

    fn is_ours(number: RawFd) -> bool {
        place_of(number).is_some_and(|(word, bit)| OURS[word].load(Relaxed) & bit != 0)
    }

    #[test]
    fn a_descriptor_is_known_while_it_has_an_owner_or_was_given_away() {
        let line = LifeLine::new().unwrap();
        let number = line.watch.as_raw_fd();
        assert!(is_ours(number));
        let again = line.watch.try_clone().unwrap();
        assert!(is_ours(again.as_raw_fd()));
        let raw = again.into_raw();
        assert!(is_ours(raw));
        // SAFETY: given away by the line above.
        drop(Own::new(unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(raw) }));
        assert!(is_ours(number));
    }

    #[test]
    fn a_process_that_has_disowned_its_copies_keeps_no_end_of_a_pipe() {
        let line = LifeLine::new().unwrap();
        match process::fork().unwrap() {
            Fork::Child => {
                disown();
                loop {
                    // SAFETY: no pointers.
                    unsafe { libc::pause() };
                }
            }
            Fork::Parent { child } => {
                drop(line.hold);
                // The child lives, and yet there is nobody at the other end.
                assert!(wait_readable(line.watch.as_fd(), Duration::from_secs(10)).unwrap());
                process::kill(child, libc::SIGKILL).unwrap();
                while process::reap(child).unwrap().is_none() {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
    }
}
