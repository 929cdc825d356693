//! The orderly stop, and the one by force.

use std::time::{Duration, Instant};

use rotor_ipc::sync::Ordering::{AcqRel, Relaxed};
use rotor_sys::clock::monotonic_ns;

use super::slot::{GRACE, Slot, SlotEvent};
use super::{Ended, Manager};
use crate::host::{End, Event, Host};
use crate::process::request;
use crate::signals::SIGKILL;

/// A stop that is under way.
pub(super) struct Stop {
    /// When what still lives is killed; `None`: never.
    pub(super) kill_at: Option<Instant>,
    pub(super) is_killed: bool,
    /// Whether the user processes know.
    is_told: bool,
}

impl Stop {
    /// A stop that has been draining since then (monotonic ns).
    pub(super) fn begin(max_wait: Option<Duration>, since_ns: u64) -> Self {
        let passed = Duration::from_nanos(monotonic_ns().saturating_sub(since_ns));
        Self {
            kill_at: max_wait.map(|wait| Instant::now() + (wait + GRACE).saturating_sub(passed)),
            is_killed: false,
            is_told: false,
        }
    }
}

impl Manager {
    pub(super) fn go_on_stopping(&mut self, host: &mut dyn Host) -> Option<Ended> {
        let is_forced = self.context.is_asked(request::FORCE);
        let stop = self.stop.as_mut()?;
        let is_late = stop.kill_at.is_some_and(|kill_at| Instant::now() >= kill_at);
        if (is_forced || is_late) && !stop.is_killed {
            stop.is_killed = true;
            let why = if is_forced { "a second signal" } else { "max_wait_time has passed" };
            let since_ns = self.segment.header().drain_since_ns.load(Relaxed);
            let after_ms = monotonic_ns().saturating_sub(since_ns) / 1_000_000;
            for worker in self.segment.slot_ids() {
                for (seat, member) in self.crew.of(worker) {
                    let hand = self.segment.seat(worker, seat).in_hand.get().map_or(0, |held| held.session);
                    let who = self.context.who(worker);
                    let facts = format!("session={hand} after={after_ms}ms");
                    self.context.log.warning(&format!("kills {who} pid={}: {why}; {facts}", member.pid));
                }
            }
        }
        if self.stop.as_ref().is_some_and(|stop| stop.is_killed) {
            self.signal(self.segment.slot_ids(), SIGKILL);
            for slot in &mut self.slots {
                slot.stop_waiting();
            }
        }
        if self.slots[..self.segment.workers()].iter().all(Slot::is_stopped)
            && let Some(stop) = &mut self.stop
            && !std::mem::replace(&mut stop.is_told, true)
        {
            // Last, since workers that finish their work may need them.
            for process in self.segment.process_ids() {
                self.step(process, SlotEvent::Stop);
            }
        }
        if !self.slots.iter().all(Slot::is_stopped) {
            return None;
        }
        if self.reload.is_some() {
            // Callbacks that waited have kept it from coming to its end.
            self.finish_reload(false);
        }
        self.segment.header().requests.fetch_or(request::WORKERS_GONE, AcqRel);
        self.segment.main_bell().write();
        self.callbacks.push_back(Event::ManagerStop);
        while self.end.is_none()
            && let Some(event) = self.callbacks.pop_front()
        {
            let outcome = host.call(event);
            self.after_callback(outcome);
        }
        Some(Ended::Manager(self.end.unwrap_or(End::Leave { code: 0 })))
    }

    /// Whether no worker is replaced any more.
    pub(super) fn is_ending(&self) -> bool {
        self.stop.is_some() || self.end.is_some()
    }
}
