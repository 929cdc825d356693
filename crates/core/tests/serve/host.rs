//! A host without a language: what a client sends is echoed, or is a command if it begins with an exclamation mark.

use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rotor_core::datagram;
use rotor_core::hooks::{About, Answer, FALL_BACK, Hooks};
use rotor_core::host::{End, Event, EventKind, Host, Origin, Outcome, Role, Sender};
use rotor_core::process::Process;
use rotor_core::trace::{Frame, StackReader};
use rotor_ipc::SessionId;
use rotor_ipc::payload::Payload;
use rotor_sys::process;

use crate::server::{SIGKILL, wait_until};

/// What a test wants of the host.
#[derive(Clone, Debug)]
pub struct Manners {
    /// Whether messages carry a length; else whatever came is one.
    pub is_framed: bool,
    /// Descriptors that the master may open beyond those it has in its start callback; `None`: no limit.
    pub descriptors: Option<u64>,
    /// The largest file that the master may write until the test lets it go.
    pub file_limit: Option<u64>,
    /// The exit code with which the start callback of the manager ends it.
    pub manager_exits: Option<i32>,
    /// Whether anybody wants to know of connections.
    pub hears_connections: bool,
    /// Whether there is a UDP port and a unix socket for datagrams beside the port for connections.
    pub has_datagrams: bool,
    /// Whether the manager broadcasts behind each reload and death, and the master when it is told to stop; that has a last
    /// word for each client, too.
    pub spreads: bool,
    /// How many user processes there are: each sends to every client, again and again.
    pub user_processes: usize,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            is_framed: true,
            descriptors: None,
            file_limit: None,
            manager_exits: None,
            hears_connections: true,
            has_datagrams: false,
            spreads: false,
            user_processes: 0,
        }
    }
}

/// The host of one process.
pub struct TestHost {
    manners: Manners,
    /// Events of all processes, one a line.
    events: File,
    /// Exists when the test lets go what waits.
    gate: PathBuf,
    process: Option<Rc<Process>>,
}

impl TestHost {
    /// A host that notes what happens in `events`, a file opened for appending, and waits for the file `gate`.
    pub fn new(manners: Manners, events: File, gate: PathBuf) -> Self {
        Self { manners, events, gate, process: None }
    }

    fn note(&mut self, line: &str) {
        self.events.write_all(format!("{line}\n").as_bytes()).expect("the list of events takes another line");
    }

    /// A user process: sends numbered patterns, small and large, to every client, again and again.
    fn send_to_all(&mut self, index: usize) -> Outcome {
        let process = self.process();
        let id = process.worker_id().expect("a user process has an id");
        self.note(&format!("user {id} is number {index} pid={}", process::id()));
        for number in 1_u64.. {
            let mut body = format!("{} {number} ", process::id()).into_bytes();
            body.extend(pattern(number, if number % 2 == 0 { 40_000 } else { 100 }));
            let mut place = 0;
            while let Some((session, next)) = process.session_from(place, None) {
                // An error: it has gone meanwhile, or does not read fast enough.
                let _ = process.send(session, &frame(&body));
                place = next;
            }
            // Its pace, so that clients can keep up.
            std::thread::sleep(Duration::from_micros(200));
        }
        Outcome::Returned
    }

    /// Broadcasts so often that it takes one reactor many turns.
    fn spread(&mut self, times: usize) {
        if !self.manners.spreads {
            return;
        }
        for _ in 0..times {
            let posted = self.process().broadcast(&frame(&pattern(13, 300)), crate::broadcasts::ALL, &[]);
            posted.expect("a broadcast is posted");
        }
        self.note("has spread");
    }

    /// A last word for each client, by the main thread, while reactors are busy with its broadcasts.
    fn say_goodbye(&mut self) {
        if !self.manners.spreads {
            return;
        }
        let process = self.process();
        std::thread::sleep(Duration::from_millis(5));
        let mut place = 0;
        while let Some((session, next)) = process.session_from(place, None) {
            self.send(SessionId(session.cast_unsigned()), b"goodbye");
            place = next;
        }
    }

    fn process(&self) -> Rc<Process> {
        self.process.clone().expect("a callback runs in a process that was entered")
    }

    fn send(&self, session: SessionId, body: &[u8]) {
        let framed = if self.manners.is_framed { frame(body) } else { body.to_vec() };
        // A client that has gone needs no answer.
        let _ = self.process().send(session.0.cast_signed(), &framed);
    }

    /// Sends a file with as many bytes as a message, in two parts; it is gone when this returns.
    fn send_file(&self, session: SessionId, number: u64) {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("file-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = self.gate.with_file_name(name);
        let len = rotor_ipc::to_usize(number);
        std::fs::write(&path, pattern(number, len)).expect("a test may write to its folder");
        let begin = &frame(&pattern(number, len))[..4];
        let _ = self.process().send(session.0.cast_signed(), begin);
        let half = i64::try_from(number / 2).expect("a test's file is short enough");
        for (offset, len) in [(0, half), (half, 0)] {
            // A client that has gone needs no answer.
            let _ = self.process().send_file(session.0.cast_signed(), path.as_os_str().as_bytes(), offset, len);
        }
        std::fs::remove_file(path).expect("the file is there");
    }

    fn close(&self, session: SessionId, reset: bool) {
        let _ = self.process().close(session.0.cast_signed(), reset);
    }

    fn on_message(&mut self, session: SessionId, body: &[u8]) -> Outcome {
        let Some(command) = body.strip_prefix(b"!").and_then(|command| std::str::from_utf8(command).ok()) else {
            self.send(session, body);
            return Outcome::Returned;
        };
        let mut words = command.split(' ');
        let name = words.next().unwrap_or_default();
        let number: u64 = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        match name {
            "worker" => {
                let worker = self.process().worker_id().map_or(0, |worker| worker.0);
                self.send(session, format!("{worker} {}", process::id()).as_bytes());
            }
            "stats" => self.send(session, self.stats().as_bytes()),
            "bind" => {
                let bound = self.process().bind(session.0.cast_signed(), i64::try_from(number).unwrap_or(0)).is_ok();
                self.send(session, bound.to_string().as_bytes());
            }
            "wait" => {
                self.note("waits");
                wait_for(&self.gate);
                self.send(session, body);
            }
            "large" => self.send(session, &pattern(number, rotor_ipc::to_usize(number))),
            "file" => self.send_file(session, number),
            "silence" => {}
            "session" => self.send(session, session.to_string().as_bytes()),
            "tell" => {
                self.send(SessionId(number), b"told");
                self.note("has told");
            }
            "shut" => {
                self.close(SessionId(number), false);
                self.send(session, b"done");
            }
            // As long as a callback that does something takes.
            "slow" => std::thread::sleep(Duration::from_micros(200)),
            "killed" => be_killed(),
            "exit" => return Outcome::Ended(End::Leave { code: i32::try_from(number).unwrap_or(1) }),
            "throw" => return Outcome::Threw,
            "bye" => {
                self.send(session, &pattern(7, 64 << 10));
                self.close(session, false);
            }
            "part" => {
                self.send(session, &pattern(number, rotor_ipc::to_usize(number)));
                self.close(session, false);
            }
            "stall" => {
                let _ = self.process().pause(session.0.cast_signed());
                self.send(session, &pattern(number, rotor_ipc::to_usize(number)));
                self.close(session, false);
            }
            "spread" | "spreadkill" => {
                let size = words.next().and_then(|word| word.parse().ok()).expect("a broadcast has a size");
                let message = frame(&pattern(13, size));
                let process = self.process();
                let posted = (0..number).map(|_| process.broadcast(&message, crate::broadcasts::ALL, &[]));
                let posted: u64 = posted.map(|posted| posted.expect("a broadcast is posted")).sum();
                self.note("has spread");
                if name == "spreadkill" {
                    be_killed();
                }
                self.send(session, posted.to_string().as_bytes());
            }
            "endless" => {
                let message = frame(&pattern(13, 100));
                while !self.gate.exists() {
                    // As long as nobody reads it is for nobody.
                    (0..100).for_each(|_| drop(self.process().broadcast(&message, crate::broadcasts::ALL, &[])));
                }
            }
            "flood" => {
                let message = frame(&pattern(11, 1 << 20));
                let process = self.process();
                let accepted = (0..number).filter(|_| {
                    // At the pace of somebody who has other things to do as well.
                    std::thread::sleep(Duration::from_millis(1));
                    process.send(session.0.cast_signed(), &message).is_ok()
                });
                let accepted = accepted.count();
                self.note(&format!("flooded {accepted}"));
            }
            "reset" => self.close(session, true),
            "reap" => self.close_all_others(session),
            _ => panic!("the command {command} is unknown"),
        }
        Outcome::Returned
    }

    /// Answers a datagram, or obeys it.
    fn on_packet(&mut self, from: &Sender<'_>, body: &[u8]) -> Outcome {
        let command = body.strip_prefix(b"!").and_then(|command| std::str::from_utf8(command).ok()).unwrap_or_default();
        let mut words = command.split(' ');
        let name = words.next().unwrap_or_default();
        let number = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        match name {
            "worker" => {
                let worker = self.process().worker_id().map_or(0, |worker| worker.0);
                self.answer(from, format!("{worker} {}", process::id()).as_bytes());
            }
            "wait" => {
                self.note("waits");
                wait_for(&self.gate);
                self.answer(from, body);
            }
            "killed" => be_killed(),
            "throw" => return Outcome::Threw,
            "tell" => self.send(SessionId(number), b"told"),
            "slow" => std::thread::sleep(Duration::from_micros(200)),
            // As many answers of a thousand bytes.
            "burst" => (0..number).for_each(|seed| self.answer(from, &pattern(seed, 1000))),
            _ => self.answer(from, body),
        }
        Outcome::Returned
    }

    fn answer(&self, to: &Sender<'_>, body: &[u8]) {
        let port = datagram::port(to.address);
        datagram::host(to.address, &mut |host| {
            let sent = self.process().send_to(host, port.into(), body, Some(to.port.into()));
            sent.expect("a datagram to a client that has sent one can be sent");
        });
    }

    /// Closes whatever session it finds, with a last word, until the test lets it go.
    fn close_all_others(&self, own: SessionId) {
        let process = self.process();
        while !self.gate.exists() {
            let mut place = 0;
            while let Some((session, next)) = process.session_from(place, None) {
                place = next;
                if session != own.0.cast_signed() {
                    self.send(SessionId(session.cast_unsigned()), b"bye");
                    self.close(SessionId(session.cast_unsigned()), false);
                }
            }
        }
        self.send(own, b"done");
    }

    fn stats(&self) -> String {
        let stats = self.process().stats();
        stats.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }

    fn limit_descriptors(&self, more: u64) {
        use nix::sys::resource::{Resource, getrlimit, setrlimit};
        // The list itself is open while it is counted.
        let open = std::fs::read_dir("/proc/self/fd").expect("there is a list of descriptors").count() as u64 - 1;
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("there is a limit");
        setrlimit(Resource::RLIMIT_NOFILE, open + more, hard).expect("a limit may be lowered");
    }
}

impl Host for TestHost {
    fn user_processes(&self) -> usize {
        self.manners.user_processes
    }

    fn listens(&self, kind: EventKind, _port: u16) -> bool {
        self.manners.hears_connections || !matches!(kind, EventKind::Connect | EventKind::Close)
    }

    fn call(&mut self, event: Event) -> Outcome {
        match event {
            Event::Start => {
                if let Some(more) = self.manners.descriptors {
                    self.limit_descriptors(more);
                }
                if let Some(bytes) = self.manners.file_limit {
                    limit_files(bytes, self.gate.clone());
                }
                self.note("serving");
            }
            Event::Shutdown => {
                let stats = self.stats();
                self.note(&format!("shutdown {stats}"));
            }
            Event::ManagerStart => {
                if let Some(code) = self.manners.manager_exits {
                    return Outcome::Ended(End::Leave { code });
                }
            }
            Event::AfterReload { success } => {
                self.note(&format!("reloaded success={success}"));
                self.spread(SPREAD);
            }
            Event::WorkerError { worker, exit_code, signal, session, .. } => {
                let session = session.map_or(0, |session| session.0);
                self.note(&format!("error worker={worker} code={exit_code} signal={signal} session={session}"));
                if self.manners.spreads {
                    let told = self.process().broadcast(&frame(b"a worker has died"), crate::broadcasts::ALL, &[]);
                    told.expect("a broadcast is posted");
                }
            }
            Event::RequestTimeout { worker, session, seconds } => {
                let session = session.map_or(0, |session| session.0);
                self.note(&format!("timeout worker={worker} session={session} after={}ms", (seconds * 1e3).round()));
            }
            Event::Connect { session, .. } => self.note(&format!("connect {session}")),
            Event::Close { session, reactor, .. } => {
                let by = if reactor.is_some() { "client" } else { "server" };
                self.note(&format!("close {session} by={by}"));
            }
            Event::BufferFull { session, .. } => self.note(&format!("full {session}")),
            Event::BufferEmpty { session, .. } => self.note(&format!("empty {session}")),
            Event::UserProcess { index } => return self.send_to_all(index),
            Event::WorkerStart(worker) => self.note(&format!("worker {worker} starts")),
            Event::WorkerStop(worker) => self.note(&format!("worker {worker} stops")),
            Event::BeforeShutdown => {
                self.note("stopping");
                self.spread(SPREAD_AT_STOP);
                self.say_goodbye();
            }
            Event::ManagerStop | Event::BeforeReload | Event::WorkerExit(_) => {}
        }
        Outcome::Returned
    }

    fn fits(&self, len: usize) -> bool {
        len <= 512 << 20
    }

    fn receive(&mut self, from: Origin, _at_us: u64, payload: &Payload<'_>, taken: &mut dyn FnMut()) -> Outcome {
        let mut bytes = Vec::new();
        match payload {
            Payload::Inline(shared) | Payload::Block { bytes: shared, .. } => shared.append_to(&mut bytes),
            Payload::Spill { file, offset, len, .. } => {
                bytes.resize(rotor_ipc::to_usize(*len), 0);
                if file.read_exact_at(&mut bytes, *offset).is_err() {
                    return Outcome::Returned;
                }
            }
        }
        taken();
        let body = if self.manners.is_framed { &bytes[4..] } else { &bytes[..] };
        self.on_message(from.session, body)
    }

    fn packet(&mut self, from: Sender<'_>, payload: &Payload<'_>, taken: &mut dyn FnMut()) -> Outcome {
        let mut bytes = Vec::new();
        match payload {
            Payload::Inline(shared) | Payload::Block { bytes: shared, .. } => shared.append_to(&mut bytes),
            Payload::Spill { .. } => panic!("a datagram never goes by the disk"),
        }
        taken();
        self.on_packet(&from, &bytes)
    }

    fn protocol_error(&mut self, from: Origin, code: i32, reason: &str) -> Outcome {
        self.note(&format!("rejected {} code={code} {reason}", from.session));
        Outcome::Returned
    }

    fn hooks(&self) -> Rc<dyn Hooks> {
        let events = self.events.try_clone().expect("a file can be cloned");
        Rc::new(TestHooks { process: self.process(), events, gate: self.gate.clone() })
    }

    fn interrupt(&mut self) -> Outcome {
        Outcome::Returned
    }

    fn pending(&self) -> Option<String> {
        None
    }

    fn build(&self) -> String {
        "the host of tests".into()
    }

    fn stack_reader(&self) -> StackReader {
        // There is one call, and whose it is can be read out of any process.
        |memory| {
            let mut bytes = [0; CALL.len()];
            let read = memory.read(CALL.as_ptr().addr(), &mut bytes);
            let call = String::from_utf8_lossy(&bytes).into_owned();
            read.map_or_else(|_| Vec::new(), |()| vec![Frame { call, place: None }])
        }
    }

    fn interrupter(&self) -> fn() {
        // There are no safe points.
        || {}
    }

    fn before_fork(&mut self) {}

    fn renew_code(&mut self, _complain: &mut dyn FnMut(String)) -> Outcome {
        Outcome::Returned
    }

    fn entered(&mut self, _role: Role, process: Rc<Process>) {
        self.process = Some(process);
    }

    fn left(&mut self) {
        self.process = None;
    }
}

/// The length of a message is what its first four bytes say, but for what the largest of these numbers mean.
struct TestHooks {
    process: Rc<Process>,
    events: File,
    gate: PathBuf,
}

/// Instead of a length, what a test wants of [`TestHooks`].
pub mod length {
    /// There is none.
    pub const REFUSED: u32 = u32::MAX;
    /// The function throws.
    pub const THROWS: u32 = u32::MAX - 1;
    /// It returns no number.
    pub const OTHER: u32 = u32::MAX - 2;
    /// It ends the master.
    pub const ENDS: u32 = u32::MAX - 3;
    /// It waits until the test lets it go, and takes the four bytes for a message.
    pub const WAITS: u32 = u32::MAX - 4;
    /// It answers session 1, and takes the four bytes for a message.
    pub const SENDS: u32 = u32::MAX - 5;
    /// It never has enough.
    pub const MORE: u32 = u32::MAX - 6;
    /// It broadcasts often, then sends to session 1 as [`SENDS`], and takes the four bytes for a message.
    pub const SPREADS: u32 = u32::MAX - 7;
}

impl Hooks for TestHooks {
    fn package_length(&self, _port: u16, received: &[u8]) -> Answer {
        let Some(first) = received.first_chunk() else { return Answer::Number(0) };
        Answer::Number(match u32::from_be_bytes(*first) {
            length::REFUSED => -1,
            length::THROWS => return Answer::Threw,
            length::OTHER => return Answer::Other("returned a string instead of an int"),
            length::ENDS => return Answer::Ended(End::Leave { code: 7 }),
            length::WAITS => {
                let note = (&self.events).write_all(b"waiting\n");
                note.expect("the list of events takes another line");
                wait_for(&self.gate);
                4
            }
            length::SENDS => {
                self.process.send(1, &frame(b"from the function")).expect("session 1 is there");
                4
            }
            length::SPREADS => {
                for _ in 0..SPREAD {
                    let posted = self.process.broadcast(&frame(&pattern(13, 300)), crate::broadcasts::ALL, &[]);
                    posted.expect("a broadcast is posted");
                }
                std::thread::sleep(Duration::from_millis(5));
                self.process.send(1, &frame(b"from the function")).expect("session 1 is there");
                let note = (&self.events).write_all(b"has spread\n");
                note.expect("the list of events takes another line");
                4
            }
            length::MORE => 0,
            len => i64::from(len) + 4,
        })
    }

    /// What follows a `>` in a message, up to a space: what is no number makes it throw, without any the mode decides.
    fn worker(&self, _port: u16, from: u64, about: About, data: &[u8]) -> Answer {
        let note = (&self.events).write_all(format!("asked {from} {about:?} {}\n", data.len()).as_bytes());
        note.expect("the list of events takes another line");
        let data = String::from_utf8_lossy(data);
        let Some((_, worker)) = data.split_once('>') else { return Answer::Number(FALL_BACK) };
        let worker = worker.split(' ').next().unwrap_or_default();
        worker.parse().map_or(Answer::Threw, Answer::Number)
    }
}

/// How often [`Manners::spreads`] means: what a lane has room for, and at a stop what outlasts the close callbacks.
pub const SPREAD: usize = 30;
pub const SPREAD_AT_STOP: usize = 150;

/// What all callbacks look like in a stack.
static CALL: &[u8] = b"on_message()";

fn wait_for(gate: &Path) {
    wait_until("the test to let go", || gate.exists());
}

/// Kills this process, which has no further moment then.
fn be_killed() -> ! {
    process::kill(process::id(), SIGKILL).expect("a process may signal itself");
    unreachable!("a process is killed before its call returns");
}

/// A disk that is full until the gate is open.
fn limit_files(bytes: u64, gate: PathBuf) {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (soft, hard) = getrlimit(Resource::RLIMIT_FSIZE).expect("there is a limit");
    setrlimit(Resource::RLIMIT_FSIZE, bytes, hard).expect("a limit may be lowered");
    std::thread::spawn(move || {
        wait_for(&gate);
        setrlimit(Resource::RLIMIT_FSIZE, soft, hard).expect("a soft limit may be raised to the hard one");
    });
}

/// A message with its length before it.
pub fn frame(body: &[u8]) -> Vec<u8> {
    let mut framed = u32::try_from(body.len()).expect("a test's message is short enough").to_be_bytes().to_vec();
    framed.extend_from_slice(body);
    framed
}

/// Bytes that differ from those of every other seed, and from place to place.
pub fn pattern(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_ne_bytes());
    }
    bytes.truncate(len);
    if let Some(first) = bytes.first_mut() {
        // Never a command.
        *first |= 0x80;
    }
    bytes
}
