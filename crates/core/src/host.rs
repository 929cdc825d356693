//! What the core asks of the language it serves: the one door to user code.
//!
//! The core never holds a borrow of its own state while it is inside a method of [`Host`] that may run
//! user code, since that code calls back into [`Process`].

use std::rc::Rc;

use rotor_ipc::payload::Payload;
use rotor_ipc::{SessionId, WorkerId};
use rotor_sys::datagram::Address;

use crate::hooks::Hooks;
use crate::process::Process;
use crate::trace::StackReader;

/// The part a process plays in a running server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The process that called `start()`.
    Master,
    /// The process that forks, reaps and replaces the workers.
    Manager,
    /// A process that runs callbacks for connections.
    EventWorker(WorkerId),
    /// A process that runs one callback for as long as that likes.
    UserProcess(WorkerId),
}

/// What a callback is told. Bytes of a client's message travel by [`Host::receive`] instead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// Master: the listeners are open; connections are accepted once the callback returns.
    Start,
    /// Master: a stop was asked for; connections are still served.
    BeforeShutdown,
    /// Master: all other processes have ended.
    Shutdown,
    /// Manager: before its first wait.
    ManagerStart,
    /// Manager: all workers have ended.
    ManagerStop,
    /// Manager: a reload begins.
    BeforeReload,
    /// Manager: a reload is over; `success` is false when a successor did not get ready.
    AfterReload {
        /// Whether every slot has a new process.
        success: bool,
    },
    /// Event worker: before it takes its first record.
    WorkerStart(WorkerId),
    /// Event worker: it has taken its last record.
    WorkerStop(WorkerId),
    /// Event worker: it leaves; what is pending can be let go.
    WorkerExit(WorkerId),
    /// Manager: a worker or a user process ended with a non-zero code or by a signal.
    WorkerError {
        /// Its slot.
        worker: WorkerId,
        /// Its process.
        pid: i32,
        /// Its exit code; 0 when a signal ended it.
        exit_code: i32,
        /// The signal that ended it; 0 when it exited.
        signal: i32,
        /// The session whose message it had in hand.
        session: Option<SessionId>,
    },
    /// Manager: a callback took longer than `request_timeout`. Its worker was ended and its connection closed.
    RequestTimeout {
        /// The worker's slot.
        worker: WorkerId,
        /// The session of the callback.
        session: Option<SessionId>,
        /// How long it took, in seconds.
        seconds: f64,
    },
    /// User process: its whole life.
    UserProcess {
        /// Its number among the user processes.
        index: usize,
    },
    /// Event worker: a client connected.
    Connect {
        /// The new session.
        session: SessionId,
        /// The reactor that owns the socket.
        reactor: u16,
        /// The port it came in by, by place.
        port: u16,
        /// When its reactor told (microseconds since 1970).
        at_us: u64,
    },
    /// Event worker: the connection is over.
    Close {
        /// The session; it resolves until the callback has returned.
        session: SessionId,
        /// The reactor that owned the socket; `None` when the server closed.
        reactor: Option<u16>,
        /// The port it came in by, by place.
        port: u16,
        /// When its reactor told (microseconds since 1970).
        at_us: u64,
    },
    /// Event worker: what waits for a client has reached the high watermark.
    BufferFull {
        /// The session.
        session: SessionId,
        /// The port it came in by, by place.
        port: u16,
    },
    /// Event worker: what waits for a client has come down to the low watermark.
    BufferEmpty {
        /// The session.
        session: SessionId,
        /// The port it came in by, by place.
        port: u16,
    },
}

/// The kinds of [`Event`], for asking whether anybody listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is the event of the same name")]
pub enum EventKind {
    Start,
    BeforeShutdown,
    Shutdown,
    ManagerStart,
    ManagerStop,
    BeforeReload,
    AfterReload,
    WorkerStart,
    WorkerStop,
    WorkerExit,
    WorkerError,
    RequestTimeout,
    Connect,
    Receive,
    Packet,
    ProtocolError,
    Close,
    BufferFull,
    BufferEmpty,
}

impl EventKind {
    /// Whether each port may have a callback of its own for it.
    pub fn is_of_port(self) -> bool {
        matches!(
            self,
            Self::Connect
                | Self::Receive
                | Self::Packet
                | Self::ProtocolError
                | Self::Close
                | Self::BufferFull
                | Self::BufferEmpty
        )
    }

    /// The events that have a place in the order of a connection's messages: a callback relies on running in the same
    /// worker as those.
    pub const IN_ORDER: &[Self] = &[Self::Connect, Self::Close, Self::BufferFull, Self::BufferEmpty];
}

/// The events and what user code calls them, whatever the case.
pub const EVENTS: [(EventKind, &str); 19] = [
    (EventKind::Start, "Start"),
    (EventKind::BeforeShutdown, "BeforeShutdown"),
    (EventKind::Shutdown, "Shutdown"),
    (EventKind::ManagerStart, "ManagerStart"),
    (EventKind::ManagerStop, "ManagerStop"),
    (EventKind::BeforeReload, "BeforeReload"),
    (EventKind::AfterReload, "AfterReload"),
    (EventKind::WorkerStart, "WorkerStart"),
    (EventKind::WorkerStop, "WorkerStop"),
    (EventKind::WorkerExit, "WorkerExit"),
    (EventKind::WorkerError, "WorkerError"),
    (EventKind::RequestTimeout, "RequestTimeout"),
    (EventKind::Connect, "Connect"),
    (EventKind::Receive, "Receive"),
    (EventKind::Packet, "Packet"),
    (EventKind::ProtocolError, "ProtocolError"),
    (EventKind::Close, "Close"),
    (EventKind::BufferFull, "BufferFull"),
    (EventKind::BufferEmpty, "BufferEmpty"),
];

/// Events of the peer that Rotor does not have, and what they belong to.
pub const ABSENT_EVENTS: [(&str, &str); 9] = [
    ("Task", "task workers"),
    ("Finish", "task workers"),
    ("PipeMessage", "messages between workers"),
    ("Request", "HTTP"),
    ("Handshake", "WebSocket"),
    ("BeforeHandshakeResponse", "WebSocket"),
    ("Open", "WebSocket"),
    ("Message", "WebSocket"),
    ("Disconnect", "WebSocket"),
];

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The session.
    pub session: SessionId,
    /// The reactor that owns the socket.
    pub reactor: u16,
    /// The port it came in by, by place.
    pub port: u16,
}

/// Where a datagram came from.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// Its address.
    pub address: &'a Address,
    /// The port it came in by, by place.
    pub port: u16,
    /// When it was received (microseconds since 1970).
    pub received_us: u64,
}

/// How a call into user code came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It returned.
    Returned,
    /// It threw; the host has reported the exception and the process goes on.
    Threw,
    /// The process has to end now, as this says.
    Ended(End),
}

/// How a process leaves [`server::start`](crate::server::start).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The master, after an orderly stop: `start()` returns true.
    Stopped,
    /// A child is done, or the master with a start that has failed: it runs its shutdown functions and exits with `code`.
    Leave {
        /// The exit code.
        code: i32,
    },
    /// User code called `exit()`: the host's own exit is under way already.
    Exited,
    /// A fatal error: nothing of user code may run any more but the shutdown functions.
    BailedOut,
}

impl End {
    /// As PHP ends a script that has not caught an exception.
    pub const UNCAUGHT: Self = Self::Leave { code: 255 };
}

/// The language that runs the callbacks.
pub trait Host {
    /// How many user processes there are; each runs [`Event::UserProcess`].
    fn user_processes(&self) -> usize;

    /// Whether a callback is registered for `kind` on the port at this place; for events of the server, whatever the
    /// port.
    fn listens(&self, kind: EventKind, port: u16) -> bool;

    /// Runs the callback for `event`; [`Outcome::Returned`] at once when there is none.
    fn call(&mut self, event: Event) -> Outcome;

    /// Whether a message of `len` bytes fits into what the memory limit leaves.
    fn fits(&self, len: usize) -> bool;

    /// Copies `payload`, which was received at `at_us` (microseconds since 1970), into the host's own string, calls
    /// `taken`, then runs the receive callback.
    ///
    /// `taken` must run after the copy and before the callback: it moves the head of the lane, so that a
    /// crash in the callback does not replay the message (P4). When the copy fails, `taken` is not called.
    fn receive(&mut self, from: Origin, at_us: u64, payload: &Payload<'_>, taken: &mut dyn FnMut()) -> Outcome;

    /// The same for a datagram: the packet callback.
    fn packet(&mut self, from: Sender<'_>, payload: &Payload<'_>, taken: &mut dyn FnMut()) -> Outcome;

    /// Tells user code what was wrong with what a client sent; its connection is closed right after that.
    fn protocol_error(&mut self, from: Origin, code: i32, reason: &str) -> Outcome;

    /// The functions of user code that ports have in the way of their messages; asked for on the main thread of the
    /// master, where there are any, and called there.
    fn hooks(&self) -> Rc<dyn Hooks>;

    /// Runs what user code has asked to run between two callbacks (signal handlers). Called once per turn of
    /// each loop and after every interrupted wait.
    fn interrupt(&mut self) -> Outcome;

    /// What user code has started and not ended yet, in words for the log: a worker that leaves waits for it.
    fn pending(&self) -> Option<String>;

    /// What runs here, in words for the log: versions and loaded extensions.
    fn build(&self) -> String;

    /// How the stack of user code is read out of a process of this server.
    fn stack_reader(&self) -> StackReader;

    /// Has user code of this process come to a safe point soon, at which the host calls
    /// [`at_safe_point`](crate::self_look::at_safe_point). It may be called in any thread.
    fn interrupter(&self) -> fn();

    /// Called before each fork: what is buffered would come out twice.
    fn before_fork(&mut self);

    /// Manager: called before it forks a process that is to run the code that is there now. What all processes share of
    /// code that has changed since it was loaded is forgotten. `complain` gets the reason when new processes have to
    /// load all of it for themselves.
    fn renew_code(&mut self, complain: &mut dyn FnMut(String)) -> Outcome;

    /// Called in each process when it has become `role`, before its first callback: sets the process title,
    /// reseeds random generators, publishes the pids, and keeps `process` for the methods that user code calls.
    fn entered(&mut self, role: Role, process: Rc<Process>);

    /// Called when this process has ended its part, before `start` returns: methods fail from here on.
    fn left(&mut self);
}
