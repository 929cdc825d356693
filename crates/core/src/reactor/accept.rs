//! The accept thread: takes connections, makes them known, and gives each to its reactor by adding it to the
//! reactor's epoll. A new socket is writable, so the first edge tells the reactor; no queue is needed.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rotor_ipc::SessionId;
use rotor_ipc::segment::Segment;
use rotor_ipc::sessions::{Session, SessionsWriter};
use rotor_ipc::sync::Ordering::{Relaxed, Release};
use rotor_sys::clock::{monotonic_ns, unix_us};
use rotor_sys::epoll::{Epoll, Events, Interest};
use rotor_sys::eventfd::EventFd;
use rotor_sys::socket::{Listener, Stream};

use super::add;
use super::limits::{Limits, Refusal};
use super::live::Live;
use crate::dispatch::{reactor_of, worker_of};
use crate::error::describe_errno;
use crate::log::Log;
use crate::ports::{PortInfo, SocketFile, options};
use crate::settings::{AtMost, Settings};

/// Tells the accept thread to end.
#[derive(Clone, Debug)]
pub struct Stop {
    inner: Arc<(AtomicBool, EventFd)>,
}

impl Stop {
    /// Not told yet.
    pub fn new() -> io::Result<Self> {
        Ok(Self { inner: Arc::new((AtomicBool::new(false), EventFd::new()?)) })
    }

    /// Tells it.
    pub fn stop(&self) {
        self.inner.0.store(true, Ordering::Release);
        self.inner.1.write();
    }

    fn is_set(&self) -> bool {
        self.inner.0.load(Ordering::Acquire)
    }
}

/// Takes connections from the listening sockets.
pub struct Acceptor {
    /// The ports that take connections. Their sockets close, and their files go, with the thread.
    pub ports: Vec<Listening>,
    /// What the server was told.
    pub settings: Arc<Settings>,
    /// The shared memory.
    pub segment: &'static Segment,
    /// What it waits with.
    pub epoll: Epoll,
    /// The epolls of the reactors that are threads.
    pub reactors: Vec<Arc<Epoll>>,
    /// That of the main thread's reactor, whose number is behind theirs.
    pub main: Option<Arc<Epoll>>,
    /// How many connections there are, and may be.
    pub live: Arc<Live>,
    /// What one client may have.
    pub limits: Option<Arc<Limits>>,
    /// The log.
    pub log: Log,
    /// Ends it.
    pub stop: Stop,
}

/// A port that takes connections.
pub struct Listening {
    /// By place.
    pub place: usize,
    /// Its socket.
    pub listener: Arc<Listener>,
    /// What is known of it.
    pub info: PortInfo,
    /// Its file, which goes with it.
    pub file: Option<SocketFile>,
    /// Who waits there when this server stops waits for the next one.
    pub is_inherited: bool,
}

const STOP: u64 = u64::MAX;
const ROOM: u64 = 0;
/// So many connections in a row, then it looks whether it shall stop.
const BATCH: usize = 64;
/// After it was told to stop, it takes so many batches at most: clients that never cease to come do not hold the
/// stop up.
const LAST_BATCHES: usize = 64;
/// With no descriptor left, it tries again this often.
const PAUSE: Duration = Duration::from_millis(100);

enum Next {
    More,
    Empty,
    /// There are as many connections as there may be.
    Full,
    Exhausted(io::Error),
}

impl Acceptor {
    /// Accepts until it is told to stop, then whatever has connected by then; the listener closes with it.
    pub fn run(self) {
        if let Err(error) = self.accept_all() {
            self.log.error(&format!("accepting has ended: {error}"));
        }
        for port in self.ports.iter().filter(|port| !port.is_inherited) {
            // The script may have another descriptor of it: nobody shall connect to that.
            let _ = port.listener.stop_listening();
        }
    }

    fn accept_all(&self) -> io::Result<()> {
        for port in &self.ports {
            self.epoll.add(port.listener.as_fd(), port.place as u64, Interest::ReadLevel)?;
        }
        self.epoll.add(self.stop.inner.1.as_fd(), STOP, Interest::ReadEdge)?;
        let mut events = Events::with_capacity(16);
        let sessions = self.segment.sessions_writer();
        let room = self.live.bell().map(|bell| self.room(bell)).transpose()?;
        let mut last = SessionId(self.segment.master().last_session.load(Relaxed));
        let mut first = 0;
        let mut is_exhausted = false;
        let mut batches_left = LAST_BATCHES;
        loop {
            match self.accept_round(&sessions, &mut last, &mut first) {
                Next::More if self.stop.is_set() && batches_left == 0 => return Ok(()),
                Next::More => {
                    is_exhausted = false;
                    batches_left -= usize::from(self.stop.is_set());
                }
                Next::Empty if self.stop.is_set() => return Ok(()),
                Next::Empty => {
                    is_exhausted = false;
                    // The only error is an interrupt, and signals are blocked in this thread.
                    let _ = self.epoll.wait(&mut events, None);
                }
                Next::Full | Next::Exhausted(_) if self.stop.is_set() => return Ok(()),
                Next::Full => self.wait_for_room(&sessions, last, room.as_ref(), &mut events),
                Next::Exhausted(error) => {
                    if !is_exhausted {
                        is_exhausted = true;
                        add(&self.segment.master().pauses, 1);
                        let why = describe_errno(error.raw_os_error().unwrap_or(0));
                        self.log.limited().warning(|| {
                            format!("accepting pauses: {why}; raise the limit of open files or lower max_connection")
                        });
                    }
                    self.pause();
                }
            }
        }
    }

    /// Waits for a descriptor to become free, or for the stop.
    fn pause(&self) {
        let _ = rotor_sys::socket::wait_readable(self.stop.inner.1.as_fd(), PAUSE);
    }

    /// What it waits with for room, or for the stop.
    fn room(&self, bell: BorrowedFd<'_>) -> io::Result<Epoll> {
        let room = Epoll::new()?;
        room.add(bell, ROOM, Interest::ReadEdge)?;
        room.add(self.stop.inner.1.as_fd(), STOP, Interest::ReadEdge)?;
        Ok(room)
    }

    /// Waits until a connection has gone, or for the stop.
    fn wait_for_room(&self, sessions: &SessionsWriter, last: SessionId, room: Option<&Epoll>, events: &mut Events) {
        add(&self.segment.master().holds, 1);
        let most = self.settings.max_connection;
        self.log.limited().notice(|| format!("accepting waits: max_connection ({most}) is reached"));
        self.live.announce_wait();
        if let Some(room) = room
            && self.next_id(sessions, last).is_none()
            && !self.stop.is_set()
        {
            // The only error is an interrupt, and signals are blocked in this thread.
            let _ = room.wait(events, None);
        }
        self.live.end_wait();
    }

    /// A batch of each port, from the one at `first` on: where there is no more room another one begins the next time.
    fn accept_round(&self, sessions: &SessionsWriter, last: &mut SessionId, first: &mut usize) -> Next {
        let mut round = Next::Empty;
        for step in 0..self.ports.len() {
            let index = (*first + step) % self.ports.len();
            match self.accept_batch(&self.ports[index], sessions, last) {
                Next::Empty => {}
                Next::More => round = Next::More,
                Next::Full => {
                    *first = (index + 1) % self.ports.len();
                    return Next::Full;
                }
                Next::Exhausted(error) => return Next::Exhausted(error),
            }
        }
        round
    }

    fn accept_batch(&self, port: &Listening, sessions: &SessionsWriter, last: &mut SessionId) -> Next {
        let place = port.place;
        if port.is_inherited && self.stop.is_set() {
            // Who waits there waits for the next server.
            return Next::Empty;
        }
        for _ in 0..BATCH {
            let id = self.next_id(sessions, *last);
            if id.is_none() && self.settings.max_connection_policy == AtMost::Hold {
                return Next::Full;
            }
            let (stream, peer) = match port.listener.accept() {
                Ok(accepted) => accepted,
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return Next::Empty,
                    // The client is gone already, or a signal came: the next one.
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted => continue,
                    _ if is_exhaustion(&error) => return Next::Exhausted(error),
                    _ => {
                        self.log.limited().info(|| format!("a connection could not be accepted: {error}"));
                        continue;
                    }
                },
            };
            if let Some(peer) = peer
                && !self.settings.port(place).trusts(peer.ip())
            {
                add(&self.segment.master().refused_untrusted, 1);
                self.log.limited().warning(|| {
                    format!("refused {} on port {}: it is none of the proxies in proxy_trusted", peer.ip(), place)
                });
                let _ = stream.reset_on_close();
                continue;
            }
            match id {
                Some(id) => {
                    if let Err(refusal) = self.admit(sessions.index(id), place, peer) {
                        self.refuse(port, &stream, peer, refusal);
                        continue;
                    }
                    *last = id;
                    self.hand_over(sessions, id, port, stream, peer);
                }
                None => {
                    add(&self.segment.master().refused, 1);
                    let most = self.settings.max_connection;
                    self.log.limited().warning(|| {
                        let address = &port.info.address;
                        format!("refused {} on {address}: max_connection ({most}) is reached", shown(peer))
                    });
                    let _ = stream.reset_on_close();
                }
            }
        }
        Next::More
    }

    /// The next id whose place is free; `None` at `max_connection`, or when sessions that wait for their close
    /// callback have taken all the room beside it.
    fn next_id(&self, sessions: &SessionsWriter, last: SessionId) -> Option<SessionId> {
        if self.live.is_full() {
            return None;
        }
        let capacity = sessions.capacity() as u64;
        (last.0 + 1..=last.0 + capacity).map(SessionId).find(|id| sessions.is_free(*id))
    }

    /// Notes a connection of a client, unless it may have no more. Whom a proxy has still to name is judged later.
    fn admit(&self, index: usize, place: usize, peer: Option<SocketAddr>) -> Result<(), Refusal> {
        match (&self.limits, peer) {
            (Some(limits), Some(peer)) if self.settings.port(place).proxy_trusted.is_none() => {
                limits.admit(index, place, peer.ip(), monotonic_ns())
            }
            _ => Ok(()),
        }
    }

    fn refuse(&self, port: &Listening, stream: &Stream, peer: Option<SocketAddr>, refusal: Refusal) {
        let master = self.segment.master();
        add(if refusal == Refusal::TooMany { &master.refused_per_ip } else { &master.refused_rate }, 1);
        let address = &port.info.address;
        self.log.limited().warning(|| {
            format!("refused {} on {address}: {}", shown(peer), refusal.reason(self.settings.port(port.place)))
        });
        let _ = stream.reset_on_close();
    }

    fn hand_over(
        &self,
        sessions: &SessionsWriter,
        id: SessionId,
        port: &Listening,
        stream: Stream,
        peer: Option<SocketAddr>,
    ) {
        if peer.is_none() {
            options::tell_unix_connection(&stream, &self.settings.port(port.place).socket);
        }
        let main = self.main.as_ref().filter(|_| self.settings.port(port.place).asks_user_code());
        let (reactor, epoll) = match main {
            Some(epoll) => (u16::try_from(self.reactors.len()).unwrap_or(u16::MAX), epoll),
            None => {
                let reactor = reactor_of(id, self.reactors.len());
                (reactor, &self.reactors[usize::from(reactor)])
            }
        };
        let now_us = unix_us();
        let fd = stream.into_raw();
        self.live.add();
        let master = self.segment.master();
        // Pairs with the Acquire in `Process::audience`: whoever sees the id sees that its place was free.
        master.last_session.store(id.0, Release);
        let number = u64::from(fd.unsigned_abs());
        if number < master.lowest_fd.load(Relaxed) || master.accepted.load(Relaxed) == 0 {
            master.lowest_fd.store(number, Relaxed);
        }
        if number > master.highest_fd.load(Relaxed) {
            master.highest_fd.store(number, Relaxed);
        }
        add(&master.accepted, 1);
        sessions.insert(&Session {
            id,
            reactor,
            port: u16::try_from(port.place).unwrap_or(0),
            fd,
            peer,
            proxy: None,
            is_introduced: self.settings.port(port.place).proxy_trusted.is_none() && !port.info.is_tls,
            connected_us: now_us,
            received_us: now_us,
            heard_ns: monotonic_ns(),
            sent_us: 0,
            dispatched_us: 0,
            send_queued: 0,
            close_errno: 0,
            worker: worker_of(id, self.segment.workers()),
            tls: None,
        });
        self.log.limited().info(|| match peer {
            Some(peer) => format!("session {id} from {peer}"),
            None => format!("session {id} on {}", port.info.address),
        });
        let registered = Stream::from_raw(fd).and_then(|stream| {
            let added = epoll.add(stream.as_fd(), id.0, Interest::SocketEdge);
            // On success the descriptor is the reactor's.
            if added.is_ok() {
                let _ = stream.into_raw();
            }
            added
        });
        if let Err(error) = registered {
            self.log.limited().warning(|| format!("session {id} cannot be watched: {error}; closed"));
            sessions.remove(id);
            self.live.remove();
            if let Some(limits) = &self.limits {
                limits.leave(sessions.index(id));
            }
            add(&self.segment.master().refused_unwatched, 1);
        }
    }
}

fn shown(peer: Option<SocketAddr>) -> String {
    peer.map_or_else(|| "a client".to_owned(), |peer| peer.to_string())
}

fn is_exhaustion(error: &io::Error) -> bool {
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    const ENOMEM: i32 = 12;
    const ENOBUFS: i32 = 105;
    matches!(error.raw_os_error(), Some(EMFILE | ENFILE | ENOMEM | ENOBUFS))
}
