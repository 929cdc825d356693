//! A reload: a new process for each slot, some at a time.

use std::collections::VecDeque;

use rotor_ipc::WorkerId;
use rotor_ipc::sync::Ordering::{AcqRel, Relaxed};
use rotor_sys::clock::monotonic_ns;

use super::slot::{Slot, SlotEvent};
use super::{Ended, Manager};
use crate::host::{Event, Host};
use crate::process::{reload_result, request};

/// A reload that is under way.
pub(super) struct Reload {
    left: VecDeque<WorkerId>,
    /// Slots that have a successor because of it.
    under_way: Vec<WorkerId>,
    /// Slots whose inbox has nobody: their next process counts by whether it gets ready.
    revived: Vec<Revived>,
    /// The slot that has got its new process last: where one goes after the other its old one has to be gone first.
    last: Option<WorkerId>,
    success: bool,
    /// Its first process has seen to it that all of them load what is there now.
    has_new_code: bool,
}

struct Revived {
    worker: WorkerId,
    /// How often its processes had died in a row by then.
    deaths: u32,
}

impl Reload {
    /// Of these slots.
    pub(super) fn of(slots: impl Iterator<Item = WorkerId>) -> Self {
        Self {
            left: slots.collect(),
            under_way: Vec::new(),
            revived: Vec::new(),
            last: None,
            success: true,
            has_new_code: false,
        }
    }

    /// A slot has its new process, or has kept its old one. Where a worker had asked for a successor itself that says
    /// nothing about the reload.
    pub(super) fn note(&mut self, worker: WorkerId, is_replaced: bool) {
        if let Some(place) = self.under_way.iter().position(|other| *other == worker) {
            self.under_way.swap_remove(place);
            self.success &= is_replaced;
            self.last = Some(worker);
        }
    }

    /// Counts a slot by what becomes of its next process.
    pub(super) fn revive(&mut self, worker: WorkerId, slot: &Slot) {
        self.revived.push(Revived { worker, deaths: slot.deaths() });
    }

    /// The slots of which it is not known yet whether their next process gets ready.
    fn reviving(&self, slots: &[Slot]) -> usize {
        let is_open = |revived: &&Revived| {
            let slot = &slots[revived.worker.index()];
            // Where there is nothing to hand over the old process ends first.
            let is_between = slot.serving().is_none() && slot.is_replacing();
            slot.is_starting() || is_between || (slot.is_waiting() && slot.deaths() == revived.deaths)
        };
        self.revived.iter().filter(is_open).count()
    }

    /// Whether all that it has begun is done, whoever else is given a successor meanwhile.
    fn is_done(&self, slots: &[Slot], is_async: bool) -> bool {
        let is_old_gone = is_async || self.last.is_none_or(|last| !slots[last.index()].is_leaving());
        self.left.is_empty() && self.under_way.is_empty() && is_old_gone && self.reviving(slots) == 0
    }

    fn has_succeeded(&self, slots: &[Slot]) -> bool {
        self.success && self.revived.iter().all(|revived| slots[revived.worker.index()].serving().is_some())
    }
}

impl Manager {
    /// Sees to it that the process about to be forked loads the code that is there now: once in a reload, behind its
    /// `onBeforeReload`, and for each respawn and each single successor.
    pub(super) fn renew_code(&mut self, host: &mut dyn Host) {
        if let Some(reload) = &mut self.reload
            && std::mem::replace(&mut reload.has_new_code, true)
        {
            return;
        }
        let mut trouble = None;
        let outcome = host.renew_code(&mut |why| trouble = Some(why));
        self.after_callback(outcome);
        if trouble != self.code_trouble {
            if let Some(why) = &trouble {
                self.context.log.warning(&format!("new processes do without opcache: {why}"));
            }
            self.code_trouble = trouble;
        }
    }

    /// Whether slots wait for the reload that could have their new process now. Who asks for a successor waits behind
    /// them: workers that ask again and again would take all places, for ever.
    pub(super) fn is_reload_next(&self) -> bool {
        self.reload.as_ref().is_some_and(|reload| {
            reload.left.iter().any(|worker| self.slots[worker.index()].is_replaceable(self.free_seats(*worker)))
        })
    }

    pub(super) fn go_on_reloading(&mut self, host: &mut dyn Host) -> Option<Ended> {
        // The callback that announces it comes first.
        if self.reload.is_none() || !self.callbacks.is_empty() {
            return None;
        }
        if self.is_ending() {
            self.finish_reload(false);
            return None;
        }
        self.hurry_starting();
        let is_async = self.context.settings.reload_async;
        let at_once = if is_async { self.context.settings.reload_concurrency as usize } else { 1 };
        loop {
            let workers = &self.slots[..self.segment.workers()];
            let leaving = workers.iter().filter(|slot| !is_async && slot.is_leaving() && !slot.is_replacing());
            let mut busy = self.replacing() + leaving.count();
            let Some(reload) = &mut self.reload else { return None };
            if reload.is_done(&self.slots, is_async) {
                let success = reload.has_succeeded(&self.slots);
                self.finish_reload(success);
                return None;
            }
            busy += reload.reviving(&self.slots);
            if busy >= at_once {
                return None;
            }
            // A slot whose process is not ready, or whose last one is not gone without a trace, comes later.
            let segment = self.segment;
            let is_ready =
                |worker: &WorkerId| self.slots[worker.index()].is_replaceable(self.crew.free_seats(segment, *worker));
            let ready = reload.left.iter().position(is_ready);
            let worker = ready.and_then(|at| reload.left.remove(at))?;
            if self.slots[worker.index()].is_waiting() || !self.segment.has_inbox(worker) {
                reload.revive(worker, &self.slots[worker.index()]);
            } else {
                reload.under_way.push(worker);
            }
            let free = self.free_seats(worker);
            for event in [SlotEvent::Replace { free, is_reload: true }, SlotEvent::Tick { free }] {
                if let Some(ended) = self.step_and_fork(worker, event, host) {
                    return Some(ended);
                }
            }
        }
    }

    /// A process that is not ready yet and that the reload waits for has `max_wait_time` left: it may be one that never
    /// gets ready, and whose successor would.
    fn hurry_starting(&mut self) {
        let Some(reload) = &self.reload else { return };
        let revived = reload.revived.iter().map(|revived| revived.worker);
        let starting =
            reload.left.iter().copied().chain(revived).filter(|worker| self.slots[worker.index()].is_starting());
        for worker in starting.collect::<Vec<_>>() {
            let free = self.free_seats(worker);
            self.step(worker, SlotEvent::Replace { free, is_reload: true });
        }
    }

    pub(super) fn finish_reload(&mut self, success: bool) {
        self.reload = None;
        let result = if success { reload_result::SUCCESS } else { reload_result::FAILURE };
        self.segment.header().last_reload.store(result, Relaxed);
        self.segment.header().requests.fetch_and(!request::RELOADING, AcqRel);
        if success {
            self.context.log.notice("reloaded");
        } else if self.is_ending() {
            self.context.log.notice("the reload ends unfinished: the server stops");
        } else {
            self.segment.header().failed_reloads.fetch_add(1, Relaxed);
            self.context.log.error("the reload has failed: at least one worker kept its old process");
        }
        self.callbacks.push_back(Event::AfterReload { success });
        self.reload_signals.is_over(monotonic_ns());
        if std::mem::take(&mut self.reload_again) {
            self.segment.header().requests.fetch_or(request::RELOAD, AcqRel);
        }
    }
}
