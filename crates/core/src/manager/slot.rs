//! One slot's life as a pure step: state and event in, state and actions out. The manager's loop does the rest.

use std::time::{Duration, Instant};

use rotor_ipc::workers::{Generation, seat_of};

/// A slot, as the manager sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    active: Active,
    /// A process that has handed over, or was told to go, and finishes what is pending.
    leaving: Option<Leaving>,
    /// Deaths in a row before ready, or without a finished message.
    fruitless: u32,
    /// The last generation given out.
    last: Generation,
    limits: Limits,
}

/// Who serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Active {
    /// Nobody: the next process is forked at this time.
    Waiting { at: Instant },
    /// A process that owns the inbox and is not ready yet.
    Starting { generation: Generation },
    /// A ready process that owns the inbox.
    Serving { generation: Generation },
    /// Two: the old one serves until the successor is ready and it has handed over.
    Replacing { old: Generation, successor: Generation, phase: Phase, since: Instant },
    /// Nobody, and nobody will: the server stops and the inbox is drained.
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The successor is not ready.
    Starting,
    /// The inbox is offered to it.
    Offered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leaving {
    generation: Generation,
    since: Instant,
    is_killed: bool,
}

/// Time limits, from the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a process may take to leave, a successor to get ready, and an offer to be taken; `None`: for ever.
    pub max_wait: Option<Duration>,
}

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
    /// Somebody wants a new process here; says which seats are free to be used.
    Replace {
        /// By seat.
        free: [bool; 2],
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

const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(5);
/// A process ends itself after `max_wait_time`; the manager kills it this much later.
const GRACE: Duration = Duration::from_secs(1);

impl Slot {
    /// An empty slot, whose first process is forked at the next tick.
    pub fn new(limits: Limits, now: Instant) -> Self {
        Self { active: Active::Waiting { at: now }, leaving: None, fruitless: 0, last: 1, limits }
    }

    /// Whether no process lives in it and none will.
    pub fn is_stopped(&self) -> bool {
        self.active == Active::Stopped && self.leaving.is_none()
    }

    /// Whether it is being replaced, or its old process still leaves.
    pub fn is_replacing(&self) -> bool {
        matches!(self.active, Active::Replacing { .. })
    }

    /// Whether its process owns the inbox and is not ready yet.
    pub fn is_starting(&self) -> bool {
        matches!(self.active, Active::Starting { .. })
    }

    /// Whether a new process may be asked for now; if not, it may be later.
    pub fn is_replaceable(&self, free: [bool; 2]) -> bool {
        match self.active {
            Active::Serving { generation } => self.leaving.is_none() && free[1 - seat_of(generation)],
            Active::Waiting { .. } | Active::Stopped => true,
            Active::Starting { .. } | Active::Replacing { .. } => false,
        }
    }

    /// Whether a process that has handed over is still there.
    pub fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    /// Whether it waits with its next process because the last ones died early.
    pub fn is_backing_off(&self) -> bool {
        matches!(self.active, Active::Waiting { .. }) && self.fruitless > 1
    }

    /// The process that serves, or is about to.
    pub fn serving(&self) -> Option<Generation> {
        match self.active {
            Active::Serving { generation } | Active::Starting { generation } => Some(generation),
            Active::Replacing { old, .. } => Some(old),
            Active::Waiting { .. } | Active::Stopped => None,
        }
    }

    /// When the slot needs a tick again.
    pub fn deadline(&self) -> Option<Instant> {
        let active = match self.active {
            Active::Waiting { at } => Some(at),
            Active::Replacing { since, .. } => self.limits.max_wait.map(|wait| since + wait),
            Active::Starting { .. } | Active::Serving { .. } | Active::Stopped => None,
        };
        let leaving = self.leaving.filter(|leaving| !leaving.is_killed).and_then(|leaving| self.kill_at(leaving.since));
        active.into_iter().chain(leaving).min()
    }

    /// The step.
    #[must_use]
    pub fn on(mut self, event: SlotEvent, now: Instant) -> (Self, Vec<Action>) {
        let actions = match event {
            SlotEvent::Tick { free } => self.on_tick(free, now),
            SlotEvent::ForkFailed { generation } => self.on_fork_failed(generation, now),
            SlotEvent::Ready { generation } => self.on_ready(generation, now),
            SlotEvent::Owned { generation } => self.on_owned(generation, now),
            SlotEvent::Exited { generation, owner, was_fruitful, is_drained } => {
                self.on_exited(generation, owner, was_fruitful, is_drained, now)
            }
            SlotEvent::Replace { free } => self.on_replace(free, now),
            SlotEvent::Stop => self.on_stop(now),
        };
        (self, actions)
    }

    fn on_tick(&mut self, free: [bool; 2], now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        if let Some(leaving) = &mut self.leaving
            && !leaving.is_killed
            && self.limits.max_wait.is_some_and(|wait| now >= leaving.since + wait + GRACE)
        {
            leaving.is_killed = true;
            actions.push(Action::Kill { generation: leaving.generation, because: Overdue::Leaving });
        }
        match self.active {
            Active::Waiting { at } if now >= at => {
                if let Some(generation) = self.next_generation(free) {
                    self.active = Active::Starting { generation };
                    actions.push(Action::Fork { generation, owns: true });
                }
            }
            Active::Replacing { old, successor, phase, since }
                if self.limits.max_wait.is_some_and(|wait| now >= since + wait) =>
            {
                // Whoever is killed is seen to end; counting from now keeps it from being killed twice.
                self.active = Active::Replacing { old, successor, phase, since: now };
                actions.push(match phase {
                    Phase::Starting => Action::Kill { generation: successor, because: Overdue::Starting },
                    Phase::Offered => Action::Kill { generation: old, because: Overdue::HandingOver },
                });
            }
            Active::Replacing { .. }
            | Active::Waiting { .. }
            | Active::Starting { .. }
            | Active::Serving { .. }
            | Active::Stopped => {}
        }
        actions
    }

    fn on_fork_failed(&mut self, failed: Generation, now: Instant) -> Vec<Action> {
        match self.active {
            Active::Starting { generation } if generation == failed => {
                self.fruitless += 1;
                self.wait_for(self.early_delay(), now)
            }
            Active::Replacing { old, successor, .. } if successor == failed => {
                self.active = Active::Serving { generation: old };
                vec![Action::KeptOld]
            }
            Active::Starting { .. }
            | Active::Replacing { .. }
            | Active::Waiting { .. }
            | Active::Serving { .. }
            | Active::Stopped => Vec::new(),
        }
    }

    fn on_ready(&mut self, ready: Generation, now: Instant) -> Vec<Action> {
        match self.active {
            Active::Starting { generation } if generation == ready => {
                self.active = Active::Serving { generation };
                Vec::new()
            }
            Active::Replacing { old, successor, phase: Phase::Starting, .. } if successor == ready => {
                self.active = Active::Replacing { old, successor, phase: Phase::Offered, since: now };
                vec![Action::Offer { from: old, to: successor }]
            }
            Active::Starting { .. }
            | Active::Replacing { .. }
            | Active::Waiting { .. }
            | Active::Serving { .. }
            | Active::Stopped => Vec::new(),
        }
    }

    fn on_owned(&mut self, owner: Generation, now: Instant) -> Vec<Action> {
        match self.active {
            Active::Replacing { old, successor, .. } if owner == successor => {
                self.active = Active::Serving { generation: successor };
                self.leaving = Some(Leaving { generation: old, since: now, is_killed: false });
                vec![Action::Replaced]
            }
            Active::Replacing { .. }
            | Active::Starting { .. }
            | Active::Waiting { .. }
            | Active::Serving { .. }
            | Active::Stopped => Vec::new(),
        }
    }

    fn on_exited(
        &mut self,
        dead: Generation,
        owner: Generation,
        was_fruitful: bool,
        is_drained: bool,
        now: Instant,
    ) -> Vec<Action> {
        if self.leaving.is_some_and(|leaving| leaving.generation == dead) {
            self.leaving = None;
            return Vec::new();
        }
        match self.active {
            Active::Starting { generation } if generation == dead => {
                if is_drained {
                    self.active = Active::Stopped;
                    return Vec::new();
                }
                self.fruitless += 1;
                self.wait_for(self.early_delay(), now)
            }
            Active::Serving { generation } if generation == dead => {
                if is_drained {
                    self.active = Active::Stopped;
                    return Vec::new();
                }
                self.fruitless = if was_fruitful { 0 } else { self.fruitless + 1 };
                self.wait_for(self.delay(), now)
            }
            Active::Replacing { old, successor, .. } if successor == dead => {
                if owner == successor {
                    // It had been given the inbox already: the old one leaves, and this is a crash like any.
                    self.leaving = Some(Leaving { generation: old, since: now, is_killed: false });
                    self.fruitless = if was_fruitful { 0 } else { self.fruitless + 1 };
                    let mut actions = vec![Action::Replaced];
                    actions.extend(self.wait_for(self.delay(), now));
                    return actions;
                }
                self.active = Active::Serving { generation: old };
                vec![Action::KeptOld]
            }
            Active::Replacing { old, successor, phase, .. } if old == dead => match phase {
                Phase::Offered => {
                    self.active = Active::Serving { generation: successor };
                    vec![Action::Replaced]
                }
                Phase::Starting => {
                    self.active = Active::Starting { generation: successor };
                    vec![Action::Appoint { generation: successor }, Action::Replaced]
                }
            },
            Active::Starting { .. }
            | Active::Serving { .. }
            | Active::Replacing { .. }
            | Active::Waiting { .. }
            | Active::Stopped => Vec::new(),
        }
    }

    fn on_replace(&mut self, free: [bool; 2], now: Instant) -> Vec<Action> {
        match self.active {
            // A successor starts only when the one that leaves is gone, and its last records are taken (P5).
            Active::Serving { generation } if self.leaving.is_none() && free[1 - seat_of(generation)] => {
                let successor = self.give_out(1 - seat_of(generation));
                self.active = Active::Replacing { old: generation, successor, phase: Phase::Starting, since: now };
                vec![Action::Fork { generation: successor, owns: false }]
            }
            Active::Serving { .. } | Active::Starting { .. } | Active::Replacing { .. } | Active::Stopped => Vec::new(),
            Active::Waiting { .. } => {
                // Good code may have come: try at once.
                self.active = Active::Waiting { at: now };
                Vec::new()
            }
        }
    }

    fn on_stop(&mut self, now: Instant) -> Vec<Action> {
        match self.active {
            Active::Replacing { old, successor, phase, .. } => {
                self.active = Active::Serving { generation: old };
                self.leaving = Some(Leaving { generation: successor, since: now, is_killed: false });
                let mut actions = vec![Action::AskToLeave { generation: successor }];
                if phase == Phase::Offered {
                    actions.push(Action::Withdraw { from: old, to: successor });
                }
                actions
            }
            Active::Waiting { .. } => {
                self.active = Active::Waiting { at: now };
                Vec::new()
            }
            Active::Serving { .. } | Active::Starting { .. } | Active::Stopped => Vec::new(),
        }
    }

    /// The owner of an offer that a stop came too late to withdraw is the successor.
    pub fn swap_after_commit(&mut self) {
        if let (Active::Serving { generation }, Some(leaving)) = (self.active, self.leaving) {
            self.active = Active::Serving { generation: leaving.generation };
            self.leaving = Some(Leaving { generation, ..leaving });
        }
    }

    /// The inbox is closed and empty and no process is needed.
    pub fn stop_waiting(&mut self) {
        if matches!(self.active, Active::Waiting { .. }) {
            self.active = Active::Stopped;
        }
    }

    /// Whether it waits with its next process.
    pub fn is_waiting(&self) -> bool {
        matches!(self.active, Active::Waiting { .. })
    }

    fn wait_for(&mut self, delay: Duration, now: Instant) -> Vec<Action> {
        self.active = Active::Waiting { at: now + delay };
        if delay.is_zero() { Vec::new() } else { vec![Action::BackOff { delay }] }
    }

    /// After the death of a process that was ready: at once, unless it is the second fruitless one in a row.
    fn delay(&self) -> Duration {
        match self.fruitless {
            0 | 1 => Duration::ZERO,
            deaths => doubled(deaths - 2),
        }
    }

    /// After the death of a process that never got ready.
    fn early_delay(&self) -> Duration {
        doubled(self.fruitless.saturating_sub(1))
    }

    fn kill_at(&self, since: Instant) -> Option<Instant> {
        self.limits.max_wait.map(|wait| since + wait + GRACE)
    }

    /// The next generation for a seat that is free, the other seat than the last one's first.
    fn next_generation(&mut self, free: [bool; 2]) -> Option<Generation> {
        let other = 1 - seat_of(self.last);
        let seat = [other, 1 - other].into_iter().find(|seat| free[*seat])?;
        Some(self.give_out(seat))
    }

    fn give_out(&mut self, seat: usize) -> Generation {
        let next = self.last + 1;
        // A number is skipped where the other seat is the free one.
        self.last = if seat_of(next) == seat { next } else { next + 1 };
        self.last
    }
}

fn doubled(times: u32) -> Duration {
    FIRST_DELAY.saturating_mul(1 << times.min(16)).min(LONGEST_DELAY)
}

#[cfg(test)]
mod tests;
