//! A reactor: a thread of the master that owns sockets. It reads, frames and posts messages to the workers, and
//! writes what they send. It runs no user code and never waits for a worker (P6).
//!
//! Where a port has functions of user code in the way of its messages, its connections belong to one reactor more: that
//! of the main thread, the only one that may call them. Its turns are a part of the main thread's.
//!
//! One turn of its loop: wait · events · mail · inbox · reads · sends · waiting connections · what is due · messages that
//! are held back · publish and wake.

mod accept;
mod ask;
mod connection;
mod control;
mod datagrams;
mod early;
mod ending;
mod hold;
mod inbox;
mod intro;
mod limits;
mod linger;
mod live;
mod mailbox;
mod output;
#[cfg(test)]
mod pair;
mod post;
mod queued;
mod read;
mod route;
mod secure;
mod send;
mod spill;
mod timers;
mod unsent;
mod wheel;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use std::os::fd::{AsFd, BorrowedFd};

use rotor_ipc::SessionId;
use rotor_ipc::lane;
use rotor_ipc::payload::{Filling, Pool};
use rotor_ipc::record::{EXPIRED, RESET};
use rotor_ipc::ring::Broken;
use rotor_ipc::segment::{ReactorCounters, Segment};
use rotor_ipc::sessions::{Flag, SessionsWriter};
use rotor_ipc::sync::AtomicU64;
use rotor_ipc::wake::{Sleeper, Waker, fence_after_announcing, fence_after_publishing};
use rotor_sys::clock::{monotonic_ns, unix_us};
use rotor_sys::datagram::Received;
use rotor_sys::epoll::{Epoll, Event, Events, Interest};
use rotor_sys::socket::Stream;
use rotor_sys::ticker::Ticker;

use crate::disk::{Done, Jobs, Reply};
use crate::dispatch;
use crate::framer::Framer;
use crate::hooks::Hooks;
use crate::host::End;
use crate::log::Log;
use crate::process::request;
use crate::settings::Settings;
use crate::tls::{CertificateWriter, PortTls};

pub use accept::{Acceptor, Listening, Stop};
pub use datagrams::DatagramPort;
pub use limits::Limits;
pub use live::Live;
pub use mailbox::{Mail, Mailbox};

use connection::{Connection, Input, Posted, Why};
use datagrams::{HeldDatagram, Port};
use early::Early;
use ending::Ending;
use hold::Holding;
use inbox::Inbox;
use intro::Introducing;
use linger::Lingering;
use route::Router;
use secure::Room;
use send::Batch;
use timers::Timers;

/// Everything a reactor needs; made on the main thread.
pub struct Config {
    /// Its number.
    pub reactor: usize,
    /// The shared memory.
    pub segment: &'static Segment,
    /// What the server was told.
    pub settings: Arc<Settings>,
    /// Its log.
    pub log: Log,
    /// Its mail.
    pub mailbox: Mailbox,
    /// Its epoll, to which the accept thread adds connections.
    pub epoll: Arc<Epoll>,
    /// The way to the helper thread.
    pub jobs: Jobs,
    /// How many connections all reactors have.
    pub live: Arc<Live>,
    /// What one client may have.
    pub limits: Option<Arc<Limits>>,
    /// What records anybody wants.
    pub wanted: Wanted,
    /// How many connections are dealt out among: this is one of so many, or one beside them.
    pub reactors: usize,
    /// What it shares with other reactors for the choice of workers.
    pub shared: Arc<dispatch::Shared>,
    /// The datagram ports that it serves.
    pub datagrams: Vec<DatagramPort>,
    /// By port, how it speaks TLS.
    pub tls: Vec<Option<Arc<PortTls>>>,
    /// Where the certificates of clients are noted; `None`: no port asks for any.
    pub certificates: Option<CertificateWriter>,
    /// The CPU to run on.
    pub cpu: Option<u32>,
}

/// By port, of which events that nobody needs a record is posted: those that a callback is registered for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Of new connections.
    pub connect: Vec<bool>,
    /// Of connections that are over, where those have no worker of their own.
    pub close: Vec<bool>,
    /// Of rejected packages.
    pub protocol_error: Vec<bool>,
    /// Of the watermarks of what waits to be sent.
    pub level: Vec<bool>,
}

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
    waiting: std::collections::VecDeque<Waiter>,
    /// Datagrams that wait for room in it, in order.
    packets: std::collections::VecDeque<HeldDatagram>,
    /// Connections of which too much waits for the worker, by the position that it has to reach.
    held: BinaryHeap<Reverse<(u64, u64)>>,
    /// Connections whose close record or barrier was posted, by its position.
    closing: std::collections::VecDeque<(u64, SessionId)>,
    /// Connections of its own whose close record is not posted.
    open: usize,
    /// Messages that the helper thread is writing into their spill ranges.
    spilling: usize,
    is_touched: bool,
    is_closed: bool,
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
    tls: Vec<Option<Arc<PortTls>>>,
    certificates: Option<CertificateWriter>,
    /// What connections with TLS share.
    room: Room,
    /// By port: what a new connection begins with.
    framers: Vec<Framer>,
    /// By the index of the session, without the bits that all of this reactor's sessions have in common.
    connections: Vec<Option<Box<Connection>>>,
    place_shift: u32,
    early: Early,
    /// How many connections there are.
    alive: usize,
    inward: Vec<Inward>,
    /// Slots with records that are not published yet.
    touched: Vec<usize>,
    inbox: Inbox,
    batch: Batch,
    pool: Pool,
    /// A block that the next large read goes into.
    spare: Option<Filling>,
    scratch: Vec<u8>,
    /// Connections that may have more to read.
    scheduled: Vec<SessionId>,
    /// Connections with a message that the disk did not take, and when it is asked again.
    unspilled: std::collections::VecDeque<(u64, SessionId)>,
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
    /// User code has ended the process.
    ended: Option<End>,
}

impl Reactor {
    /// A reactor that is ready to run; on the main thread with user code.
    pub fn new(config: Config, hooks: Option<Rc<dyn Hooks>>) -> std::io::Result<Self> {
        let Config {
            reactor: id,
            segment,
            settings,
            log,
            mailbox,
            epoll,
            jobs,
            live,
            limits,
            wanted,
            reactors,
            shared,
            datagrams,
            tls,
            certificates,
            cpu,
        } = config;
        if let Some(cpu) = cpu
            && let Err(error) = rotor_sys::affinity::pin_to(cpu)
        {
            log.warning(&format!("cannot run on CPU {cpu} (open_cpu_affinity): {error}"));
        }
        epoll.add(segment.reactor_bell(id).as_fd(), BELL, Interest::ReadEdge)?;
        let now_ns = monotonic_ns();
        let timers = Timers::new(&settings, now_ns);
        let ticker = Ticker::every(timers.tick())?;
        epoll.add(ticker.as_fd(), TICK, Interest::ReadEdge)?;
        let inward = segment
            .worker_ids()
            .map(|worker| Inward {
                lane: segment.inward_producer(id, worker),
                marker: segment.slot_marker(worker, id),
                waker: segment.slot_waker(worker),
                waiting: std::collections::VecDeque::new(),
                held: BinaryHeap::new(),
                packets: std::collections::VecDeque::new(),
                closing: std::collections::VecDeque::new(),
                open: 0,
                spilling: 0,
                is_touched: false,
                is_closed: false,
            })
            .collect();
        let datagrams = datagrams.into_iter().enumerate().map(|(index, port)| Port::new(port, index, &epoll));
        let datagrams = datagrams.collect::<std::io::Result<_>>()?;
        let reply_to = mailbox.clone();
        let sessions = segment.sessions_writer();
        // A session's reactor is its id modulo their number: the lower bits are the same for all of one reactor.
        let is_one_of_them = id < reactors && reactors.is_power_of_two();
        let place_shift = if is_one_of_them { reactors.trailing_zeros() } else { 0 };
        Ok(Self {
            id,
            segment,
            sessions,
            counters: &segment.reactor(id).counters,
            epoll,
            sleeper: Sleeper::attach(&segment.reactor(id).sleep),
            mailbox,
            jobs,
            reply: Arc::new(move |done| reply_to.put(Mail::Disk(done))),
            live,
            limits,
            wanted,
            router: Router::new(segment, id, settings.dispatch_mode, shared),
            holding: settings.dispatch_mode.is_idle().then(|| Holding::new(segment, id)),
            ending: Ending::default(),
            tls,
            certificates,
            room: Room::default(),
            framers: settings.ports.iter().map(|port| Framer::new(&port.framing, port.package_max_length)).collect(),
            connections: std::iter::repeat_with(|| None).take(sessions.capacity() >> place_shift).collect(),
            place_shift,
            early: Early::default(),
            alive: 0,
            inward,
            touched: Vec::new(),
            inbox: Inbox::new(segment, id),
            batch: Batch::default(),
            pool: Pool::attach(segment.reactor_pool(id), now_ns),
            spare: None,
            scratch: vec![0; READ_SIZE],
            scheduled: Vec::new(),
            unspilled: std::collections::VecDeque::new(),
            lingering: Lingering::default(),
            introducing: Introducing::default(),
            timers,
            datagrams,
            received: None,
            warned_ns: None,
            serving: None,
            now_ns,
            now_us: unix_us(),
            ticker,
            swept_ns: now_ns,
            is_draining: false,
            finish: None,
            hooks,
            ended: None,
            settings,
            log,
        })
    }

    /// Runs until it is told to finish.
    pub fn run(mut self) {
        let mut events = Self::events();
        while self.step(&mut events, None) {}
        self.forget_datagrams();
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
        // Behind the events: whatever has arrived by now has been read. More of them than room: in the next turn.
        if self.timers.is_ticked && !events.is_full() {
            self.timers.is_ticked = false;
            self.look_at_timers()?;
        }
        if self.mailbox.has_mail() {
            for mail in self.mailbox.take() {
                self.on_mail(mail, events)?;
            }
        }
        self.look_at_ending()?;
        self.take_inbox()?;
        self.read_datagrams()?;
        self.read_scheduled()?;
        self.send_batch()?;
        self.end_settled()?;
        self.serve_held()?;
        self.serve_waiting()?;
        self.look_at_lingering()?;
        self.look_at_introducing()?;
        self.spill_again()?;
        self.serve_held_back()?;
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
        if may_read || !self.scheduled.is_empty() || !self.ending.is_empty() || self.has_gift() {
            return Some(Duration::ZERO);
        }
        if self.inward.iter().any(|inward| !inward.waiting.is_empty() || !inward.held.is_empty())
            || self.holding.as_ref().is_some_and(Holding::is_blocked)
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

    /// Makes the connection of a session that the accept thread has just inserted.
    fn adopt(&mut self, id: SessionId) -> Option<Box<Connection>> {
        let session = self.sessions.find(id)?;
        let stream = Stream::from_raw(session.fd).ok()?;
        let worker = self.router.home(id, session.peer);
        if worker != session.worker {
            self.sessions.set_worker(id, worker);
        }
        let port = usize::from(session.port).min(self.framers.len() - 1);
        let framer = self.framers[port].clone();
        let mut connection = Box::new(Connection::new(id, session.port, worker, stream, framer));
        let asks = self.hooks.is_some() && self.settings.port(port).dispatch_func;
        connection.roaming = self.router.roaming(worker, asks);
        if !self.wanted.connect[port] && !asks {
            connection.posted = Posted::Connect;
        }
        connection.is_paused = self.settings.enable_delay_receive;
        if self.tls[port].is_some() {
            self.secure(&mut connection);
        }
        if !session.is_introduced {
            self.begin_intro(&mut connection);
        }
        self.early.hand_to(&mut connection);
        self.begin_timing(&mut connection);
        self.alive += 1;
        self.router.bind(worker);
        if connection.roaming.is_some() {
            self.router.roaming += 1;
        } else {
            self.inward[worker.index()].open += 1;
        }
        add(&self.counters.connections, 1);
        Some(connection)
    }

    fn on_mail(&mut self, mail: Mail, events: &mut Events) -> Result<(), Broken> {
        match mail {
            Mail::Send { session, bytes } => {
                let Some(mut connection) = self.take(session) else {
                    if Early::is_for(&self.sessions, session) {
                        self.early.send_private(session, bytes);
                    }
                    return Ok(());
                };
                if connection.stream.is_some() {
                    connection.output.push_private(bytes);
                    self.send_queued(&mut connection);
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
            Mail::Pause { session, is_paused } => self.on_pause(session, is_paused),
            Mail::SendTo { port, to, bytes } => {
                self.send_private(port, &to, bytes);
                Ok(())
            }
            Mail::Disk(Done::Written { session, len, result }) => self.on_spilled(session, len, result),
            Mail::Disk(Done::WrittenPiece { session, range, result }) => self.on_piece(session, range, result),
            Mail::Disk(Done::Read { session, result }) => {
                let Some(mut connection) = self.take(session) else { return Ok(()) };
                match result {
                    Ok(bytes) => connection.output.has_read(bytes),
                    Err(error) => {
                        self.log.limited().error(|| {
                            format!("cannot read a spilled message of session {session} (task_tmpdir): {error}")
                        });
                        connection.output.clear();
                        connection.end_input(Why::PeerReset);
                    }
                }
                self.send_queued(&mut connection);
                self.settle(connection)
            }
            Mail::Drain => self.drain(events),
            Mail::Finish { deadline } => self.begin_finish(deadline),
        }
    }

    /// Some process has the server close a connection.
    fn on_close_request(&mut self, connection: Box<Connection>, bits: u16) -> Result<(), Broken> {
        if bits & EXPIRED != 0 {
            add(&self.counters.heartbeat_closed, 1);
            return self.expire(connection);
        }
        self.close(connection, bits & RESET != 0)
    }

    /// The server closes a connection.
    fn close(&mut self, mut connection: Box<Connection>, reset: bool) -> Result<(), Broken> {
        connection.end_input(Why::Server);
        self.drop_unread(&mut connection);
        if reset {
            if let Some(stream) = &connection.stream {
                // Without it the peer sees an orderly end, which is the second best.
                let _ = stream.reset_on_close();
            }
            self.forget_batch(&mut connection);
            self.close_socket(&mut connection);
        }
        self.settle(connection)
    }

    /// Does what is due for a connection after something has changed, and forgets it when it is over.
    fn settle(&mut self, mut connection: Box<Connection>) -> Result<(), Broken> {
        if self.owes_level(&connection) {
            self.post_level(&mut connection)?;
        }
        if connection.input != Input::Open {
            self.pump(&mut connection)?;
            let may_close = connection.stream.is_some()
                && connection.may_close_socket()
                && (connection.tls.is_none() || self.has_said_end(&mut connection));
            if connection.has_output() {
                self.begin_last_output(&mut connection);
            }
            if may_close && !self.must_linger(&mut connection) {
                self.close_socket(&mut connection);
            }
            if connection.stream.is_none() && connection.posted == Posted::Done && !connection.is_spilling {
                self.forget_batch(&mut connection);
                self.end_timing(&connection);
                self.forget_certificate(&connection);
                self.sessions.remove(connection.id);
                self.router.release(connection.home());
                self.live.tell();
                self.alive -= 1;
                return Ok(());
            }
        }
        self.put_back(connection);
        Ok(())
    }

    fn close_socket(&mut self, connection: &mut Connection) {
        if connection.stream.take().is_none() {
            return;
        }
        connection.output.clear();
        connection.tls = None;
        // Nothing more can be sent: whoever tries is told so.
        let _ = self.sessions.set_flag(connection.id, Flag::Over);
        self.live.remove();
        if let Some(limits) = &self.limits {
            limits.leave(self.sessions.index(connection.id));
        }
        add(&self.counters.closed, 1);
        let connections = &self.counters.connections;
        connections.store(connections.load(Relaxed).saturating_sub(1), Relaxed);
        self.log.limited().info(|| format!("session {} closed", connection.id));
    }

    /// The connection broke.
    fn broke(&mut self, connection: &mut Connection, error: &std::io::Error) {
        self.sessions.set_close_errno(connection.id, error.raw_os_error().unwrap_or(0));
        connection.end_input(Why::PeerReset);
        connection.output.clear();
    }

    /// Reads what has arrived everywhere, once, and ends all input.
    fn drain(&mut self, events: &mut Events) -> Result<(), Broken> {
        self.drain_datagrams()?;
        // Connections that were accepted and not looked at yet: each has an event waiting, since it is writable.
        loop {
            let waited = self.epoll.wait(events, Some(Duration::ZERO));
            for event in events.iter() {
                self.on_event(event)?;
            }
            if waited.is_ok() && events.is_empty() {
                break;
            }
        }
        self.is_draining = true;
        for index in 0..self.connections.len() {
            let Some(mut connection) = self.connections[index].take() else { continue };
            self.read_all(&mut connection)?;
            connection.end_input(Why::Stopping);
            self.settle(connection)?;
        }
        Ok(())
    }

    /// Closes the lanes to workers for which nothing is owed any more.
    fn close_drained_lanes(&mut self) {
        if !self.is_draining || self.inward.iter().all(|inward| inward.is_closed) {
            return;
        }
        // A message that has no worker yet may go to any.
        if self.router.roaming > 0 {
            return;
        }
        for inward in &mut self.inward {
            if inward.open == 0 && inward.packets.is_empty() && !inward.is_closed {
                inward.lane.publish();
                inward.lane.close();
                inward.is_closed = true;
                inward.marker.mark();
                inward.waker.wake_always();
            }
        }
    }

    fn begin_finish(&mut self, deadline: Option<Instant>) -> Result<(), Broken> {
        // The workers are gone. Their last answers and closes may have come in this very turn.
        self.take_inbox()?;
        self.send_batch()?;
        self.finish = Some(deadline);
        for index in 0..self.connections.len() {
            let Some(mut connection) = self.connections[index].take() else { continue };
            // No worker lives that could still confirm.
            connection.posted = Posted::Done;
            connection.is_spilling = false;
            connection.end_input(Why::Stopping);
            self.settle(connection)?;
        }
        Ok(())
    }

    fn is_finished(&self) -> bool {
        match self.finish {
            None => false,
            Some(deadline) => {
                deadline.is_some_and(|deadline| Instant::now() >= deadline)
                    || (self.alive == 0 && self.datagrams.iter().all(Port::is_sent))
            }
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

    /// Where a session of this reactor is among its connections.
    fn place(&self, id: SessionId) -> usize {
        self.sessions.index(id) >> self.place_shift
    }

    /// Takes a connection out of its place; it goes back by [`Self::settle`] or [`Self::put_back`].
    fn take(&mut self, id: SessionId) -> Option<Box<Connection>> {
        let place = self.place(id);
        let place = &mut self.connections[place];
        if place.as_ref().is_some_and(|connection| connection.id == id) { place.take() } else { None }
    }

    fn put_back(&mut self, connection: Box<Connection>) {
        let place = self.place(connection.id);
        self.connections[place] = Some(connection);
    }
}

/// Adds to a counter that has no other writer.
fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Relaxed) + count, Relaxed);
}
