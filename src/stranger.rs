//! Tells a process of the server from one that a callback has forked: that one has copies of everything, and
//! whatever it did with them would be done twice. It loses them as it begins, and ends with its callback.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use rotor_core::host::{End, Outcome};
use rotor_sys::{own, process};

use crate::zend;

/// This process begins a server: from now on a fork that is not the server's own makes a stranger.
pub fn watch_forks() {
    STRANGER.store(false, Ordering::Relaxed);
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| zend::after_fork_in_child(forked));
}

/// Whether this process is none of the server's.
pub fn is_this_process() -> bool {
    STRANGER.load(Ordering::Relaxed)
}

/// Ends this process, whose callback has come back like this: what called the callback belongs to the server, and
/// nothing of it may run here.
pub fn end(outcome: Outcome) -> ! {
    zend::end_process(match outcome {
        Outcome::Returned => Some(0),
        Outcome::Threw => Some(255),
        Outcome::Ended(End::Leave { code }) => Some(code),
        Outcome::Ended(End::Stopped | End::Exited | End::BailedOut) => None,
    })
}

extern "C" fn forked() {
    if !process::is_forking() {
        STRANGER.store(true, Ordering::Relaxed);
        own::disown();
    }
}

static STRANGER: AtomicBool = AtomicBool::new(false);
