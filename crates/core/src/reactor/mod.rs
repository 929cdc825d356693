//! A reactor: a thread of the master that owns sockets. It reads, frames and posts messages to the workers, and
//! writes what they send. It runs no user code and never waits for a worker (P6).
//!
//! Where a port has functions of user code in the way of its messages, its connections belong to one reactor more: that
//! of the main thread, the only one that may call them. Its turns are a part of the main thread's.
//!
//! One turn of its loop: wait · events · mail · broadcasts · inbox · reads · sends · waiting connections · what is due · messages that
//! are held back · publish and wake.

mod accept;
mod ask;
mod broadcast;
mod config;
mod connection;
mod control;
mod datagrams;
mod drain;
mod early;
mod ending;
mod files;
mod hold;
mod inbox;
mod intro;
mod life;
mod limits;
mod linger;
mod live;
mod mailbox;
mod output;
#[cfg(test)]
mod pair;
mod places;
mod post;
mod queued;
mod read;
mod route;
mod secure;
mod send;
mod share;
mod spill;
mod stopping;
mod timers;
mod unread;
mod unsent;
mod wheel;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use rotor_ipc::SessionId;
use rotor_ipc::lane;
use rotor_ipc::payload::{Filling, Pool};
use rotor_ipc::record::RESET;
use rotor_ipc::ring::Broken;
use rotor_ipc::segment::{ReactorCounters, Segment};
use rotor_ipc::sessions::SessionsWriter;
use rotor_ipc::sync::AtomicU64;
use rotor_ipc::wake::{Sleeper, Waker, fence_after_announcing, fence_after_publishing};
use rotor_sys::clock::{monotonic_ns, unix_us};
use rotor_sys::datagram::Received;
use rotor_sys::epoll::{Epoll, Event, Events, Interest};
use rotor_sys::ticker::Ticker;

use crate::disk::{Done, Jobs, Reply};
use crate::framer::Framer;
use crate::hooks::Hooks;
use crate::host::End;
use crate::log::Log;
use crate::process::request;
use crate::settings::Settings;
use crate::tls::{CertificateWriter, PortTls};

pub use accept::{Acceptor, Listening, Stop};
pub use broadcast::Receivers;
pub use config::{Config, Wanted};
pub use datagrams::DatagramPort;
pub use limits::Limits;
pub use live::Live;
pub use mailbox::{Mail, Mailbox};
pub use output::FilePart;
pub use stopping::Unhandled;

use broadcast::{ALLOWANCE, Broadcasts};
use connection::{Connection, Posted};
use datagrams::{HeldDatagram, Port};
use early::Early;
use ending::Ending;
use files::Files;
use hold::Holding;
use inbox::Inbox;
use intro::Introducing;
use linger::Lingering;
use places::Places;
use route::Router;
use secure::Room;
use send::Batch;
use stopping::Stopping;
use timers::Timers;

/// The token of the reactor's own bell; sessions start at 1.
const BELL: u64 = 0;
/// A read takes so much at once.
const READ_SIZE: usize = 64 << 10;
/// While something waits for room in a worker's lane, the reactor looks again this often.
const RETRY: Duration = Duration::from_millis(1);
/// So long after the last record from a process that is awake, the reactor looks for more by itself (P9).
const LINGER_NS: u64 = 1_000_000;
/// The token of the reactor's ticker; no session has this number.
const TICK: u64 = u64::MAX;
/// The token of what the main thread waits for.
const MAIN: u64 = u64::MAX - 1;
/// Memory that was long unused is given back this often, give or take a tick.
const SWEEP_EVERY_NS: u64 = 990_000_000;

/// The reactor's side of a slot.
struct Inward {
    lane: lane::Producer,
    marker: rotor_ipc::inbox::Marker,
    waker: Waker,
    /// Who waits for room in the lane, in order: nothing enters it before them.
    waiting: VecDeque<Waiter>,
    /// Datagrams that wait for room in it, in order.
    packets: VecDeque<HeldDatagram>,
    /// Connections of which too much waits for the worker, by the position that it has to reach.
    held: BinaryHeap<Reverse<(u64, u64)>>,
    /// Connections whose close record or barrier was posted, by its position.
    closing: VecDeque<(u64, SessionId)>,
    /// Connections of its own whose close record is not posted.
    open: usize,
    /// Messages that the helper thread is writing into their spill ranges.
    spilling: usize,
    is_touched: bool,
    is_closed: bool,
}

impl Inward {
    /// Whether something may enter the lane that waits for nobody.
    fn is_open(&self) -> bool {
        !self.is_closed && self.waiting.is_empty()
    }
}

/// Who waits for room in a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiter {
    /// A connection.
    Connection(SessionId),
    /// The slot's datagrams.
    Packets,
}

/// What owns sockets: a thread, or the main thread for connections in whose way user code is.
pub struct Reactor {
    id: usize,
    segment: &'static Segment,
    settings: Arc<Settings>,
    log: Log,
    sessions: SessionsWriter,
    counters: &'static ReactorCounters,
    /// Connections by port.
    port_connections: &'static [AtomicU64],
    epoll: Arc<Epoll>,
    sleeper: Sleeper,
    mailbox: Mailbox,
    jobs: Jobs,
    reply: Reply,
    live: Arc<Live>,
    limits: Option<Arc<Limits>>,
    wanted: Wanted,
    router: Router,
    /// In idle dispatch alone.
    holding: Option<Holding>,
    ending: Ending,
    /// Ends that are held back, at the begin of a stop.
    stopping: Option<Stopping>,
    unhandled: Unhandled,
    tls: Vec<Option<Arc<PortTls>>>,
    certificates: Option<CertificateWriter>,
    /// What connections with TLS share.
    room: Room,
    /// By port: what a new connection begins with.
    framers: Vec<Framer>,
    connections: Places<Connection>,
    early: Early,
    /// How many connections there are.
    alive: usize,
    inward: Vec<Inward>,
    /// Slots with records that are not published yet.
    touched: Vec<usize>,
    inbox: Inbox,
    batch: Batch,
    broadcasts: Broadcasts,
    /// What broadcasts may still cost in this turn.
    allowance: usize,
    pool: Pool,
    /// A block that the next large read goes into.
    spare: Option<Filling>,
    scratch: Vec<u8>,
    /// Connections that may have more to read.
    scheduled: Vec<SessionId>,
    /// Connections with a message that the disk did not take, and when it is asked again.
    unspilled: VecDeque<(u64, SessionId)>,
    files: Files,
    lingering: Lingering,
    introducing: Introducing,
    timers: Timers,
    datagrams: Vec<Port>,
    /// Room for the datagrams of one read, made for the first.
    received: Option<Received>,
    /// When the log last told of the disk.
    warned_ns: Option<u64>,
    /// The connection whose turn it is in the waiting list of this slot's lane.
    serving: Option<(usize, SessionId)>,
    now_ns: u64,
    now_us: u64,
    ticker: Ticker,
    swept_ns: u64,
    is_draining: bool,
    finish: Option<Option<Instant>>,
    /// User code, where this is the main thread.
    hooks: Option<Rc<dyn Hooks>>,
    /// User code has ended the process, and is not asked any more.
    ended: Option<End>,
}

impl Reactor {
    /// Runs until it is told to finish.
    pub fn run(mut self) {
        let mut events = Self::events();
        while self.step(&mut events, None) {}
    }

    /// Room for what [`Self::step`] finds.
    pub fn events() -> Events {
        Events::with_capacity(512)
    }

    /// Has the main thread's reactor end its sleep for what the main thread waits for, too.
    pub fn wake_for(&self, fd: BorrowedFd<'_>) -> std::io::Result<()> {
        self.epoll.add(fd, MAIN, Interest::ReadEdge)
    }

    /// How user code has ended the process, if it has.
    pub fn ended(&self) -> Option<End> {
        self.ended
    }

    /// One turn, with a wait of `longest` at most. False when it was the last one.
    pub fn step(&mut self, events: &mut Events, longest: Option<Duration>) -> bool {
        let goes_on = self.try_turn(events, longest);
        if !goes_on {
            self.forget_datagrams();
        }
        goes_on
    }

    fn try_turn(&mut self, events: &mut Events, longest: Option<Duration>) -> bool {
        if let Err(broken) = self.turn(events, longest) {
            self.log.error(&format!("{broken}; the server stops"));
            // By force: this reactor's lanes are never closed, so no worker would find its inbox drained.
            let bits = request::STOP | request::FORCE;
            self.segment.header().requests.fetch_or(bits, std::sync::atomic::Ordering::AcqRel);
            self.segment.main_bell().write();
            self.segment.manager_bell().write();
            return false;
        }
        !self.is_finished()
    }

    fn turn(&mut self, events: &mut Events, longest: Option<Duration>) -> Result<(), Broken> {
        self.sleep(events, longest)?;
        self.now_ns = monotonic_ns();
        self.now_us = unix_us();
        for event in events.iter() {
            self.on_event(event)?;
        }
        // Behind the events: whatever has arrived by now has been read.
        if self.timers.is_time(events.len(), events.is_full(), self.alive) {
            self.look_at_timers()?;
        }
        if self.mailbox.has_mail() {
            for mail in self.mailbox.take(self.broadcasts.holds_letters()) {
                self.on_mail(mail)?;
            }
        }
        if self.broadcasts.is_due() {
            self.allowance = ALLOWANCE;
            self.serve_broadcasts()?;
        }
        self.look_at_ending()?;
        self.take_inbox()?;
        self.read_datagrams()?;
        self.read_scheduled()?;
        self.send_batch()?;
        self.send_files()?;
        self.end_settled()?;
        self.serve_held()?;
        self.serve_waiting()?;
        self.look_at_lingering()?;
        self.look_at_introducing()?;
        self.spill_again()?;
        self.serve_held_back()?;
        self.look_at_stopping()?;
        self.close_drained_lanes();
        self.early.forget_gone(&self.sessions);
        self.publish();
        Ok(())
    }

    /// Waits for events, unless there is something to do.
    fn sleep(&mut self, events: &mut Events, longest: Option<Duration>) -> Result<(), Broken> {
        let mut timeout = self.timeout().into_iter().chain(longest).min();
        if timeout != Some(Duration::ZERO) {
            self.sleeper.announce();
            fence_after_announcing();
            if self.inbox.has_something()? || self.mailbox.has_mail() || self.has_gift() {
                timeout = Some(Duration::ZERO);
            } else if let Some(linger) = self.inbox.linger(monotonic_ns(), LINGER_NS) {
                timeout = Some(timeout.map_or(linger, |timeout| timeout.min(linger)));
            }
        }
        // The only error is an interrupt, which leaves no events: a turn too many does no harm.
        let _ = self.epoll.wait(events, timeout);
        self.sleeper.awake();
        Ok(())
    }

    /// Whether there may be a worker for what is held back, or one to be passed on.
    fn has_gift(&self) -> bool {
        self.holding.as_ref().is_some_and(Holding::is_due)
    }

    fn timeout(&self) -> Option<Duration> {
        let may_read = self.datagrams.iter().any(Port::may_read);
        let has_more = !self.scheduled.is_empty() || !self.files.sending.is_empty() || self.broadcasts.is_due();
        if may_read || has_more || !self.ending.is_empty() || self.has_gift() {
            return Some(Duration::ZERO);
        }
        if self.inward.iter().any(|inward| !inward.waiting.is_empty() || !inward.held.is_empty())
            || self.holding.as_ref().is_some_and(Holding::is_blocked)
            || self.stopping.is_some()
        {
            return Some(RETRY);
        }
        let finish = self.finish.flatten();
        let finish = finish.map(|deadline| deadline.saturating_duration_since(Instant::now()).max(RETRY));
        let again = self.unspilled.front().map(|(due_ns, _)| Duration::from_nanos(due_ns.saturating_sub(self.now_ns)));
        let linger = self.lingering.next(self.now_ns);
        let intro = self.introducing.next(self.now_ns);
        let resend = self.datagrams.iter().filter_map(Port::due_ns).min();
        let resend = resend.map(|due_ns| Duration::from_nanos(due_ns.saturating_sub(self.now_ns)));
        again.into_iter().chain(finish).chain(linger).chain(intro).chain(resend).min()
    }

    fn on_event(&mut self, event: Event) -> Result<(), Broken> {
        match event.token() {
            BELL | MAIN => return Ok(()),
            TICK => {
                self.ticker.heard();
                self.sweep();
                self.timers.is_ticked = true;
                return Ok(());
            }
            _ => {}
        }
        if event.token() >= datagrams::FIRST_TOKEN && self.on_datagrams(event.token()) {
            return Ok(());
        }
        let id = SessionId(event.token());
        let Some(mut connection) = self.take(id).or_else(|| self.adopt(id)) else { return Ok(()) };
        if event.is_writable() && connection.output.is_blocked() {
            connection.output.unblock();
            self.send_queued(&mut connection);
        }
        if event.is_readable() || event.is_ending() {
            connection.is_readable = true;
            connection.is_ending |= event.is_ending();
        }
        if event.is_error() && connection.is_paused {
            self.on_broken_while_paused(&mut connection);
        }
        if connection.posted == Posted::Nothing {
            self.pump(&mut connection)?;
        }
        self.read(&mut connection)?;
        self.settle(connection)
    }

    fn on_mail(&mut self, mail: Mail) -> Result<(), Broken> {
        match mail {
            Mail::Broadcast { .. } => {
                self.broadcasts.hold(mail);
                Ok(())
            }
            Mail::Send { .. } | Mail::SendFile { .. } | Mail::Close { .. } | Mail::Pause { .. } => {
                if self.broadcasts.holds_letters() {
                    self.broadcasts.hold(mail);
                    return Ok(());
                }
                self.on_letter(mail)
            }
            Mail::SendTo { port, to, bytes } => {
                self.send_private(port, &to, bytes);
                Ok(())
            }
            Mail::Disk(Done::Written { session, len, result }) => self.on_spilled(session, len, result),
            Mail::Disk(Done::WrittenPiece { session, range, result }) => self.on_piece(session, range, result),
            Mail::Disk(Done::ReadAhead { session, offset, len, result }) => {
                self.on_read_ahead(session, offset, len, result)
            }
            Mail::Disk(Done::ReadShared { number, result }) => {
                self.on_shared_read(number, result);
                Ok(())
            }
            Mail::Disk(Done::Read { session, result }) => {
                let Some(mut connection) = self.take(session) else { return Ok(()) };
                match result {
                    Ok(bytes) => connection.output.has_read(bytes),
                    Err(error) => {
                        self.log.limited().error(|| {
                            format!(
                                "cannot read a spilled message of session {session} (task_tmpdir): {error}; closing"
                            )
                        });
                        self.break_off(&mut connection, error.raw_os_error().unwrap_or(0));
                    }
                }
                self.send_queued(&mut connection);
                self.settle(connection)
            }
            Mail::Drain => self.drain(),
            Mail::Finish { deadline } => self.begin_finish(deadline),
        }
    }

    /// Does what the main thread asks for a connection, in the order of its letters.
    fn on_letter(&mut self, mail: Mail) -> Result<(), Broken> {
        self.broadcasts.has_done();
        match mail {
            Mail::Send { session, bytes } => {
                let Some(mut connection) = self.take(session) else {
                    if Early::is_for(&self.sessions, session) {
                        self.early.send_private(session, bytes);
                    } else {
                        add(&self.counters.dropped, 1);
                    }
                    return Ok(());
                };
                if connection.accepts_output() {
                    connection.output.push_private(bytes);
                    self.send_queued(&mut connection);
                } else {
                    add(&self.counters.dropped, 1);
                }
                self.settle(connection)
            }
            Mail::Close { session, bits } => match self.take(session) {
                Some(connection) => self.on_close_request(connection, bits),
                None => {
                    if Early::is_for(&self.sessions, session) {
                        self.early.close(session, bits & RESET != 0);
                    }
                    Ok(())
                }
            },
            Mail::SendFile { session, part } => self.on_send_file(session, part),
            Mail::Pause { session, is_paused } => self.on_pause(session, is_paused),
            Mail::Broadcast { .. } | Mail::SendTo { .. } | Mail::Disk(_) | Mail::Drain | Mail::Finish { .. } => Ok(()),
        }
    }

    /// Makes visible what was written to the workers' lanes, and wakes those that sleep.
    fn publish(&mut self) {
        if self.touched.is_empty() {
            return;
        }
        for slot in &self.touched {
            let inward = &mut self.inward[*slot];
            inward.lane.publish();
            inward.marker.mark();
        }
        fence_after_publishing();
        for slot in self.touched.drain(..) {
            self.inward[slot].waker.wake();
            self.inward[slot].is_touched = false;
        }
    }

    fn touch(&mut self, slot: usize) {
        if !self.inward[slot].is_touched {
            self.inward[slot].is_touched = true;
            self.touched.push(slot);
        }
    }

    /// Gives memory back that was long unused.
    fn sweep(&mut self) {
        if self.now_ns.saturating_sub(self.swept_ns) < SWEEP_EVERY_NS {
            return;
        }
        self.swept_ns = self.now_ns;
        self.spare = None;
        self.pool.sweep(self.now_ns);
    }

    /// Takes a connection out of its place; it goes back by [`Self::settle`] or [`Self::put_back`].
    fn take(&mut self, id: SessionId) -> Option<Box<Connection>> {
        self.connections.take(id)
    }

    fn put_back(&mut self, connection: Box<Connection>) {
        self.connections.put(connection);
    }
}

/// Adds to a counter that has no other writer.
fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Relaxed) + count, Relaxed);
}
