//! Tells a process of the server from one that a callback has forked: that one has copies of everything, and
//! whatever it did with them would be done twice.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::zend;

/// From now on a fork makes a stranger, until it says otherwise.
pub fn watch_forks() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| zend::after_fork_in_child(forked));
}

/// This process is one of the server's own.
pub fn this_process_belongs() {
    STRANGER.store(false, Ordering::Relaxed);
}

/// Whether this process is none of the server's.
pub fn is_this_process() -> bool {
    STRANGER.load(Ordering::Relaxed)
}

extern "C" fn forked() {
    STRANGER.store(true, Ordering::Relaxed);
}

static STRANGER: AtomicBool = AtomicBool::new(false);
