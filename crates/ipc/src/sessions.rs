//! The session table: which socket a session id means (P1, P2).
//!
//! The master alone writes entries; every other process has them mapped read-only. What workers may change is a
//! flag word per entry in a table of its own.
//!
//! The table has a power of two of entries. The id modulo that is the index, and the id divided by it the *round*.
//! Ids only grow, and an id whose place is taken is skipped, so no id is ever used twice. An entry is read as id,
//! fields, fence, id again; its writer clears the id first. A flag word carries the lower 32 bits of the round
//! beside the flags and changes by CAS on the whole, so that a late `close()` cannot hit the next client. A second such
//! word has the user id that somebody has bound to the session.
//!
//! Beside the table stands a bit for each place that is taken, so that a walk over few sessions in a large table is short.
//! It tells where to look, and nothing of who is there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::sync::{AtomicU64, Ordering, Shared, fence};
use crate::{SessionId, WorkerId};

/// One session, as the master wrote it.
#[repr(C, align(64))]
#[derive(Debug, Default)]
pub struct SessionEntry {
    id: AtomicU64,
    /// Reactor (16 bits), port (16), descriptor (32).
    place: AtomicU64,
    /// Peer's port number (16 bits), family (8), the proxy's family (8), overflow (1), unintroduced (1), the proxy's
    /// port number (the upper 16).
    peer: AtomicU64,
    address_high: AtomicU64,
    address_low: AtomicU64,
    proxy_high: AtomicU64,
    proxy_low: AtomicU64,
    connected_us: AtomicU64,
    received_us: AtomicU64,
    heard_ns: AtomicU64,
    sent_us: AtomicU64,
    dispatched_us: AtomicU64,
    send_queued: AtomicU64,
    /// The errno (32 bits), the TLS suite (16), the place of the protocol that was chosen plus 1 (8), version 1.3 (1).
    close_errno: AtomicU64,
    worker: AtomicU64,
}

// SAFETY: repr(C), atomics only, zero is a free entry.
unsafe impl Shared for SessionEntry {}

/// What workers may change of a session: two words, each with the session's round in its upper half.
#[repr(C)]
#[derive(Debug, Default)]
pub struct FlagWord {
    /// The flags.
    flags: AtomicU64,
    /// The bound user id; 0: none.
    uid: AtomicU64,
}

// SAFETY: repr(C), atomics only.
unsafe impl Shared for FlagWord {}

/// The flags of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Flag {
    /// Somebody has asked for it to be closed. Set by who asks, once: the first one.
    Closing = 1,
    /// Its reactor sends nothing more to it. Set by the reactor, which may be faster than who asked.
    Over = 2,
    /// It may be silent for as long as it likes.
    Protected = 4,
}

/// What an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The reactor that owns the socket.
    pub reactor: u16,
    /// The port it came in by, by index.
    pub port: u16,
    /// The socket's descriptor in the master.
    pub fd: i32,
    /// The client; `None`: a unix socket's, which has no address.
    pub peer: Option<SocketAddr>,
    /// The proxy that has said who the client is; `None`: there is none, or it has no address.
    pub proxy: Option<SocketAddr>,
    /// Whether it is known who the client is. Until then nobody is shown the session.
    pub is_introduced: bool,
    /// When it connected, microseconds since 1970.
    pub connected_us: u64,
    /// When bytes last came, likewise.
    pub received_us: u64,
    /// The same by the clock for durations (monotonic ns).
    pub heard_ns: u64,
    /// When bytes were last sent, likewise; 0: never.
    pub sent_us: u64,
    /// When a message was last handed to a worker, likewise; 0: never.
    pub dispatched_us: u64,
    /// Bytes in its output queue.
    pub send_queued: u64,
    /// The errno that broke the connection; 0: none.
    pub close_errno: i32,
    /// The worker that its messages go to; where they go to several, the one that its id alone would choose.
    pub worker: WorkerId,
    /// What its TLS handshake has come to; `None`: it has no TLS, or is not over.
    pub tls: Option<SessionTls>,
}

/// What a TLS handshake has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTls {
    /// The cipher suite, by its registered number; not 0, which is none.
    pub suite: u16,
    /// The protocol that was chosen, by its place among the port's.
    pub alpn: Option<u8>,
    /// Whether it is version 1.3.
    pub is_tls13: bool,
}

/// Why a flag was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagError {
    /// The entry is another session's by now.
    Gone,
    /// It was set already.
    AlreadySet,
}

/// Words with a bit for each of so many entries.
pub fn taken_words(entries: usize) -> usize {
    entries.div_ceil(64)
}

/// Everybody's view of the table.
#[derive(Clone, Copy, Debug)]
pub struct SessionsReader {
    entries: &'static [SessionEntry],
    flags: &'static [FlagWord],
    taken: &'static [AtomicU64],
}

const OVERFLOW: u64 = 1 << 32;
const UNINTRODUCED: u64 = 1 << 33;
const IPV6: u64 = 6;
const NO_ADDRESS: u64 = 1;

impl SessionsReader {
    /// A view of tables of the same length, a power of two, and of a bit for each entry.
    pub fn new(entries: &'static [SessionEntry], flags: &'static [FlagWord], taken: &'static [AtomicU64]) -> Self {
        assert!(
            entries.len().is_power_of_two()
                && entries.len() == flags.len()
                && taken.len() == taken_words(entries.len()),
            "the session tables have other sizes"
        );
        Self { entries, flags, taken }
    }

    /// How many entries there are.
    pub fn capacity(&self) -> usize {
        self.entries.len()
    }

    /// The place of an id.
    pub fn index(&self, id: SessionId) -> usize {
        crate::to_usize(id.0 & (self.entries.len() as u64 - 1))
    }

    /// The session, if it lives (P2).
    pub fn find(&self, id: SessionId) -> Option<Session> {
        let entry = self.entry(id)?;
        // Pairs with the Release in `introduce`: the addresses are the client's.
        let (place, peer) = (entry.place.load(Ordering::Relaxed), entry.peer.load(Ordering::Acquire));
        let (high, low) = (entry.address_high.load(Ordering::Relaxed), entry.address_low.load(Ordering::Relaxed));
        let (proxy_high, proxy_low) =
            (entry.proxy_high.load(Ordering::Relaxed), entry.proxy_low.load(Ordering::Relaxed));
        let close_errno = entry.close_errno.load(Ordering::Relaxed);
        let session = Session {
            id,
            reactor: low_16(place),
            port: low_16(place >> 16),
            fd: low_32(place >> 32).cast_signed(),
            peer: parse_address(low_16(peer), peer >> 16 & 0xff, high, low),
            proxy: parse_address(low_16(peer >> 48), peer >> 24 & 0xff, proxy_high, proxy_low),
            is_introduced: peer & UNINTRODUCED == 0,
            connected_us: entry.connected_us.load(Ordering::Relaxed),
            received_us: entry.received_us.load(Ordering::Relaxed),
            heard_ns: entry.heard_ns.load(Ordering::Relaxed),
            sent_us: entry.sent_us.load(Ordering::Relaxed),
            dispatched_us: entry.dispatched_us.load(Ordering::Relaxed),
            send_queued: entry.send_queued.load(Ordering::Relaxed),
            close_errno: low_32(close_errno).cast_signed(),
            tls: parse_tls(low_32(close_errno >> 32)),
            worker: WorkerId(low_32(entry.worker.load(Ordering::Relaxed))),
        };
        self.is_still(entry, id).then_some(session)
    }

    /// What a `send` needs to know: the reactor, and whether the output queue overflows. `None` also for a session
    /// that is not introduced yet.
    pub fn route(&self, id: SessionId) -> Option<(u16, bool)> {
        let entry = self.entry(id)?;
        let reactor = low_16(entry.place.load(Ordering::Relaxed));
        let peer = entry.peer.load(Ordering::Relaxed);
        (self.is_still(entry, id) && peer & UNINTRODUCED == 0).then_some((reactor, peer & OVERFLOW != 0))
    }

    /// Whether the session lives, closing or not, introduced or not.
    pub fn lives(&self, id: SessionId) -> bool {
        self.entry(id).is_some()
    }

    /// Whether the session lives, closing or not, and it is known whose it is.
    pub fn is_shown(&self, id: SessionId) -> bool {
        self.route(id).is_some()
    }

    /// Whether somebody has closed the session, or its reactor has, or it is gone.
    pub fn is_closing(&self, id: SessionId) -> bool {
        let word = self.flags[self.index(id)].flags.load(Ordering::Acquire);
        word >> 32 != self.round(id) || word & (Flag::Closing as u64 | Flag::Over as u64) != 0
    }

    /// Sets a flag of the session, and of no other one.
    pub fn set_flag(&self, id: SessionId, flag: Flag) -> Result<(), FlagError> {
        let word = &self.flags[self.index(id)].flags;
        let mut found = word.load(Ordering::Acquire);
        loop {
            if found >> 32 != self.round(id) {
                return Err(FlagError::Gone);
            }
            if found & flag as u64 != 0 {
                return Err(FlagError::AlreadySet);
            }
            match word.compare_exchange(found, found | flag as u64, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(()),
                Err(other) => found = other,
            }
        }
    }

    /// Binds a user id, not 0, to the session, and to no other one; once.
    pub fn bind(&self, id: SessionId, uid: u32) -> Result<(), FlagError> {
        let unbound = self.round(id) << 32;
        let word = &self.flags[self.index(id)].uid;
        match word.compare_exchange(unbound, unbound | u64::from(uid), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Ok(()),
            Err(found) if found >> 32 == self.round(id) => Err(FlagError::AlreadySet),
            Err(_) => Err(FlagError::Gone),
        }
    }

    /// The user id that is bound to the session.
    pub fn uid(&self, id: SessionId) -> Option<u32> {
        let word = self.flags[self.index(id)].uid.load(Ordering::Acquire);
        Some(low_32(word)).filter(|uid| *uid != 0 && word >> 32 == self.round(id))
    }

    /// Takes a flag of the session away, and of no other one; it need not be set.
    pub fn clear_flag(&self, id: SessionId, flag: Flag) -> Result<(), FlagError> {
        let word = &self.flags[self.index(id)].flags;
        let mut found = word.load(Ordering::Acquire);
        while found >> 32 == self.round(id) {
            match word.compare_exchange(found, found & !(flag as u64), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(()),
                Err(other) => found = other,
            }
        }
        Err(FlagError::Gone)
    }

    /// Whether a flag of the session is set.
    pub fn has_flag(&self, id: SessionId, flag: Flag) -> bool {
        let word = self.flags[self.index(id)].flags.load(Ordering::Acquire);
        word >> 32 == self.round(id) && word & flag as u64 != 0
    }

    /// The first place at or behind `index` that is taken; somebody may have come to one before it meanwhile.
    pub fn taken_from(&self, index: usize) -> Option<usize> {
        let mut at = index / 64;
        let mut word = self.taken.get(at)?.load(Ordering::Relaxed) & u64::MAX << (index % 64);
        while word == 0 {
            at += 1;
            word = self.taken.get(at)?.load(Ordering::Relaxed);
        }
        Some(at * 64 + word.trailing_zeros() as usize)
    }

    /// All sessions that live, closing or not, introduced or not. One that lives throughout the walk is met once.
    pub fn ids(self) -> impl Iterator<Item = SessionId> {
        let places = std::iter::successors(self.taken_from(0), move |place| self.taken_from(place + 1));
        places.filter_map(move |place| self.id_at(place))
    }

    /// The id in the entry at `index`, if one lives there.
    pub fn id_at(&self, index: usize) -> Option<SessionId> {
        match self.entries.get(index)?.id.load(Ordering::Acquire) {
            0 => None,
            id => Some(SessionId(id)),
        }
    }

    /// The first session at or behind a place that is open, nobody has closed and everybody is shown, and the place to go
    /// on from. Begun with 0, a walk meets each session that is so throughout once: whatever comes and goes, it has one
    /// place. With a port, by its place: the first of that port.
    pub fn open_from(&self, place: usize, port: Option<usize>) -> Option<(SessionId, usize)> {
        let is_of_port =
            |id| port.is_none_or(|port| self.find(id).is_some_and(|session| usize::from(session.port) == port));
        std::iter::successors(self.taken_from(place), |place| self.taken_from(place + 1)).find_map(|place| {
            let id = self.id_at(place).filter(|id| self.is_shown(*id) && !self.is_closing(*id))?;
            is_of_port(id).then_some((id, place + 1))
        })
    }

    fn entry(&self, id: SessionId) -> Option<&'static SessionEntry> {
        let entry = &self.entries[self.index(id)];
        // Pairs with the Release in `insert`: the fields are this session's.
        (id.0 != 0 && entry.id.load(Ordering::Acquire) == id.0).then_some(entry)
    }

    fn is_still(&self, entry: &SessionEntry, id: SessionId) -> bool {
        // Pairs with the fence in `remove` and `insert`: had a later field been read, the id would be gone.
        fence(Ordering::Acquire);
        entry.id.load(Ordering::Relaxed) == id.0
    }

    fn round(&self, id: SessionId) -> u64 {
        id.0 >> self.entries.len().trailing_zeros() & 0xffff_ffff
    }
}

/// The master's side: its accept thread inserts, the reactor that owns a session updates and removes it.
#[derive(Clone, Copy, Debug)]
pub struct SessionsWriter {
    reader: SessionsReader,
}

impl std::ops::Deref for SessionsWriter {
    type Target = SessionsReader;

    fn deref(&self) -> &SessionsReader {
        &self.reader
    }
}

impl SessionsWriter {
    /// The writing side. Only the master may have it: in other processes the table is read-only, and a write
    /// ends them with SIGSEGV.
    pub fn new(reader: SessionsReader) -> Self {
        Self { reader }
    }

    /// Whether the place of `id` is free.
    pub fn is_free(&self, id: SessionId) -> bool {
        self.entries()[self.index(id)].id.load(Ordering::Acquire) == 0
    }

    /// Makes the session known. Its place is free; only the accept thread inserts.
    pub fn insert(&self, session: &Session) {
        let index = self.index(session.id);
        let entry = &self.entries()[index];
        debug_assert_eq!(entry.id.load(Ordering::Relaxed), 0, "the place of session {} is taken", session.id);
        // The id is 0: from here on no reader takes what it has read of the entry.
        fence(Ordering::Release);
        let place =
            u64::from(session.reactor) | u64::from(session.port) << 16 | u64::from(session.fd.cast_unsigned()) << 32;
        entry.place.store(place, Ordering::Relaxed);
        let unintroduced = if session.is_introduced { 0 } else { UNINTRODUCED };
        entry.set_peer(session.peer, session.proxy, unintroduced);
        entry.connected_us.store(session.connected_us, Ordering::Relaxed);
        entry.received_us.store(session.received_us, Ordering::Relaxed);
        entry.heard_ns.store(session.heard_ns, Ordering::Relaxed);
        entry.sent_us.store(0, Ordering::Relaxed);
        entry.dispatched_us.store(0, Ordering::Relaxed);
        entry.send_queued.store(0, Ordering::Relaxed);
        entry.close_errno.store(0, Ordering::Relaxed);
        entry.worker.store(session.worker.0.into(), Ordering::Relaxed);
        // Read, modified and written in one, like every change of the words: a late CAS comes before it or fails.
        self.reader.flags[index].flags.swap(self.round(session.id) << 32, Ordering::AcqRel);
        self.reader.flags[index].uid.swap(self.round(session.id) << 32, Ordering::AcqRel);
        self.reader.taken[index / 64].fetch_or(1 << (index % 64), Ordering::Relaxed);
        // Pairs with the Acquire in `entry`.
        entry.id.store(session.id.0, Ordering::Release);
    }

    /// Forgets the session; its place is free.
    pub fn remove(&self, id: SessionId) {
        let entry = &self.entries()[self.index(id)];
        debug_assert_eq!(entry.id.load(Ordering::Relaxed), id.0, "session {id} is not in its place");
        let index = self.index(id);
        self.reader.taken[index / 64].fetch_and(!(1 << (index % 64)), Ordering::Relaxed);
        // Release: the owner's last use of the entry, and of its bit, is over before it is seen free.
        entry.id.store(0, Ordering::Release);
    }

    /// Notes who the client is, and by which proxy it comes, where that is only known later; `None` leaves both as
    /// they are. From here on the session is shown.
    pub fn introduce(&self, id: SessionId, client: Option<(Option<SocketAddr>, Option<SocketAddr>)>) {
        let entry = &self.entries()[self.index(id)];
        let overflow = entry.peer.load(Ordering::Relaxed) & OVERFLOW;
        match client {
            Some((peer, proxy)) => entry.set_peer(peer, proxy, overflow),
            None => {
                entry.peer.fetch_and(!UNINTRODUCED, Ordering::Release);
            }
        }
    }

    /// Notes when bytes last came and a message was last dispatched, by both clocks.
    pub fn set_received(&self, id: SessionId, now_us: u64, now_ns: u64) {
        let entry = &self.entries()[self.index(id)];
        entry.heard_ns.store(now_ns, Ordering::Relaxed);
        entry.received_us.store(now_us, Ordering::Relaxed);
        entry.dispatched_us.store(now_us, Ordering::Relaxed);
    }

    /// When bytes last came, of a session that lives.
    pub fn received_us(&self, id: SessionId) -> u64 {
        self.entries()[self.index(id)].received_us.load(Ordering::Relaxed)
    }

    /// Notes when bytes were last sent.
    pub fn set_sent(&self, id: SessionId, now_us: u64) {
        self.entries()[self.index(id)].sent_us.store(now_us, Ordering::Relaxed);
    }

    /// Notes how much lies in the output queue, and whether `send` is refused for it.
    pub fn set_send_queued(&self, id: SessionId, bytes: u64, overflows: bool) {
        let entry = &self.entries()[self.index(id)];
        entry.send_queued.store(bytes, Ordering::Relaxed);
        let peer = entry.peer.load(Ordering::Relaxed) & !OVERFLOW;
        entry.peer.store(peer | if overflows { OVERFLOW } else { 0 }, Ordering::Relaxed);
    }

    /// Notes the worker, where it is not the one that the session was inserted with.
    pub fn set_worker(&self, id: SessionId, worker: WorkerId) {
        self.entries()[self.index(id)].worker.store(worker.0.into(), Ordering::Relaxed);
    }

    /// Notes the errno that broke the connection.
    pub fn set_close_errno(&self, id: SessionId, errno: i32) {
        let word = &self.entries()[self.index(id)].close_errno;
        let tls = word.load(Ordering::Relaxed) >> 32 << 32;
        word.store(tls | u64::from(errno.cast_unsigned()), Ordering::Relaxed);
    }

    /// Notes what the TLS handshake has come to; to be called before [`Self::introduce`].
    pub fn set_tls(&self, id: SessionId, tls: SessionTls) {
        let alpn = tls.alpn.and_then(|place| place.checked_add(1)).unwrap_or(0);
        let facts = u64::from(tls.suite) | u64::from(alpn) << 16 | u64::from(tls.is_tls13) << 24;
        self.entries()[self.index(id)].close_errno.store(facts << 32, Ordering::Relaxed);
    }

    fn entries(&self) -> &'static [SessionEntry] {
        self.reader.entries
    }
}

impl SessionEntry {
    /// Writes both addresses, and the flags beside them.
    fn set_peer(&self, peer: Option<SocketAddr>, proxy: Option<SocketAddr>, flags: u64) {
        let (port, family, high, low) = encode_address(peer);
        let (proxy_port, proxy_family, proxy_high, proxy_low) = encode_address(proxy);
        self.address_high.store(high, Ordering::Relaxed);
        self.address_low.store(low, Ordering::Relaxed);
        self.proxy_high.store(proxy_high, Ordering::Relaxed);
        self.proxy_low.store(proxy_low, Ordering::Relaxed);
        let word = port | family << 16 | proxy_family << 24 | flags | proxy_port << 48;
        // Pairs with the Acquire in `find`.
        self.peer.store(word, Ordering::Release);
    }
}

/// The port number, the family and the two halves of the address.
fn encode_address(address: Option<SocketAddr>) -> (u64, u64, u64, u64) {
    let Some(address) = address else { return (0, NO_ADDRESS, 0, 0) };
    match address.ip() {
        IpAddr::V4(v4) => (address.port().into(), 0, 0, u64::from(v4.to_bits())),
        IpAddr::V6(v6) => {
            let [high, low] = split(v6.to_bits());
            (address.port().into(), IPV6, high, low)
        }
    }
}

fn parse_tls(facts: u32) -> Option<SessionTls> {
    let [low, high, alpn, is_tls13] = facts.to_le_bytes();
    let suite = u16::from_le_bytes([low, high]);
    (suite != 0).then_some(SessionTls { suite, alpn: alpn.checked_sub(1), is_tls13: is_tls13 != 0 })
}

fn split(bits: u128) -> [u64; 2] {
    let bytes = bits.to_be_bytes();
    let (mut high, mut low) = ([0; 8], [0; 8]);
    high.copy_from_slice(&bytes[..8]);
    low.copy_from_slice(&bytes[8..]);
    [u64::from_be_bytes(high), u64::from_be_bytes(low)]
}

fn parse_address(port: u16, family: u64, high: u64, low: u64) -> Option<SocketAddr> {
    let ip = match family {
        NO_ADDRESS => return None,
        IPV6 => IpAddr::V6(Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low))),
        _ => IpAddr::V4(Ipv4Addr::from_bits(low_32(low))),
    };
    Some(SocketAddr::new(ip, port))
}

#[expect(clippy::cast_possible_truncation, reason = "the lower 16 bits are what is asked for")]
fn low_16(value: u64) -> u16 {
    value as u16
}

#[expect(clippy::cast_possible_truncation, reason = "the lower 32 bits are what is asked for")]
fn low_32(value: u64) -> u32 {
    value as u32
}

#[cfg(all(test, not(loom)))]
mod tests;
