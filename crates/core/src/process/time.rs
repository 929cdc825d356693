//! What user code can do about callbacks that take long: look at them, and give them more time.

use std::time::Duration;

use rotor_ipc::sync::Ordering::AcqRel;
use rotor_ipc::workers::seat_of;
use rotor_sys::clock::monotonic_ns;
use rotor_sys::process::id;

use super::{Process, request};
use crate::error::{CallError, code, describe_errno};
use crate::host::Role;
use crate::slow_log::Account;
use crate::trace::{Look, Manner, StackReader, Subject};

impl Process {
    /// What a worker is doing: as it stands in the slow log.
    pub fn trace(&self, worker: i64, reader: StackReader) -> Result<String, CallError> {
        if let Role::EventWorker(_) = self.role {
            let message = "an event worker serves; call it in the master, the manager or a user process";
            return Err(CallError::new(code::WRONG_OPERATION, message));
        }
        let worker = self.existing_worker(worker)?;
        let segment = self.context.segment;
        let seat = segment.seat(worker, seat_of(segment.slot(worker).owner().current()));
        let pid = seat.pid();
        let gone = || CallError::new(code::WRONG_OPERATION, format!("worker {worker} has no process at the moment"));
        if pid == 0 {
            return Err(gone());
        }
        if pid == id() {
            let message = format!("worker {worker} is this process, which debug_print_backtrace() shows");
            return Err(CallError::new(code::WRONG_OPERATION, message));
        }
        // Whatever it does, until it is another process.
        let is_there = || seat.pid() == pid;
        let frames = match (Subject { pid, reader, is_there: &is_there }).look(Manner::AsItIs, PATIENCE) {
            Look::Stack { frames, .. } => frames,
            Look::Elsewhere | Look::Over => return Err(gone()),
            Look::NotYet(_) => {
                let message = format!("worker {worker} (pid {pid}) could not be held in {} s", PATIENCE.as_secs());
                return Err(CallError::new(code::WRONG_OPERATION, message));
            }
            Look::Refused(error) => {
                let errno = error.raw_os_error().unwrap_or(code::WRONG_OPERATION);
                let message =
                    format!("cannot look into worker {worker} (pid {pid}): {}; {PERMISSION}", describe_errno(errno));
                return Err(CallError::new(errno, message));
            }
        };
        let held = seat.in_hand.look();
        let since_ns = held.map(|held| held.since_ns);
        let now_ns = monotonic_ns();
        let seconds = Duration::from_nanos(now_ns.saturating_sub(since_ns.unwrap_or(now_ns))).as_secs_f64();
        let (session, kind) = (held.map_or(0, |held| held.session), held.map(|held| held.kind));
        Ok(Account { worker, pid, session, seconds, kind, facts: String::new(), frames }.to_string())
    }

    /// Lets the callback that runs take until `seconds` from now, whatever `request_timeout` says.
    pub fn extend_timeout(&self, seconds: f64) -> Result<(), CallError> {
        let time = Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero()).ok_or_else(|| {
            CallError::new(code::INVALID_PARAMS, format!("$seconds must be greater than 0, {seconds:?} given"))
        })?;
        let held = match (self.role, self.seat) {
            (Role::EventWorker(_), Some(seat)) => seat.in_hand.get().map(|held| (seat, held)),
            _ => None,
        };
        let Some((seat, held)) = held else {
            let message = "no callback for a connection or a datagram runs in this process; call it in onReceive, onPacket and the like";
            return Err(CallError::new(code::WRONG_OPERATION, message));
        };
        let Some(limit) = self.context.settings.request_timeout else {
            // It may take for ever.
            return Ok(());
        };
        let ns = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let before_ns = seat.extension.of(held.since_ns).unwrap_or(held.since_ns.saturating_add(ns(limit)));
        let until_ns = monotonic_ns().saturating_add(ns(time));
        seat.extension.set(held.since_ns, until_ns);
        if until_ns < before_ns {
            // The manager sleeps until the former end.
            self.context.segment.header().requests.fetch_or(request::HURRY, AcqRel);
            self.context.segment.manager_bell().write();
        }
        Ok(())
    }
}

/// For the kernel to hold a running worker.
const PATIENCE: Duration = Duration::from_secs(2);
/// What it takes to look into a process.
pub(crate) const PERMISSION: &str = "it needs the same user, or CAP_SYS_PTRACE, and a kernel (Yama) that allows it";
