//! One slot's life as a pure step: state and event in, state and actions out. The manager's loop does the rest.

mod forks;
#[cfg(test)]
mod tests;
mod words;

use std::time::{Duration, Instant};

use rotor_ipc::workers::{Generation, seat_of};

use forks::RecentForks;
pub use words::{Action, Overdue, SlotEvent};

/// A slot, as the manager sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    active: Active,
    /// A process that has handed over, or was told to go, and finishes what is pending.
    leaving: Option<Leaving>,
    /// Deaths in a row before ready, or without a finished message.
    fruitless: u32,
    /// Successors in a row that did not get ready.
    failed_successors: u32,
    /// Before this, only a reload asks for another successor.
    retry_at: Instant,
    /// The last generation given out.
    last: Generation,
    forks: RecentForks,
    limits: Limits,
}

/// Who serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Active {
    /// Nobody: the next process is forked at this time.
    Waiting { at: Instant },
    /// A process that owns the inbox and is not ready yet. A reload waits for it, and not for ever: `due` is when it is
    /// killed.
    Starting { generation: Generation, due: Option<Instant> },
    /// A ready process that owns the inbox.
    Serving { generation: Generation, since: Instant },
    /// Two: the old one serves until the successor is ready and it has handed over.
    Replacing { old: Generation, successor: Generation, phase: Phase, since: Instant },
    /// Where there is nothing to hand over: one that was told to end. Another follows, or none.
    Ending { leaving: Leaving, another: bool },
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

/// Limits, from the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a process may take to leave, a successor to get ready, and an offer to be taken; `None`: for ever.
    pub max_wait: Option<Duration>,
    /// The longest delay before the next process.
    pub max_delay: Duration,
    /// Whether its processes have an inbox that passes from one to the next. Where not, the old one ends before the
    /// new one starts.
    pub hands_over: bool,
}

const FIRST_DELAY: Duration = Duration::from_millis(100);
/// A process ends itself after `max_wait_time`; the manager kills it this much later.
pub(super) const GRACE: Duration = Duration::from_secs(1);
const SECOND: Duration = Duration::from_secs(1);

impl Slot {
    /// An empty slot, whose first process is forked at the next tick.
    pub fn new(limits: Limits, now: Instant) -> Self {
        Self {
            active: Active::Waiting { at: now },
            leaving: None,
            fruitless: 0,
            failed_successors: 0,
            retry_at: now,
            last: 1,
            forks: RecentForks::default(),
            limits,
        }
    }

    /// Whether no process lives in it and none will.
    pub fn is_stopped(&self) -> bool {
        self.active == Active::Stopped && self.leaving.is_none()
    }

    /// Whether it has, or is about to have, two processes, or one that makes room for another.
    pub fn is_replacing(&self) -> bool {
        matches!(self.active, Active::Replacing { .. } | Active::Ending { another: true, .. })
    }

    /// Whether its process owns the inbox and is not ready yet.
    pub fn is_starting(&self) -> bool {
        matches!(self.active, Active::Starting { .. })
    }

    /// Whether a new process may be asked for now; if not, it may be later.
    pub fn is_replaceable(&self, free: [bool; 2]) -> bool {
        match self.active {
            Active::Serving { generation, .. } if self.limits.hands_over => {
                self.leaving.is_none() && free[1 - seat_of(generation)]
            }
            Active::Serving { .. } | Active::Waiting { .. } | Active::Stopped => true,
            Active::Starting { .. } | Active::Replacing { .. } | Active::Ending { .. } => false,
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

    /// Whether new work is better given to another slot: its last process died early, and no other is ready.
    pub fn is_shunned(&self) -> bool {
        self.fruitless > 0 && matches!(self.active, Active::Waiting { .. } | Active::Starting { .. })
    }

    /// Whether its processes keep dying, and the present one has not yet shown that it does not.
    pub fn is_failing(&self, now: Instant) -> bool {
        self.fruitless > 1
            && match self.active {
                Active::Serving { since, .. } => now < since + self.proof(),
                Active::Ending { .. } | Active::Stopped => false,
                Active::Waiting { .. } | Active::Starting { .. } | Active::Replacing { .. } => true,
            }
    }

    /// Whether a finished message would change how long its next process waits.
    pub fn is_under_suspicion(&self) -> bool {
        self.fruitless > 0
    }

    /// Deaths in a row before ready, or without a finished message.
    pub fn deaths(&self) -> u32 {
        self.fruitless
    }

    /// The process that serves, or is about to.
    pub fn serving(&self) -> Option<Generation> {
        match self.active {
            Active::Serving { generation, .. } | Active::Starting { generation, .. } => Some(generation),
            Active::Replacing { old, .. } => Some(old),
            Active::Waiting { .. } | Active::Ending { .. } | Active::Stopped => None,
        }
    }

    /// When the slot needs a tick again.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let active = match self.active {
            Active::Waiting { at } => Some(at),
            Active::Replacing { since, phase: Phase::Starting, .. } => self.limits.max_wait.map(|wait| since + wait),
            Active::Replacing { since, phase: Phase::Offered, .. } => self.kill_at(since),
            Active::Ending { leaving, .. } if !leaving.is_killed => self.kill_at(leaving.since),
            Active::Serving { since, .. } => {
                let is_cleared_at = Some(since + self.proof()).filter(|_| self.is_failing(now));
                let is_tried_at = Some(self.retry_at).filter(|at| *at > now);
                is_cleared_at.into_iter().chain(is_tried_at).min()
            }
            Active::Starting { due, .. } => due,
            Active::Ending { .. } | Active::Stopped => None,
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
            SlotEvent::Fruitful { generation } => {
                if self.serving() == Some(generation) {
                    self.fruitless = 0;
                }
                Vec::new()
            }
            SlotEvent::Exited { generation, owner, was_fruitful, is_drained } => {
                self.on_exited(generation, owner, was_fruitful, is_drained, now)
            }
            SlotEvent::Replace { free, is_reload } => self.on_replace(free, is_reload, now),
            SlotEvent::Stop => self.on_stop(now),
        };
        (self, actions)
    }

    fn on_tick(&mut self, free: [bool; 2], now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        let kill_after = self.limits.max_wait.map(|wait| wait + GRACE);
        let ending = match &mut self.active {
            Active::Ending { leaving, .. } => Some(leaving),
            _ => None,
        };
        for leaving in self.leaving.iter_mut().chain(ending) {
            if !leaving.is_killed && kill_after.is_some_and(|after| now >= leaving.since + after) {
                leaving.is_killed = true;
                actions.push(Action::Kill { generation: leaving.generation, because: Overdue::Leaving });
            }
        }
        match self.active {
            Active::Waiting { at } if now >= at => {
                if let Some(generation) = self.next_generation(free) {
                    self.active = Active::Starting { generation, due: None };
                    self.forks.note(now);
                    actions.push(Action::Fork { generation, owns: true });
                }
            }
            Active::Starting { generation, due: Some(due) } if now >= due => {
                self.active = Active::Starting { generation, due: self.limits.max_wait.map(|wait| now + wait) };
                actions.push(Action::Kill { generation, because: Overdue::Starting });
            }
            Active::Replacing { old, successor, phase, since } if self.is_overdue(phase, since, now) => {
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
            | Active::Ending { .. }
            | Active::Stopped => {}
        }
        actions
    }

    fn on_fork_failed(&mut self, failed: Generation, now: Instant) -> Vec<Action> {
        match self.active {
            Active::Starting { generation, .. } if generation == failed => {
                self.fruitless += 1;
                self.wait_for(self.early_delay(), now)
            }
            Active::Replacing { old, successor, .. } if successor == failed => self.keep_old(old, now),
            Active::Starting { .. }
            | Active::Replacing { .. }
            | Active::Waiting { .. }
            | Active::Serving { .. }
            | Active::Ending { .. }
            | Active::Stopped => Vec::new(),
        }
    }

    fn on_ready(&mut self, ready: Generation, now: Instant) -> Vec<Action> {
        match self.active {
            Active::Starting { generation, .. } if generation == ready => {
                self.active = Active::Serving { generation, since: now };
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
            | Active::Ending { .. }
            | Active::Stopped => Vec::new(),
        }
    }

    fn on_owned(&mut self, owner: Generation, now: Instant) -> Vec<Action> {
        match self.active {
            Active::Replacing { old, successor, since, .. } if owner == successor => {
                self.active = Active::Serving { generation: successor, since: now };
                // It was asked to leave with the offer, and its time counts from there.
                self.leaving = Some(Leaving { generation: old, since, is_killed: false });
                self.failed_successors = 0;
                vec![Action::Replaced]
            }
            Active::Replacing { .. }
            | Active::Starting { .. }
            | Active::Waiting { .. }
            | Active::Serving { .. }
            | Active::Ending { .. }
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
            Active::Starting { generation, .. } if generation == dead => {
                if is_drained {
                    self.active = Active::Stopped;
                    return Vec::new();
                }
                self.fruitless += 1;
                self.wait_for(self.early_delay(), now)
            }
            Active::Serving { generation, .. } if generation == dead => {
                if is_drained {
                    self.active = Active::Stopped;
                    return Vec::new();
                }
                self.fruitless = if was_fruitful { 0 } else { self.fruitless + 1 };
                self.wait_for(self.delay(), now)
            }
            Active::Replacing { old, successor, since, .. } if successor == dead => {
                if owner == successor {
                    // It had been given the inbox already: the old one leaves, and this is a crash like any.
                    self.leaving = Some(Leaving { generation: old, since, is_killed: false });
                    self.fruitless = if was_fruitful { 0 } else { self.fruitless + 1 };
                    let mut actions = vec![Action::Replaced];
                    actions.extend(self.wait_for(self.delay(), now));
                    return actions;
                }
                self.keep_old(old, now)
            }
            Active::Replacing { old, successor, phase, .. } if old == dead => match phase {
                Phase::Offered => {
                    self.active = Active::Serving { generation: successor, since: now };
                    vec![Action::Replaced]
                }
                Phase::Starting => {
                    self.active = Active::Starting { generation: successor, due: None };
                    vec![Action::Appoint { generation: successor }, Action::Replaced]
                }
            },
            Active::Ending { leaving, another } if leaving.generation == dead => {
                if !another || is_drained {
                    self.active = Active::Stopped;
                    return Vec::new();
                }
                if was_fruitful {
                    self.fruitless = 0;
                }
                self.wait_for(Duration::ZERO, now)
            }
            Active::Starting { .. }
            | Active::Serving { .. }
            | Active::Replacing { .. }
            | Active::Ending { .. }
            | Active::Waiting { .. }
            | Active::Stopped => Vec::new(),
        }
    }

    fn on_replace(&mut self, free: [bool; 2], is_reload: bool, now: Instant) -> Vec<Action> {
        match self.active {
            Active::Serving { generation, .. } if !self.limits.hands_over => {
                let leaving = Leaving { generation, since: now, is_killed: false };
                self.active = Active::Ending { leaving, another: true };
                vec![Action::AskToLeave { generation }]
            }
            // A successor starts only when the one that leaves is gone, and its last records are taken (P5).
            Active::Serving { generation, .. }
                if self.leaving.is_none() && free[1 - seat_of(generation)] && (is_reload || now >= self.retry_at) =>
            {
                if !is_reload {
                    // However often they ask: a `max_request` that is reached at once must not fork all the time.
                    let room_after = self.forks.room_after(now);
                    if !room_after.is_zero() {
                        self.retry_at = now + room_after;
                        return Vec::new();
                    }
                    self.forks.note(now);
                }
                let successor = self.give_out(1 - seat_of(generation));
                self.active = Active::Replacing { old: generation, successor, phase: Phase::Starting, since: now };
                vec![Action::Fork { generation: successor, owns: false }]
            }
            Active::Waiting { .. } if is_reload => self.wait_for(Duration::ZERO, now),
            Active::Starting { generation, due: None } if is_reload => {
                self.active = Active::Starting { generation, due: self.limits.max_wait.map(|wait| now + wait) };
                Vec::new()
            }
            Active::Serving { .. }
            | Active::Starting { .. }
            | Active::Replacing { .. }
            | Active::Waiting { .. }
            | Active::Ending { .. }
            | Active::Stopped => Vec::new(),
        }
    }

    fn on_stop(&mut self, now: Instant) -> Vec<Action> {
        match self.active {
            Active::Replacing { old, successor, phase, .. } => {
                self.active = Active::Serving { generation: old, since: now };
                self.leaving = Some(Leaving { generation: successor, since: now, is_killed: false });
                let mut actions = vec![Action::AskToLeave { generation: successor }];
                if phase == Phase::Offered {
                    actions.push(Action::Withdraw { from: old, to: successor });
                }
                actions
            }
            Active::Serving { generation, .. } | Active::Starting { generation, .. } if !self.limits.hands_over => {
                let leaving = Leaving { generation, since: now, is_killed: false };
                self.active = Active::Ending { leaving, another: false };
                vec![Action::AskToLeave { generation }]
            }
            Active::Ending { leaving, .. } => {
                self.active = Active::Ending { leaving, another: false };
                Vec::new()
            }
            Active::Waiting { .. } if self.limits.hands_over => {
                self.active = Active::Waiting { at: now };
                Vec::new()
            }
            Active::Waiting { .. } => {
                self.active = Active::Stopped;
                Vec::new()
            }
            Active::Serving { .. } | Active::Starting { .. } | Active::Stopped => Vec::new(),
        }
    }

    /// The owner of an offer that a stop came too late to withdraw is the successor.
    pub fn swap_after_commit(&mut self) {
        if let (Active::Serving { generation, since }, Some(leaving)) = (self.active, self.leaving) {
            self.active = Active::Serving { generation: leaving.generation, since };
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

    fn keep_old(&mut self, old: Generation, now: Instant) -> Vec<Action> {
        self.active = Active::Serving { generation: old, since: now };
        self.retry_at = now + doubled(self.failed_successors).min(self.limits.max_delay);
        self.failed_successors += 1;
        vec![Action::KeptOld]
    }

    fn wait_for(&mut self, delay: Duration, now: Instant) -> Vec<Action> {
        let delay = delay.max(self.forks.room_after(now));
        self.active = Active::Waiting { at: now + delay };
        if delay.is_zero() { Vec::new() } else { vec![Action::BackOff { delay }] }
    }

    /// After the death of a process that was ready: at once, unless it is the second fruitless one in a row.
    fn delay(&self) -> Duration {
        match self.fruitless {
            0 | 1 => Duration::ZERO,
            deaths => doubled(deaths - 2).min(self.limits.max_delay),
        }
    }

    /// After the death of a process that never got ready.
    fn early_delay(&self) -> Duration {
        doubled(self.fruitless.saturating_sub(1)).min(self.limits.max_delay)
    }

    /// How long a process has to live to show that it does not die like those before.
    fn proof(&self) -> Duration {
        self.limits.max_delay.max(SECOND)
    }

    fn is_overdue(&self, phase: Phase, since: Instant, now: Instant) -> bool {
        let grace = match phase {
            Phase::Starting => Duration::ZERO,
            Phase::Offered => GRACE,
        };
        self.limits.max_wait.is_some_and(|wait| now >= since + wait + grace)
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
    FIRST_DELAY.saturating_mul(1 << times.min(16))
}
