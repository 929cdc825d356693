//! The last part of a worker's life: it takes nothing more, and ends when nothing is pending.

use std::time::{Duration, Instant};

use rotor_ipc::sync::Ordering::Relaxed;
use rotor_ipc::workers::SeatState;
use rotor_sys::clock::monotonic_ns;

use super::{LIFE, Worker};
use crate::host::{End, Event, Host, Outcome};

/// `onWorkerExit` is called again after a wait that nothing has ended.
const EXIT_EVERY: Duration = Duration::from_millis(100);

impl Worker {
    pub(super) fn leave(&mut self, host: &mut dyn Host) -> End {
        self.seat.set_state(SeatState::Leaving);
        self.process.flush();
        let began = Instant::now();
        let deadline = self.deadline();
        self.context.log.notice("leaving");
        loop {
            if let Outcome::Ended(end) = host.call(Event::WorkerExit(self.id)) {
                return end;
            }
            let Some(pending) = host.pending() else { break };
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                self.context.log.warning(&format!(
                    "does not wait any longer than max_wait_time; after={}ms; pending={pending}",
                    began.elapsed().as_millis()
                ));
                break;
            }
            if let Some(end) = self.wait_for_user_code(host, deadline) {
                return end;
            }
        }
        if let Outcome::Ended(end) = host.call(Event::WorkerStop(self.id)) {
            return end;
        }
        self.process.flush();
        self.context.log.notice(&format!("left; after={}ms", began.elapsed().as_millis()));
        End::Leave { code: 0 }
    }

    /// When its time is over, counted from when it was told to go.
    fn deadline(&self) -> Option<Instant> {
        let told_ns = match self.seat.leave_since_ns() {
            told_ns if told_ns != 0 && self.inbox.is_none() => told_ns,
            // The owner of the inbox goes because of the stop, whatever it was offered once: nobody has taken it over.
            _ => self.segment.header().drain_since_ns.load(Relaxed),
        };
        let now_ns = monotonic_ns();
        let passed = if told_ns == 0 { 0 } else { now_ns.saturating_sub(told_ns) };
        let wait = self.context.settings.max_wait_time?;
        Some(Instant::now() + wait.saturating_sub(Duration::from_nanos(passed)))
    }

    fn wait_for_user_code(&mut self, host: &mut dyn Host, deadline: Option<Instant>) -> Option<End> {
        self.process.flush();
        let left = deadline.map_or(EXIT_EVERY, |deadline| deadline.saturating_duration_since(Instant::now()));
        // The only error is an interrupt: the signal is user code's, and is looked at next.
        let waited = self.epoll.wait(&mut self.events, Some(left.min(EXIT_EVERY)));
        if waited.is_ok() && self.events.iter().any(|event| event.token() == LIFE) {
            self.context.log.error("the manager has died; the worker ends");
            return Some(End::Leave { code: 1 });
        }
        match host.interrupt() {
            Outcome::Ended(end) => Some(end),
            Outcome::Returned | Outcome::Threw => None,
        }
    }
}
