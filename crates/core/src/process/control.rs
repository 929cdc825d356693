//! What user code decides about how a connection is treated: whether it is read, whether it may be silent, and how long
//! whoever sends to it waits.

use std::time::{Duration, Instant};

use rotor_ipc::SessionId;
use rotor_ipc::record::{EXPIRED, Kind};
use rotor_ipc::sessions::Flag;
use rotor_ipc::sync::Ordering::Relaxed;
use rotor_sys::clock::monotonic_ns;

use super::{Process, closing, valid_id};
use crate::error::{CallError, code};

/// Whoever waits for a slow client looks again after this time at first, and after twice as long each time.
const SHORTEST_LOOK: Duration = Duration::from_micros(200);
const LONGEST_LOOK: Duration = Duration::from_millis(10);

impl Process {
    /// Lets a connection be silent for as long as it likes, or no longer.
    pub fn protect(&self, session: i64, is_on: bool) -> Result<(), CallError> {
        let id = self.open_session(session)?.0;
        let sessions = self.context.segment.sessions();
        // That it was so before is fine. That it has gone meanwhile is as if it had gone before.
        let _ = if is_on { sessions.set_flag(id, Flag::Protected) } else { sessions.clear_flag(id, Flag::Protected) };
        Ok(())
    }

    /// The connections whose clients have sent nothing for as long as the heartbeat lets them, of all workers; closes
    /// them if it shall.
    pub fn heartbeat(&self, closes: bool) -> Result<Vec<i64>, CallError> {
        let settings = &self.context.settings;
        let limits: Vec<Option<u64>> = (0..settings.ports.len())
            .map(|place| settings.heartbeat_after(place))
            .map(|limit| limit.map(|limit| u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX)))
            .collect();
        if limits.iter().all(Option::is_none) {
            let message = "there is no heartbeat; set heartbeat_check_interval or heartbeat_idle_time";
            return Err(CallError::new(code::WRONG_OPERATION, message));
        }
        let sessions = self.context.segment.sessions();
        // The clock for durations: the other one may be set forward, and nobody is silent for that.
        let now_ns = monotonic_ns();
        let mut silent = Vec::new();
        for id in sessions.ids() {
            let Some(session) = sessions.find(id).filter(|session| session.is_introduced) else { continue };
            let limit = limits.get(usize::from(session.port)).copied().flatten();
            let is_silent = limit.is_some_and(|limit_ns| now_ns.saturating_sub(session.heard_ns) >= limit_ns);
            if !is_silent || sessions.is_closing(id) || sessions.has_flag(id, Flag::Protected) {
                continue;
            }
            if !closes || self.ask_to_close(session.reactor, id, EXPIRED).is_ok() {
                silent.push(id.0.cast_signed());
            }
        }
        Ok(silent)
    }

    /// Has a connection read no more.
    pub fn pause(&self, session: i64) -> Result<(), CallError> {
        let (id, reactor) = self.open_session(session)?;
        self.to_reactor(reactor, Kind::Pause, id, 0, &[])
    }

    /// Has a connection read again, or for the first time.
    pub fn resume(&self, session: i64) -> Result<(), CallError> {
        let (id, reactor) = self.open_session(session)?;
        self.to_reactor(reactor, Kind::Resume, id, 0, &[])
    }

    /// Waits until the output queue of a session has room, for as long as `send_timeout` allows. Only for processes whose
    /// own the wait is: master and manager have others to look after.
    pub(super) fn wait_for_queue(&self, id: SessionId) -> Result<(), CallError> {
        let settings = &self.context.settings;
        let sessions = self.context.segment.sessions();
        if let (Some(seat), Some(timeout)) = (self.seat, settings.send_timeout) {
            seat.counters.send_waits.fetch_add(1, Relaxed);
            let end = Instant::now() + timeout;
            let mut pause = SHORTEST_LOOK;
            // What was put off must not wait for a client (P9).
            self.flush();
            while Instant::now() < end {
                std::thread::sleep(pause.min(end.saturating_duration_since(Instant::now())));
                pause = (2 * pause).min(LONGEST_LOOK);
                match sessions.route(id) {
                    None => return Err(self.no_session(id)),
                    Some(_) if sessions.is_closing(id) => return Err(closing(id)),
                    Some((_, true)) => {}
                    Some((_, false)) => return Ok(()),
                }
            }
        }
        if let Some(seat) = self.seat {
            seat.counters.overflows.fetch_add(1, Relaxed);
        }
        let port = sessions.find(id).map_or(0, |session| usize::from(session.port));
        let limit = settings.port(port).socket_buffer_size;
        let message = format!("the output queue of session {id} is at socket_buffer_size ({limit} bytes)");
        Err(CallError::new(code::OUTPUT_BUFFER_OVERFLOW, message))
    }

    /// An open session that nobody has closed, and its reactor.
    pub(super) fn open_session(&self, session: i64) -> Result<(SessionId, u16), CallError> {
        let id = valid_id(session)?;
        let sessions = self.context.segment.sessions();
        let Some((reactor, _)) = sessions.route(id) else { return Err(self.no_session(id)) };
        if sessions.is_closing(id) { Err(closing(id)) } else { Ok((id, reactor)) }
    }
}
