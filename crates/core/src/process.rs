//! What user code can do from inside a running server, in any of its processes.

mod broadcast;
mod control;
mod datagram;
mod file;
mod info;
mod time;

pub use broadcast::Addressees;
pub use info::{ClientInfo, ClientTls};
pub(crate) use time::PERMISSION;

use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use rotor_ipc::record::{Kind, RESET};
use rotor_ipc::ring::Broken;
use rotor_ipc::segment::Segment;
use rotor_ipc::sessions::{Flag, FlagError};
use rotor_ipc::sync::Ordering::{AcqRel, Acquire, Relaxed};
use rotor_ipc::workers::{SeatEntry, seat_of};
use rotor_ipc::{SessionId, WorkerId};
use rotor_sys::clock::monotonic_ns;
use rotor_sys::descriptors::DescriptorSender;
use rotor_sys::signal::{Arrived, Signals};

use crate::error::{CallError, code};
use crate::host::Role;
use crate::log::Log;
use crate::outlets::{Outlets, PostFailure, header};
use crate::ports::{self, PortInfo, WeakSocket};
use crate::reactor::{Mail, Mailbox};
use crate::roles::{Counts, SlotKind, role_of};
use crate::settings::Settings;
use crate::signals::{SIGINT, SIGTERM};
use crate::slow_log::SlowLog;
use crate::tls::CertificateReader;

/// Bits of the segment's `requests`: what somebody asks of master and manager.
pub(crate) mod request {
    /// Stop the server.
    pub const STOP: u32 = 1;
    /// Replace all workers.
    pub const RELOAD: u32 = 2;
    /// A reload is under way.
    pub const RELOADING: u32 = 4;
    /// All workers have ended.
    pub const WORKERS_GONE: u32 = 8;
    /// The manager has forked all workers.
    pub const WORKERS_FORKED: u32 = 16;
    /// Do not wait for anything any more.
    pub const FORCE: u32 = 32;
    /// Look for late workers at once.
    pub const HURRY: u32 = 64;
}

/// Values of the segment's `last_reload`.
pub(crate) mod reload_result {
    /// Every slot has a new process.
    pub const SUCCESS: u32 = 1;
    /// At least one kept its old one.
    pub const FAILURE: u32 = 2;
}

/// Values of the segment's `phase`.
pub(crate) mod phase {
    /// Connections are accepted and served.
    pub const RUNNING: u32 = 1;
    /// Nothing more is read; workers end when their inbox is closed and empty.
    pub const DRAINING: u32 = 2;
}

/// What is the same in all processes of a server.
#[derive(Clone)]
pub struct Context {
    /// The shared memory.
    pub segment: &'static Segment,
    /// Everything it was told.
    pub settings: Arc<Settings>,
    /// This process's log.
    pub log: Log,
    /// Where slow messages are told of.
    pub slow_log: SlowLog,
    /// The ports; the first is the primary one.
    pub ports: Arc<[PortInfo]>,
    /// Their sockets, which the master alone has.
    pub listeners: Arc<[WeakSocket]>,
    /// The working directory of `start()`, by the path that its user knows it by; `None` when there was none.
    pub directory: Option<PathBuf>,
    /// By reactor: the way for descriptors of files that are sent.
    pub files: Arc<[DescriptorSender]>,
    /// The certificates of clients; `None`: no port asks for any.
    pub certificates: Option<CertificateReader>,
}

/// One process of a running server, as the methods that user code calls see it.
pub struct Process {
    role: Role,
    context: Context,
    /// The seat of a worker or user process.
    seat: Option<&'static SeatEntry>,
    /// What the processes that had the seat before have sent: its counters go on.
    responses_before: u64,
    way: Way,
}

/// How this process reaches the reactors.
enum Way {
    /// By its lanes.
    Lanes(Box<RefCell<Outlets>>),
    /// They are threads of this process.
    Mailboxes(Vec<Mailbox>),
}

impl Context {
    /// The server has to stop, in order.
    pub(crate) fn ask_to_stop(&self) {
        self.request_stop(monotonic_ns(), request::STOP);
    }

    /// The same, and nothing is waited for.
    pub(crate) fn ask_to_stop_by_force(&self) {
        self.request_stop(monotonic_ns(), request::STOP | request::FORCE);
    }

    /// It has to stop by a signal that asks for it and has come. One signal may reach several processes and counts once: only
    /// what comes a second or more after the first means that nothing is waited for. When it came counts, and not when
    /// this process has found the time for it. Who has asked otherwise has sent none.
    pub(crate) fn take_stop_signal(&self, signals: &Signals, arrived: Arrived) {
        const SAME_NS: u64 = 1_000_000_000;
        let came = [SIGTERM, SIGINT].into_iter().filter(|signal| arrived.has(*signal));
        let Some(came_ns) = came.map(|signal| signals.came_ns(signal)).max() else { return };
        let first = self.segment.header().stop_signal_ns.compare_exchange(0, came_ns, AcqRel, Acquire);
        let is_forced = first.is_err_and(|first_ns| came_ns.saturating_sub(first_ns) >= SAME_NS);
        self.request_stop(came_ns, if is_forced { request::STOP | request::FORCE } else { request::STOP });
    }

    fn request_stop(&self, asked_ns: u64, bits: u32) {
        let header = self.segment.header();
        // An error: it was asked for before.
        let _ = header.stop_asked_ns.compare_exchange(0, asked_ns, AcqRel, Acquire);
        header.requests.fetch_or(bits, AcqRel);
        self.segment.main_bell().write();
        self.segment.manager_bell().write();
    }

    /// What a slot is for. There are no task workers: none has an inbox.
    pub(crate) fn kind_of(&self, id: WorkerId) -> SlotKind {
        let counts = Counts { workers: self.segment.workers(), tasks: 0, processes: self.segment.processes() };
        role_of(id, counts).unwrap_or(SlotKind::EventWorker(id.index()))
    }

    /// What is known of a port.
    pub(crate) fn port(&self, place: u16) -> &PortInfo {
        &self.ports[usize::from(place).min(self.ports.len() - 1)]
    }

    /// How log lines call the process of a slot.
    pub(crate) fn who(&self, id: WorkerId) -> String {
        self.kind_of(id).who(id)
    }

    /// Whether somebody has asked for this.
    pub(crate) fn is_asked(&self, bit: u32) -> bool {
        self.segment.header().requests.load(Acquire) & bit != 0
    }
}

impl Process {
    pub(crate) fn of_worker(worker: WorkerId, seat: usize, context: Context, outlets: Outlets) -> Rc<Self> {
        Self::of_seat(Role::EventWorker(worker), worker, seat, context, outlets)
    }

    pub(crate) fn of_user_process(id: WorkerId, seat: usize, context: Context, outlets: Outlets) -> Rc<Self> {
        Self::of_seat(Role::UserProcess(id), id, seat, context, outlets)
    }

    fn of_seat(role: Role, slot: WorkerId, seat: usize, context: Context, outlets: Outlets) -> Rc<Self> {
        let seat = context.segment.seat(slot, seat);
        let responses_before = seat.counters.responses.load(Relaxed);
        let way = Way::Lanes(Box::new(RefCell::new(outlets)));
        Rc::new(Self { role, context, seat: Some(seat), responses_before, way })
    }

    pub(crate) fn of_manager(context: Context, outlets: Outlets) -> Rc<Self> {
        let way = Way::Lanes(Box::new(RefCell::new(outlets)));
        Rc::new(Self { role: Role::Manager, context, seat: None, responses_before: 0, way })
    }

    pub(crate) fn of_master(context: Context, mailboxes: Vec<Mailbox>) -> Rc<Self> {
        let way = Way::Mailboxes(mailboxes);
        Rc::new(Self { role: Role::Master, context, seat: None, responses_before: 0, way })
    }

    /// The part this process plays.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Another descriptor of the socket of the port at this place.
    pub fn copy_of_socket(&self, place: usize) -> Result<OwnedFd, CallError> {
        let failed = |message: &str| CallError::new(code::WRONG_OPERATION, message);
        if self.role != Role::Master {
            return Err(failed("only the master has the sockets of ports; call it before start() or in onStart"));
        }
        let socket = self.context.listeners.get(place).and_then(WeakSocket::upgrade);
        let socket = socket.ok_or_else(|| failed("the port is closed: the server stops"))?;
        ports::copy_of(&socket)
    }

    /// The place of the port with a number; 0 is the primary one.
    pub fn place_of_number(&self, number: i64) -> Option<usize> {
        ports::place_of_number(self.context.ports.iter(), number)
    }

    /// Hands bytes over for sending to a session. `Ok` means queued, not received.
    pub fn send(&self, session: i64, bytes: &[u8]) -> Result<(), CallError> {
        let id = valid_id(session)?;
        self.check_size(bytes)?;
        let sessions = self.context.segment.sessions();
        let Some((reactor, overflows)) = sessions.route(id) else { return Err(self.no_session(id)) };
        if sessions.is_closing(id) {
            return Err(closing(id));
        }
        if overflows {
            self.wait_for_queue(id)?;
        }
        self.to_reactor(reactor, Kind::Send, id, 0, bytes)?;
        if let Some(seat) = self.seat {
            seat.counters.responses.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    /// Fails for bytes that are not sent whoever they are for.
    fn check_size(&self, bytes: &[u8]) -> Result<(), CallError> {
        if bytes.is_empty() {
            return Err(CallError::new(code::INVALID_PARAMS, "the data is empty; there is nothing to send"));
        }
        let limit = self.context.settings.output_buffer_size;
        if bytes.len() as u64 > limit {
            let message = format!("{} bytes are more than output_buffer_size allows ({limit})", bytes.len());
            return Err(CallError::new(code::DATA_TOO_LARGE, message));
        }
        Ok(())
    }

    /// Closes a session: after its queued output was sent, or at once with a reset.
    pub fn close(&self, session: i64, reset: bool) -> Result<(), CallError> {
        let (id, reactor) = self.open_session(session)?;
        self.ask_to_close(reactor, id, if reset { RESET } else { 0 })
    }

    /// Has a session closed, as the bits of [`Kind::CloseRequest`] say.
    fn ask_to_close(&self, reactor: u16, id: SessionId, bits: u16) -> Result<(), CallError> {
        // The record first, the flag after: whoever sees the flag comes behind the record. The reactor may have done
        // it all by then, so its flag is another one.
        self.to_reactor(reactor, Kind::CloseRequest, id, bits, &[])?;
        match self.context.segment.sessions().set_flag(id, Flag::Closing) {
            Ok(()) => Ok(()),
            Err(FlagError::AlreadySet) => Err(closing(id)),
            // It was closed and forgotten meanwhile, which is what was asked for.
            Err(FlagError::Gone) => Ok(()),
        }
    }

    /// Binds a user id to a session, once.
    pub fn bind(&self, session: i64, uid: i64) -> Result<(), CallError> {
        let id = valid_id(session)?;
        let Some(uid) = u32::try_from(uid).ok().filter(|uid| *uid != 0) else {
            let message = format!("a user id is 1 to {}, {uid} given", u32::MAX);
            return Err(CallError::new(code::INVALID_PARAMS, message));
        };
        let sessions = self.context.segment.sessions();
        if !sessions.is_shown(id) {
            return Err(self.no_session(id));
        }
        if sessions.is_closing(id) {
            return Err(closing(id));
        }
        match sessions.bind(id, uid) {
            Ok(()) => Ok(()),
            Err(FlagError::AlreadySet) => {
                let message = format!("session {id} has a user id already; it is bound once");
                Err(CallError::new(code::WRONG_OPERATION, message))
            }
            Err(FlagError::Gone) => Err(self.no_session(id)),
        }
    }

    /// Whether the session is open and nobody has closed it.
    pub fn exists(&self, session: i64) -> bool {
        let sessions = self.context.segment.sessions();
        valid_id(session).is_ok_and(|id| sessions.is_shown(id) && !sessions.is_closing(id))
    }

    /// Asks for an orderly stop of the whole server.
    pub fn shutdown(&self) -> Result<(), CallError> {
        if !self.context.is_asked(request::STOP) {
            self.context.ask_to_stop();
        }
        Ok(())
    }

    /// Asks for new workers. Fails while a reload is under way, and once a stop lets no more in.
    pub fn reload(&self, only_task: bool) -> Result<(), CallError> {
        if only_task {
            // There are no task workers: each of them is new.
            return Ok(());
        }
        if self.context.segment.header().phase.load(Acquire) >= phase::DRAINING {
            return Err(CallError::new(code::WRONG_OPERATION, "the server stops; its workers are replaced no more"));
        }
        let is_free = |bits: u32| bits & (request::RELOAD | request::RELOADING) == 0;
        let requests = &self.context.segment.header().requests;
        // In one step: a reload that a signal has asked for meanwhile stays asked for.
        let asked = requests.fetch_update(AcqRel, Acquire, |bits| is_free(bits).then_some(bits | request::RELOAD));
        if asked.is_err() {
            return Err(CallError::new(code::WRONG_OPERATION, "a reload is under way; call again when it is over"));
        }
        self.context.segment.manager_bell().write();
        Ok(())
    }

    /// Asks for a successor of one worker, this one by default.
    pub fn stop(&self, worker: Option<i64>) -> Result<(), CallError> {
        let seat = match worker {
            // Its own seat: one that leaves already does not mean its successor.
            None => self.seat.ok_or_else(|| {
                CallError::new(code::WRONG_OPERATION, "this process is no worker; name the worker to stop")
            })?,
            Some(number) => self.owner_seat(self.existing_worker(number)?),
        };
        seat.ask_to_leave();
        self.context.segment.manager_bell().write();
        Ok(())
    }

    /// The number of this worker or user process; `None` in the others.
    pub fn worker_id(&self) -> Option<WorkerId> {
        match self.role {
            Role::EventWorker(worker) | Role::UserProcess(worker) => Some(worker),
            Role::Master | Role::Manager => None,
        }
    }

    /// Whether paths mean something else here than in the master (`chroot`).
    pub fn has_other_root(&self) -> bool {
        self.context.settings.identity.root.is_some() && self.seat.is_some()
    }

    /// The master's process number.
    pub fn master_pid(&self) -> i32 {
        self.context.segment.header().master_pid.load(Relaxed)
    }

    /// The manager's process number.
    pub fn manager_pid(&self) -> i32 {
        self.context.segment.header().manager_pid.load(Acquire)
    }

    /// Notes a reading of the clock from before what follows is published.
    pub(crate) fn note_clock(&self, now_ns: u64) {
        if let Way::Lanes(outlets) = &self.way {
            outlets.borrow_mut().note_clock(now_ns);
        }
    }

    /// Wakes the reactors that are owed a wake-up. To be called before any wait.
    pub fn flush(&self) {
        if let Way::Lanes(outlets) = &self.way {
            outlets.borrow_mut().flush();
        }
    }

    /// Gives memory back that was long unused.
    pub(crate) fn sweep(&self, now_ns: u64) {
        if let Way::Lanes(outlets) = &self.way {
            outlets.borrow_mut().sweep(now_ns);
        }
    }

    /// Posts a record to the reactor that owns `session`, or owned it.
    pub(crate) fn to_reactor(
        &self,
        reactor: u16,
        kind: Kind,
        session: SessionId,
        aux: u16,
        bytes: &[u8],
    ) -> Result<(), CallError> {
        let reactor = usize::from(reactor);
        if reactor >= self.context.segment.reactors() {
            return Err(self.broken(Broken { what: "a session belongs to reactor", found: reactor as u64 }));
        }
        match &self.way {
            Way::Mailboxes(mailboxes) => {
                let mail = match kind {
                    Kind::Send => Mail::Send { session, bytes: bytes.to_vec() },
                    Kind::CloseRequest => Mail::Close { session, bits: aux },
                    Kind::Pause | Kind::Resume => Mail::Pause { session, is_paused: kind == Kind::Pause },
                    Kind::Receive
                    | Kind::Connect
                    | Kind::Close
                    | Kind::Barrier
                    | Kind::Closed
                    | Kind::WorkerDied
                    | Kind::ProtocolError
                    | Kind::BufferFull
                    | Kind::BufferEmpty
                    | Kind::Packet
                    | Kind::SendTo
                    | Kind::SendFile
                    | Kind::Broadcast => {
                        return Err(CallError::new(code::WRONG_OPERATION, "the master does not post this"));
                    }
                };
                self.put_mail(mailboxes, reactor, mail)
            }
            Way::Lanes(outlets) => {
                let mut header = header(kind, session.0);
                header.aux = aux;
                let posted = outlets.borrow_mut().post(reactor, header, bytes);
                posted.map_err(|failure| self.not_posted(failure, bytes.len()))
            }
        }
    }

    /// Whether this very thread takes what is posted to a reactor: it is not taken while it waits.
    fn is_own(&self, reactor: usize) -> bool {
        self.context.settings.asks_user_code() && reactor == self.context.settings.reactor_num as usize
    }

    /// Puts a letter of user code's into a reactor's mailbox.
    fn put_mail(&self, mailboxes: &[Mailbox], reactor: usize, mail: Mail) -> Result<(), CallError> {
        if mailboxes[reactor].put_if_there_is_room(mail, !self.is_own(reactor)) {
            Ok(())
        } else {
            Err(CallError::new(code::QUEUE_FULL, "the way to the reactor is full; try again later"))
        }
    }

    fn not_posted(&self, failure: PostFailure, len: usize) -> CallError {
        match failure {
            PostFailure::Full => CallError::new(code::QUEUE_FULL, "the way to the reactor is full; try again later"),
            PostFailure::Spill(error) => {
                let folder = self.context.settings.task_tmpdir.display();
                let why = error.map_or_else(|| "too many are in use".to_owned(), |error| error.to_string());
                let message = format!(
                    "{len} bytes fit into no free block (ipc_memory) and no spill range in {folder} (task_tmpdir): {why}"
                );
                CallError::new(code::QUEUE_FULL, message)
            }
            PostFailure::Descriptor(error) => {
                CallError::new(code::QUEUE_FULL, format!("the file cannot be passed to the reactor: {error}"))
            }
            PostFailure::Broken(broken) => self.broken(broken),
        }
    }

    /// Posts a record of the manager's, `false` when there is no room now.
    pub(crate) fn try_post(
        &self,
        reactor: usize,
        record: rotor_ipc::record::Header,
        body: &[u8],
    ) -> Result<bool, Broken> {
        match &self.way {
            Way::Lanes(outlets) => match outlets.borrow_mut().post(reactor, record, body) {
                Ok(()) => Ok(true),
                Err(PostFailure::Full | PostFailure::Spill(_) | PostFailure::Descriptor(_)) => Ok(false),
                Err(PostFailure::Broken(broken)) => Err(broken),
            },
            Way::Mailboxes(_) => Ok(false),
        }
    }

    fn owner_seat(&self, worker: WorkerId) -> &'static SeatEntry {
        let generation = self.context.segment.slot(worker).owner().current();
        self.context.segment.seat(worker, seat_of(generation))
    }

    fn worker(&self, number: i64) -> Option<WorkerId> {
        let number = u32::try_from(number).ok()?;
        ((number as usize) < self.context.segment.slots()).then_some(WorkerId(number))
    }

    fn existing_worker(&self, number: i64) -> Result<WorkerId, CallError> {
        self.worker(number).ok_or_else(|| {
            let last = self.context.segment.slots() - 1;
            CallError::new(code::INVALID_PARAMS, format!("there is no worker {number}; they are 0 to {last}"))
        })
    }

    fn no_session(&self, id: SessionId) -> CallError {
        let unintroduced = self.context.segment.sessions().find(id);
        if unintroduced.is_some_and(|session| self.context.port(session.port).is_tls) {
            return CallError::new(code::SSL_NOT_READY, format!("the TLS handshake of session {id} is not over"));
        }
        if unintroduced.is_none() && self.was_given(id) {
            CallError::new(code::SESSION_CLOSED, format!("session {id} is closed; check exists() or handle the false"))
        } else {
            CallError::new(code::SESSION_NOT_EXIST, format!("there was no session {id} yet"))
        }
    }

    /// Whether there is a connection that has had this id.
    fn was_given(&self, id: SessionId) -> bool {
        id.0 >= self.context.settings.start_session_id
            && id.0 <= self.context.segment.master().last_session.load(Relaxed)
    }

    fn broken(&self, broken: Broken) -> CallError {
        self.context.log.limited().error(|| broken.to_string());
        CallError::new(code::WRONG_OPERATION, broken.to_string())
    }
}

fn closing(id: SessionId) -> CallError {
    CallError::new(code::SESSION_CLOSING, format!("session {id} is closing already"))
}

fn valid_id(session: i64) -> Result<SessionId, CallError> {
    match u64::try_from(session) {
        Ok(id) if id > 0 => Ok(SessionId(id)),
        _ => {
            Err(CallError::new(code::SESSION_INVALID_ID, format!("session ids are positive numbers, {session} given")))
        }
    }
}
