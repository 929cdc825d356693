//! Processes that have crashed and wait to be looked at: the manager says what they were doing, and lets them die.

use std::time::Duration;

use rotor_ipc::WorkerId;
use rotor_sys::clock::monotonic_ns;
use rotor_sys::crash::{Cause, Crash};
use rotor_sys::process::signal_name;
use rotor_sys::trace::Hold;

use super::Manager;
use super::crew::Member;
use crate::host::Host;
use crate::process::PERMISSION;
use crate::slow_log::Account;
use crate::trace::{Look, Manner, Subject};

/// A look at a crashed process for which the kernel needed more time.
pub(super) struct Crashed {
    worker: WorkerId,
    seat: usize,
    hold: Hold,
}

impl Manager {
    /// Looks at the processes that have crashed.
    pub(super) fn look_at_crashes(&mut self, host: &dyn Host) {
        let mut held = std::mem::take(&mut self.crashed);
        for worker in self.segment.slot_ids() {
            for seat in 0..2 {
                let Some(Member { pid, .. }) = self.crew.in_seat(worker, seat) else { continue };
                let Some(crash) = self.segment.seat(worker, seat).crash.crash() else { continue };
                let place = held.iter().position(|crashed| crashed.worker == worker && crashed.seat == seat);
                let hold = place.map(|place| held.swap_remove(place).hold);
                self.look_at_crash((worker, seat, pid), crash, hold, host);
            }
        }
    }

    fn look_at_crash(
        &mut self,
        (worker, seat, pid): (WorkerId, usize, i32),
        crash: Crash,
        hold: Option<Hold>,
        host: &dyn Host,
    ) {
        let entry = self.segment.seat(worker, seat);
        // Nobody else reaps it.
        let is_there = || true;
        let subject = Subject { pid, reader: host.stack_reader(), is_there: &is_there };
        let look = match hold {
            Some(hold) => subject.go_on(hold, PATIENCE),
            None => subject.look(Manner::AsItIs, PATIENCE),
        };
        let (frames, refused) = match look {
            Look::Stack { frames, .. } => (frames, None),
            Look::Elsewhere | Look::Over => (Vec::new(), None),
            Look::NotYet(hold) => return self.crashed.push(Crashed { worker, seat, hold }),
            Look::Refused(error) => (Vec::new(), Some(error)),
        };
        let held = entry.in_hand.get();
        let now_ns = monotonic_ns();
        let since_ns = held.map_or(now_ns, |held| held.since_ns);
        let account = Account {
            worker,
            pid,
            session: held.map_or(0, |held| held.session),
            seconds: Duration::from_nanos(now_ns.saturating_sub(since_ns)).as_secs_f64(),
            kind: held.map(|held| held.kind),
            facts: String::new(),
            frames,
        };
        let log = self.context.log.speaking_for(self.context.kind_of(worker).who(worker), pid);
        account.log(&log, &|log, line| log.error(line), &format!("crashed: {}", describe(crash)));
        if let Some(error) = refused {
            log.error(&format!("its PHP stack cannot be read: {error}; {PERMISSION}"));
        }
        log.error(&format!("its build: {}", host.build()));
        entry.crash.let_go();
    }

    /// Whether a look at a crashed process has to be gone on with.
    pub(super) fn has_crashed(&self) -> bool {
        !self.crashed.is_empty()
    }
}

fn describe(crash: Crash) -> String {
    let name = signal_name(crash.signal);
    match crash.cause {
        Cause::Address(address) => format!("{name} address={address:#x}"),
        Cause::Sender(pid) => format!("{name} from={pid}"),
    }
}

/// For the kernel to hold a process that is just about to wait.
const PATIENCE: Duration = Duration::from_millis(20);
