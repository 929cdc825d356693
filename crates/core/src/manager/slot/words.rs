//! What a slot is told, and what it asks for.

use std::time::Duration;

use rotor_ipc::workers::Generation;

/// What happens to a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotEvent {
    /// Time has passed, or something may have changed; says which seats are free to be used.
    Tick {
        /// By seat.
        free: [bool; 2],
    },
    /// The fork that was asked for could not be made.
    ForkFailed {
        /// Its generation.
        generation: Generation,
    },
    /// A process says that it is ready.
    Ready {
        /// Its generation.
        generation: Generation,
    },
    /// The owner word names this generation.
    Owned {
        /// Who owns the inbox.
        generation: Generation,
    },
    /// A process was reaped and recovered.
    Exited {
        /// Its generation.
        generation: Generation,
        /// Who owns the inbox after the owner word was settled; the dead one itself when nobody else does.
        owner: Generation,
        /// Whether it had finished a message.
        was_fruitful: bool,
        /// Whether the server stops and the inbox is closed and empty.
        is_drained: bool,
    },
    /// A process has finished a message.
    Fruitful {
        /// Its generation.
        generation: Generation,
    },
    /// Somebody wants a new process here; says which seats are free to be used.
    Replace {
        /// By seat.
        free: [bool; 2],
        /// Whether there may be new code: what failed a moment ago is tried again.
        is_reload: bool,
    },
    /// The server stops; says whether the inbox is closed and empty.
    Stop,
}

/// What the manager has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Fork a process of this generation. `owns` tells whether it gets the inbox at once.
    Fork {
        /// Its generation.
        generation: Generation,
        /// Whether nobody else owns the inbox.
        owns: bool,
    },
    /// Make this generation the owner: the former one died before it had offered.
    Appoint {
        /// Whose the inbox is.
        generation: Generation,
    },
    /// Offer the inbox and wake the owner.
    Offer {
        /// The owner.
        from: Generation,
        /// The successor, which is ready.
        to: Generation,
    },
    /// Take an offer back.
    Withdraw {
        /// The owner.
        from: Generation,
        /// The successor.
        to: Generation,
    },
    /// Ask a process to go.
    AskToLeave {
        /// Which.
        generation: Generation,
    },
    /// Kill a process: it has had its time.
    Kill {
        /// Which.
        generation: Generation,
        /// What it did not do.
        because: Overdue,
    },
    /// The slot has its new process.
    Replaced,
    /// The slot kept its old process: the successor died, or never got ready.
    KeptOld,
    /// The next process is not forked before this much time has passed.
    BackOff {
        /// How long.
        delay: Duration,
    },
}

/// What a process that is killed did not do in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// End.
    Leaving,
    /// Get ready.
    Starting,
    /// Take a record or commit: it is in one callback all the time.
    HandingOver,
}
