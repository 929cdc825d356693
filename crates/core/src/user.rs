//! A user process: one callback of the script's for as long as it likes, restarted by the manager when it ends.
//!
//! It runs no loop of ours: what it sends is published and woken for at once, and a stop reaches it as SIGTERM,
//! which ends it unless the callback has a handler of its own.

use std::fs::File;
use std::os::fd::AsFd;
use std::rc::Rc;

use rotor_ipc::WorkerId;
use rotor_ipc::workers::{SeatEntry, SeatState, seat_of};
use rotor_sys::own::Own;
use rotor_sys::process;
use rotor_sys::signal::Signals;

use crate::host::{End, Event, Host, Outcome, Role};
use crate::outlets::Outlets;
use crate::process::{Context, Process};
use crate::signals::{SIGCHLD, SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
use crate::worker::Identity;

struct UserProcess {
    context: Context,
    id: WorkerId,
    process: Rc<Process>,
    seat: &'static SeatEntry,
    /// Kills this process once the manager is dead.
    _life: Option<Own<File>>,
    /// Puts the actions back that the process had before, once it has no part in the server any more.
    _signals: Signals,
}

/// Runs the user process with this number in the process that was just forked for it.
pub fn run(identity: Identity, index: usize, context: &Context, host: &mut dyn Host) -> End {
    let log = context.log.speaking_as(context.who(identity.worker));
    let context = Context { log, ..context.clone() };
    match UserProcess::new(identity, context.clone()) {
        Ok(user) => {
            let end = user.live(index, host);
            rotor_sys::signal::keep_to_the_end();
            end
        }
        Err(error) => {
            context.log.error(&format!("the user process cannot start: {error}"));
            End::Leave { code: 1 }
        }
    }
}

impl UserProcess {
    fn new(identity: Identity, context: Context) -> std::io::Result<Self> {
        let Identity { worker: id, generation, manager, manager_life, blocked, .. } = identity;
        // No loop watches the pipe here. Where there is no /proc the parent's death has to do.
        let life = process::die_with(manager_life.as_fd()).ok();
        crate::identity::take_on(&context)?;
        process::die_with_parent()?;
        if process::parent_id() != manager {
            return Err(std::io::Error::other("the manager has died"));
        }
        let signals = Signals::begin()?;
        for signal in [SIGTERM, SIGCHLD] {
            signals.default(signal)?;
        }
        for signal in [SIGINT, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2, SIGWINCH, rotor_sys::signal::sigrtmin()] {
            signals.ignore(signal)?;
        }
        blocked.end_hearing();
        let segment = context.segment;
        segment.protect()?;
        let seat = seat_of(generation);
        // Without it a crash explains less, and nothing else.
        let _ = rotor_sys::crash::tell_in(&segment.seat(id, seat).crash, segment.manager_bell().as_fd());
        rotor_sys::trace::allow(manager);
        let outlets = Outlets::of_user_process(segment, id, seat)?;
        let process = Process::of_user_process(id, seat, context.clone(), outlets);
        Ok(Self { id, process, seat: segment.seat(id, seat), _life: life, _signals: signals, context })
    }

    fn live(&self, index: usize, host: &mut dyn Host) -> End {
        host.entered(Role::UserProcess(self.id), self.process.clone());
        self.seat.set_state(SeatState::Busy);
        self.context.segment.manager_bell().write();
        if self.seat.is_asked_to_leave() {
            // The manager may have no right to send the SIGTERM that goes with it.
            host.left();
            return End::Leave { code: 0 };
        }
        let end = match host.call(Event::UserProcess { index }) {
            Outcome::Returned => End::Leave { code: 0 },
            Outcome::Threw => End::UNCAUGHT,
            Outcome::Ended(end) => end,
        };
        self.context.log.settle();
        host.left();
        end
    }
}
