//! What has had its time: connections whose peer is silent, does not finish a message, or does not take what waits for
//! it. Each has at most one timer, for whatever comes first. Traffic only notes the time; when the timer is due the
//! connection is looked at, and it is set again if there was any.

use std::time::Duration;

use rotor_ipc::ring::Broken;
use rotor_ipc::sessions::Flag;
use rotor_sys::clock::nanos;

use super::connection::{Connection, Input, Why};
use super::wheel::Wheel;
use super::{Reactor, add};
use crate::settings::Settings;

/// The reactor's ticker ticks so often at least: other things are due once a second.
const LONGEST_TICK: Duration = Duration::from_secs(1);
/// And so often at most, whatever the settings ask for.
const SHORTEST_TICK: Duration = Duration::from_millis(20);
/// The shortest time of all ports is at least so many ticks: a timer is late by less than an eighth of it.
const TICKS_PER_LIMIT: u32 = 8;

/// What a reactor waits for beside connections and datagram ports, and a few of those.
const OTHER_EVENTS: usize = 64;

/// How long a port's connections may take for what, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    /// To send something.
    pub heartbeat_ns: Option<u64>,
    /// To send or take something.
    pub idle_ns: Option<u64>,
    /// To finish what it has begun: a message, or once its input is over, what waits for it.
    pub message_ns: Option<u64>,
}

/// What a connection has not done in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// Send something.
    Heartbeat,
    /// Send or take something.
    Idle,
    /// Finish a message.
    Message,
    /// Take what waits for it, before it is closed.
    Output,
}

/// The timers of a reactor's connections.
pub(super) struct Timers {
    wheel: Wheel,
    begin_ns: u64,
    tick_ns: u64,
    limits: Vec<Limits>,
    /// The ticker has ticked since timers were looked at.
    pub is_ticked: bool,
    /// Events of turns since then that had more of them than room.
    put_off: usize,
    /// Keys that are due; kept for its memory.
    due: Vec<u32>,
}

impl Limits {
    fn of(settings: &Settings, place: usize) -> Self {
        let port = settings.port(place);
        Self {
            heartbeat_ns: settings.heartbeat_after(place).map(nanos),
            idle_ns: port.max_idle_time.map(nanos),
            message_ns: port.message_timeout.map(nanos),
        }
    }

    fn shortest(&self) -> Option<u64> {
        [self.heartbeat_ns, self.idle_ns, self.message_ns].into_iter().flatten().min()
    }

    /// What comes first for a connection, and when (monotonic ns).
    pub(super) fn next(&self, connection: &Connection) -> Option<(u64, Late)> {
        let message = |late| {
            let since_ns = Some(connection.begun_ns).filter(|since_ns| *since_ns != 0)?;
            Some((since_ns.saturating_add(self.message_ns?), late))
        };
        if connection.input != Input::Open {
            return message(Late::Output).filter(|_| connection.has_output());
        }
        let (heard_ns, told_ns) = (connection.heard_ns, connection.told_ns);
        let heartbeat = self.heartbeat_ns.map(|ns| (heard_ns.saturating_add(ns), Late::Heartbeat));
        let idle = self.idle_ns.map(|ns| (heard_ns.max(told_ns).saturating_add(ns), Late::Idle));
        heartbeat.into_iter().chain(idle).chain(message(Late::Message)).min_by_key(|(due_ns, _)| *due_ns)
    }
}

impl Timers {
    pub(super) fn new(settings: &Settings, now_ns: u64) -> Self {
        let limits: Vec<_> = (0..settings.ports.len()).map(|place| Limits::of(settings, place)).collect();
        let tick_ns = nanos(tick_of(&limits));
        Self { wheel: Wheel::new(), begin_ns: now_ns, tick_ns, limits, is_ticked: false, put_off: 0, due: Vec::new() }
    }

    /// How often [`Reactor::look_at_timers`] has to be called.
    pub(super) fn tick(&self) -> Duration {
        Duration::from_nanos(self.tick_ns)
    }

    /// Whether to look at timers now, behind so many events, of which there may have been more than room: then in the
    /// next turn, since what has arrived counts. But the kernel tells of what is ready in order, so that after as many
    /// events as there are connections all have had their turn that were ready at the tick.
    pub(super) fn is_time(&mut self, events: usize, is_full: bool, connections: usize) -> bool {
        if !self.is_ticked {
            return false;
        }
        self.put_off += events;
        if is_full && self.put_off <= connections + OTHER_EVENTS {
            return false;
        }
        (self.is_ticked, self.put_off) = (false, 0);
        true
    }

    /// The limits of a connection.
    pub(super) fn limits(&self, connection: &Connection) -> Limits {
        self.limits[usize::from(connection.port).min(self.limits.len() - 1)]
    }

    /// The first tick that does not come before a time.
    fn tick_at(&self, time_ns: u64) -> u64 {
        time_ns.saturating_sub(self.begin_ns).div_ceil(self.tick_ns)
    }

    /// Sets a timer, unless there is one that is due earlier.
    fn set_by(&mut self, key: u32, due_ns: u64) {
        let tick = self.tick_at(due_ns);
        if self.wheel.due(key).is_none_or(|due| tick < due) {
            self.wheel.set(key, tick);
        }
    }
}

fn tick_of(limits: &[Limits]) -> Duration {
    let shortest = limits.iter().filter_map(Limits::shortest).min().map_or(Duration::MAX, Duration::from_nanos);
    (shortest / TICKS_PER_LIMIT).clamp(SHORTEST_TICK, LONGEST_TICK)
}

fn key(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX - 1)
}

impl Reactor {
    /// Begins to measure the time of a new connection.
    pub(super) fn begin_timing(&mut self, connection: &mut Connection) {
        connection.heard_ns = self.now_ns;
        connection.told_ns = self.now_ns;
        self.set_timer(connection);
    }

    /// A message has begun, and is not finished.
    pub(super) fn begin_message(&mut self, connection: &mut Connection) {
        if connection.begun_ns == 0 {
            connection.begun_ns = self.now_ns;
            self.set_timer(connection);
        }
    }

    /// The input is over: from here on the peer has to take what waits for it.
    pub(super) fn begin_last_output(&mut self, connection: &mut Connection) {
        if !connection.is_ending_output {
            connection.is_ending_output = true;
            connection.begun_ns = self.now_ns;
        }
        self.set_timer(connection);
    }

    /// It was not read for a reason of ours, and is again: that time does not count.
    pub(super) fn begin_anew(&self, connection: &mut Connection) {
        connection.heard_ns = self.now_ns;
        if connection.begun_ns != 0 {
            connection.begun_ns = self.now_ns;
        }
    }

    fn set_timer(&mut self, connection: &Connection) {
        if let Some((due_ns, _)) = self.timers.limits(connection).next(connection) {
            let key = key(self.connections.of(connection.id));
            self.timers.set_by(key, due_ns);
        }
    }

    /// A connection is over.
    pub(super) fn end_timing(&mut self, connection: &Connection) {
        let key = key(self.connections.of(connection.id));
        self.timers.wheel.cancel(key);
    }

    /// Looks at the connections whose timers are due.
    pub(super) fn look_at_timers(&mut self) -> Result<(), Broken> {
        let tick = self.now_ns.saturating_sub(self.timers.begin_ns) / self.timers.tick_ns;
        let mut due = std::mem::take(&mut self.timers.due);
        self.timers.wheel.advance(tick, &mut due);
        for key in due.drain(..) {
            if let Some(connection) = self.connections.take_at(key as usize) {
                self.on_timer(connection)?;
            }
        }
        self.timers.due = due;
        Ok(())
    }

    fn on_timer(&mut self, mut connection: Box<Connection>) -> Result<(), Broken> {
        // Once the input is over it is about the output, which its peer takes or does not.
        if connection.input == Input::Open && !connection.is_read() {
            self.begin_anew(&mut connection);
        }
        if self.sessions.has_flag(connection.id, Flag::Protected) {
            // As if it had just been heard of; a message that it has begun it has to finish.
            connection.heard_ns = self.now_ns;
        }
        match self.timers.limits(&connection).next(&connection) {
            Some((due_ns, late)) if due_ns <= self.now_ns => self.on_late(connection, late),
            next => {
                if let Some((due_ns, _)) = next {
                    let key = key(self.connections.of(connection.id));
                    self.timers.set_by(key, due_ns);
                }
                self.put_back(connection);
                Ok(())
            }
        }
    }

    fn on_late(&mut self, mut connection: Box<Connection>, late: Late) -> Result<(), Broken> {
        let (counter, what) = match late {
            Late::Heartbeat => (&self.counters.heartbeat_closed, "has sent nothing for heartbeat_idle_time"),
            Late::Idle => (&self.counters.idle_closed, "was idle for max_idle_time"),
            Late::Message => (&self.counters.message_timeouts, "has not finished a message within message_timeout"),
            Late::Output => (&self.counters.stalled_closed, "has not taken what waits for it for message_timeout"),
        };
        add(counter, 1);
        let id = connection.id;
        self.log.limited().info(|| format!("session {id} {what}; closing"));
        match late {
            Late::Heartbeat | Late::Idle => self.expire(connection),
            Late::Message => {
                connection.end_input(Why::Misframed);
                self.drop_unread(&mut connection);
                self.settle(connection)
            }
            Late::Output => self.close(connection, true),
        }
    }

    /// Closes a connection whose peer is silent: in an orderly way where it has taken all that was sent to it, else it may
    /// be gone, and nothing is kept for it.
    pub(super) fn expire(&mut self, connection: Box<Connection>) -> Result<(), Broken> {
        let is_taken = !connection.has_output()
            && connection.batch.is_none()
            && connection.stream.as_ref().is_some_and(|stream| stream.unsent().is_ok_and(|bytes| bytes == 0));
        self.close(connection, !is_taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reactor_that_always_has_more_events_than_room_looks_at_its_timers_once_all_had_their_turn() {
        let limits = vec![Limits::default()];
        let tick_ns = nanos(tick_of(&limits));
        let mut timers =
            Timers { wheel: Wheel::new(), begin_ns: 0, tick_ns, limits, is_ticked: false, put_off: 0, due: Vec::new() };
        assert!(!timers.is_time(3, false, 10), "no tick");
        timers.is_ticked = true;
        assert!(timers.is_time(3, false, 10) && !timers.is_time(3, false, 10));
        for _ in 0..2 {
            timers.is_ticked = true;
            let turns = (1..).find(|_| timers.is_time(512, true, 2000)).unwrap();
            assert_eq!(turns, 5);
        }
    }

    #[test]
    fn ticks_are_an_eighth_of_the_shortest_time_within_bounds() {
        let limits = |ms: &[u64]| -> Vec<Limits> {
            ms.iter().map(|ms| Limits { idle_ns: Some(ms * 1_000_000), ..Limits::default() }).collect()
        };
        assert_eq!(tick_of(&limits(&[4000, 800])), Duration::from_millis(100));
        assert_eq!(tick_of(&limits(&[60_000])), LONGEST_TICK);
        assert_eq!(tick_of(&limits(&[10])), SHORTEST_TICK);
        assert_eq!(tick_of(&[Limits::default()]), LONGEST_TICK);
    }
}
