//! A reload: a new process for each slot, some at a time.

use std::collections::VecDeque;

use rotor_ipc::WorkerId;
use rotor_ipc::sync::Ordering::{AcqRel, Relaxed};

use super::slot::{Slot, SlotEvent};
use super::{Ended, Manager};
use crate::host::{Event, Host};
use crate::process::request;

/// A reload that is under way.
pub(super) struct Reload {
    pub(super) left: VecDeque<WorkerId>,
    /// Slots that had no process: they are tried at once, and count by whether that gets ready.
    pub(super) revived: Vec<WorkerId>,
    pub(super) success: bool,
}

impl Manager {
    pub(super) fn go_on_reloading(&mut self, host: &mut dyn Host) -> Option<Ended> {
        // The callback that announces it comes first.
        if self.reload.is_none() || !self.callbacks.is_empty() {
            return None;
        }
        if self.is_ending() {
            self.finish_reload(false);
            return None;
        }
        let is_async = self.context.settings.reload_async;
        let at_once = if is_async { (self.slots.len() / 2).max(1) } else { 1 };
        loop {
            let busy = |slot: &&Slot| slot.is_replacing() || (!is_async && slot.is_leaving());
            let Some(reload) = &self.reload else { return None };
            let reviving = reload.revived.iter().filter(|worker| self.slots[worker.index()].is_starting()).count();
            let busy = self.slots.iter().filter(busy).count() + reviving;
            if busy >= at_once {
                return None;
            }
            // A slot whose process is not ready, or whose last one is not gone without a trace, comes later.
            let is_ready = |worker: &WorkerId| self.slots[worker.index()].is_replaceable(self.free_seats(*worker));
            let ready = reload.left.iter().position(is_ready);
            let Some(reload) = &mut self.reload else { return None };
            let Some(worker) = ready.and_then(|at| reload.left.remove(at)) else {
                if reload.left.is_empty() && busy == 0 {
                    let has_come_back = |worker: &WorkerId| self.slots[worker.index()].serving().is_some();
                    let success = reload.success && reload.revived.iter().all(has_come_back);
                    self.finish_reload(success);
                }
                return None;
            };
            if self.slots[worker.index()].is_waiting() {
                reload.revived.push(worker);
            }
            let free = self.free_seats(worker);
            for event in [SlotEvent::Replace { free }, SlotEvent::Tick { free }] {
                if let Some(ended) = self.step_and_fork(worker, event, host) {
                    return Some(ended);
                }
            }
        }
    }

    pub(super) fn finish_reload(&mut self, success: bool) {
        self.reload = None;
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
        if std::mem::take(&mut self.reload_again) {
            self.segment.header().requests.fetch_or(request::RELOAD, AcqRel);
        }
    }
}
