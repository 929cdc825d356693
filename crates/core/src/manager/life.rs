//! The processes of the slots: forked, reaped, recovered, reported.

use std::time::Instant;

use rotor_ipc::record::{CLOSES_IN_HAND, Kind, NO_HEAD};
use rotor_ipc::sessions::Flag;
use rotor_ipc::sync::Ordering::Relaxed;
use rotor_ipc::workers::{Generation, Held, SeatState, seat_of};
use rotor_ipc::{SessionId, WorkerId, recovery};
use rotor_sys::clock::monotonic_ns;
use rotor_sys::process::{self, Exit, Fork};
use rotor_sys::signal::Blocked;

use super::crew::Member;
use super::slot::{Action, Overdue, SlotEvent};
use super::{Ended, Manager};
use crate::host::{Event, Host};
use crate::outlets::header;
use crate::process::request;
use crate::signals::{SIGKILL, SIGTERM};
use crate::worker;

impl Manager {
    /// Reaps, recovers and reports every process that has ended. Only the server's own are reaped: what user code
    /// has forked here is its to wait for.
    pub(super) fn reap(&mut self, host: &mut dyn Host) -> Option<Ended> {
        if !std::mem::take(&mut self.has_dead) {
            return None;
        }
        for worker in self.segment.slot_ids() {
            for seat in 0..2 {
                let Some(Member { pid, .. }) = self.crew.in_seat(worker, seat) else { continue };
                let exit = process::reap(pid).unwrap_or_else(|_| {
                    let log = self.context.log.speaking_for(format!("worker={worker}"), pid);
                    log.error("user code in the manager has waited for it: how it has ended is not known");
                    Some(Exit { pid, code: 1, signal: 0 })
                });
                if let Some(exit) = exit
                    && let Some(ended) = self.on_exit(worker, seat, exit, host)
                {
                    return Some(ended);
                }
            }
        }
        None
    }

    pub(super) fn on_exit(
        &mut self,
        worker: WorkerId,
        seat_number: usize,
        exit: Exit,
        host: &mut dyn Host,
    ) -> Option<Ended> {
        let seat = self.segment.seat(worker, seat_number);
        let generation = self.crew.in_seat(worker, seat_number).map_or(0, |member| member.generation);
        let was_ready = seat.state() != SeatState::Starting;
        let was_asked = seat.is_asked_to_leave();
        let timed_out = self.lates.reaped(worker, seat_number);
        if was_ready && self.slots[worker.index()].is_starting() {
            // It has ended before anybody saw that it was ready.
            self.step(worker, SlotEvent::Ready { generation });
        }
        let was_fruitful = if self.segment.has_inbox(worker) {
            // Who was ended because of one callback is replaced at once, whatever it had done before.
            seat.requests_here.load(Relaxed) > 0 || timed_out.is_some()
        } else {
            monotonic_ns().saturating_sub(seat.started_ns()) >= FRUITFUL_NS
        };
        let closes = self.context.settings.close_on_worker_error || timed_out.is_some();
        if closes && let Some(held) = seat.in_hand.get().filter(|held| held.session != 0) {
            // Before anybody takes over: what waits behind the lost message is dropped with it, else its client
            // would take the next answer for the one that does not come. An error: it is closing already.
            let _ = self.segment.sessions().set_flag(SessionId(held.session), Flag::Closing);
        }
        let recovered = recovery::recover(self.segment, worker, generation);
        seat.end();
        self.crew.part(worker, seat_number);
        // A datagram has no session.
        let held = recovered.held.filter(|held| held.session != 0 || held.kind == Kind::Packet);
        let session = held.map(|held| held.session).filter(|session| *session != 0);
        if held.is_some_and(|held| matches!(held.kind, Kind::Receive | Kind::Packet)) {
            self.segment.header().lost_messages.fetch_add(1, Relaxed);
        }
        for reactor in 0..self.segment.reactors() {
            let outlet = self.segment.outlet_of(worker, seat_number);
            let mut record = header(Kind::WorkerDied, session.unwrap_or(0));
            record.aux = u16::try_from(outlet).unwrap_or(u16::MAX);
            record.extra = recovered.heads.get(reactor).copied().unwrap_or(NO_HEAD);
            let closes = if timed_out.is_some() { CLOSES_IN_HAND } else { 0 };
            self.untold.push_back((reactor, record, u64::from(generation) | closes));
        }
        self.tell_reactors();
        recovery::wake_all(self.segment);
        if let Some(timed_out) = timed_out {
            let session = session.map(SessionId);
            self.callbacks.push_back(Event::RequestTimeout { worker, session, seconds: timed_out.seconds });
        }
        self.report(worker, exit, held, was_ready, was_asked);
        let owner = self.segment.slot(worker).owner().current();
        // After a stop by force nobody takes the records that are left.
        let is_drained = self.is_drained(worker) || self.stop.as_ref().is_some_and(|stop| stop.is_killed);
        let event = SlotEvent::Exited { generation, owner, was_fruitful, is_drained };
        self.step_and_fork(worker, event, host)
    }

    fn report(&mut self, worker: WorkerId, exit: Exit, held: Option<Held>, was_ready: bool, was_asked: bool) {
        let log = self.context.log.speaking_for(self.context.who(worker), exit.pid);
        // A supervisor that stops a server may signal all of its processes.
        let is_asked = was_asked || self.context.is_asked(request::STOP);
        if is_asked && exit.signal == SIGTERM && !self.segment.has_inbox(worker) {
            log.notice("exited by the SIGTERM that asked for it");
            return;
        }
        let hand = held.map_or_else(String::new, |held| what_is_lost(&held));
        let early = if was_ready { "" } else { " before it was ready" };
        if exit.is_clean() {
            let line = format!("exited code=0{early}{hand}");
            if held.is_some() {
                log.warning(&line);
            } else {
                log.notice(&line);
            }
            return;
        }
        self.segment.header().crashes.fetch_add(1, Relaxed);
        let how = match exit.signal {
            0 => format!("exited code={}", exit.code),
            SIGKILL if self.oom_kills.explain_a_death(Instant::now()) => {
                "killed by SIGKILL (out of memory, by the cgroup's counter)".to_owned()
            }
            signal => format!("killed by {}", process::signal_name(signal)),
        };
        log.error(&format!("{how}{early}{hand}"));
        self.callbacks.push_back(Event::WorkerError {
            worker,
            pid: exit.pid,
            exit_code: exit.code,
            signal: exit.signal,
            session: held.map(|held| SessionId(held.session)).filter(|session| session.0 != 0),
        });
    }

    /// Tells the reactors of deaths; what finds no room is told later, and until then the seat is not used again.
    pub(super) fn tell_reactors(&mut self) {
        while let Some((reactor, record, generation)) = self.untold.front().copied() {
            match self.process.try_post(reactor, record, &generation.to_ne_bytes()) {
                Ok(true) => {
                    self.untold.pop_front();
                }
                Ok(false) => return,
                Err(broken) => {
                    self.context.log.error(&format!("{broken}; the server stops"));
                    self.untold.pop_front();
                    self.context.ask_to_stop();
                }
            }
        }
    }

    /// Performs a step whose actions cannot be a fork.
    pub(super) fn step(&mut self, worker: WorkerId, event: SlotEvent) {
        let actions = self.advance(worker, event);
        for action in actions {
            self.perform(worker, action);
        }
    }

    /// Performs a step; `Some` in the process that it has forked.
    pub(super) fn step_and_fork(&mut self, worker: WorkerId, event: SlotEvent, host: &mut dyn Host) -> Option<Ended> {
        for action in self.advance(worker, event) {
            if let Action::Fork { generation, owns } = action {
                if let Some(identity) = self.fork(worker, generation, owns, host) {
                    return Some(Ended::Child(identity));
                }
            } else {
                self.perform(worker, action);
            }
        }
        None
    }

    pub(super) fn advance(&mut self, worker: WorkerId, event: SlotEvent) -> Vec<Action> {
        let place = &mut self.slots[worker.index()];
        let (slot, actions) = place.clone().on(event, Instant::now());
        *place = slot;
        actions
    }

    pub(super) fn perform(&mut self, worker: WorkerId, action: Action) {
        let entry = self.segment.slot(worker);
        let log = &self.context.log;
        match action {
            Action::Fork { .. } => {}
            Action::Appoint { generation } => {
                if let Some(reload) = &mut self.reload {
                    reload.revive(worker, &self.slots[worker.index()]);
                }
                entry.appoint(generation);
                self.segment.seat_bell(worker, seat_of(generation)).write();
            }
            Action::Offer { from, to } => {
                // Its time to go counts from here, however late it takes note.
                self.segment.seat(worker, seat_of(from)).leave_by(monotonic_ns());
                if entry.offer(from, to) {
                    self.segment.seat_bell(worker, seat_of(from)).write();
                }
            }
            Action::Withdraw { from, to } => {
                if !entry.withdraw(from, to) {
                    self.slots[worker.index()].swap_after_commit();
                }
            }
            Action::AskToLeave { generation } => {
                self.segment.seat(worker, seat_of(generation)).leave_by(monotonic_ns());
                let seat = self.segment.seat(worker, seat_of(generation));
                seat.ask_to_leave();
                if self.segment.has_inbox(worker) {
                    self.segment.seat_bell(worker, seat_of(generation)).write();
                } else if let Some(pid) = self.crew.pid_of(worker, generation) {
                    // ESRCH: it has just ended, and is reaped next.
                    let _ = process::kill(pid, SIGTERM);
                }
            }
            Action::Kill { generation, because } => {
                let Some(pid) = self.crew.pid_of(worker, generation) else { return };
                let seat = self.segment.seat(worker, seat_of(generation));
                let (what, since_ns) = match because {
                    Overdue::Leaving => ("did not end", seat.leave_since_ns()),
                    Overdue::Starting => ("did not get ready", seat.started_ns()),
                    Overdue::HandingOver => ("did not hand over", seat.leave_since_ns()),
                };
                let log = log.speaking_for(self.context.who(worker), pid);
                let hand = seat.in_hand.get().map_or_else(String::new, |held| format!(" session={}", held.session));
                let after_ms = monotonic_ns().saturating_sub(since_ns) / 1_000_000;
                log.warning(&format!("{what} within max_wait_time; killed; after={after_ms}ms{hand}"));
                // ESRCH: it has just ended, and is reaped next.
                let _ = process::kill(pid, SIGKILL);
            }
            Action::Replaced => {
                log.notice(&format!("replaced {}", self.context.who(worker)));
                if let Some(reload) = &mut self.reload {
                    reload.note(worker, true);
                }
            }
            Action::KeptOld => {
                log.error(&format!("the successor of worker={worker} has failed; the old process serves on"));
                if let Some(reload) = &mut self.reload {
                    reload.note(worker, false);
                }
            }
            Action::BackOff { delay } => {
                log.warning(&format!("respawning {} in {}ms", self.context.who(worker), delay.as_millis()));
            }
        }
    }

    /// Forks a worker or a user process. `Some` in the child.
    pub(super) fn fork(
        &mut self,
        worker: WorkerId,
        generation: Generation,
        owns: bool,
        host: &mut dyn Host,
    ) -> Option<worker::Identity> {
        let seat = self.segment.seat(worker, seat_of(generation));
        seat.begin(generation, monotonic_ns());
        self.lates.begin(seat);
        if owns {
            self.segment.slot(worker).appoint(generation);
        }
        let is_pinned = !self.cpus.is_empty() && self.segment.has_inbox(worker);
        let cpu = is_pinned.then(|| self.cpus[worker.index() % self.cpus.len()]);
        let manager = process::id();
        if generation > 2 && self.end.is_none() {
            self.renew_code(host);
        }
        host.before_fork();
        let forked = Blocked::all().and_then(|blocked| Ok((blocked, self.life.watch.try_clone()?, process::fork()?)));
        match forked {
            Ok((blocked, manager_life, Fork::Child)) => {
                Some(worker::Identity { worker, generation, manager, manager_life, cpu, blocked })
            }
            Ok((blocked, _, Fork::Parent { child })) => {
                drop(blocked);
                seat.set_pid(child);
                self.crew.join(worker, Member { pid: child, generation });
                if owns && generation > 2 {
                    self.segment.header().respawns.fetch_add(1, Relaxed);
                }
                let log = self.context.log.speaking_for(self.context.who(worker), child);
                log.notice(&format!("spawned; generation={generation}"));
                None
            }
            Err(error) => {
                recovery::never_lived(self.segment, worker, generation);
                self.context.log.error(&format!("cannot fork {}: {error}", self.context.who(worker)));
                self.step(worker, SlotEvent::ForkFailed { generation });
                None
            }
        }
    }

    pub(super) fn free_seats(&self, worker: WorkerId) -> [bool; 2] {
        self.crew.free_seats(self.segment, worker)
    }

    /// Whether a stop has left nothing to take for the slot's next process. A user process is told of a stop itself.
    pub(super) fn is_drained(&self, worker: WorkerId) -> bool {
        self.segment.has_inbox(worker)
            && (0..self.segment.reactors()).all(|reactor| self.segment.inward_state(reactor, worker).is_drained())
    }

    /// Sends a signal to all processes of these slots.
    pub(super) fn signal(&self, slots: impl Iterator<Item = WorkerId>, signal: i32) {
        for worker in slots {
            for (_, member) in self.crew.of(worker) {
                // ESRCH: it has just ended, and is reaped next.
                let _ = process::kill(member.pid, signal);
            }
        }
    }
}

/// A user process that has lived so long has not died early.
const FRUITFUL_NS: u64 = 1_000_000_000;

/// What a process that died with this in hand has not finished, for the log.
fn what_is_lost(held: &Held) -> String {
    let what = match held.kind {
        Kind::Receive => "its message is lost",
        Kind::Packet => "its datagram is lost",
        Kind::Connect => "its connect callback was not finished",
        Kind::ProtocolError => "its callback for a protocol error was not finished",
        Kind::BufferFull | Kind::BufferEmpty => "its callback for a full or empty buffer was not finished",
        Kind::Close => "its close callback was not finished",
        _ => "its record is lost",
    };
    let for_ms = monotonic_ns().saturating_sub(held.since_ns) / 1_000_000;
    let Held { lane, position, session, .. } = held;
    let whose = if *session == 0 { String::new() } else { format!("session={session}: ") };
    format!("; {whose}{what} (reactor={lane} position={position}, in hand for {for_ms}ms)")
}
