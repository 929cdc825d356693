//! The dispatcher: which reactor a connection goes to, and which worker its messages.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rotor_ipc::{SessionId, WorkerId};
use rotor_sys::datagram::Address;

/// How the worker of a message is chosen (`dispatch_mode`); the numbers are the setting's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// One worker after the other.
    Round = 1,
    /// By the session: a connection keeps its worker.
    #[default]
    Session = 2,
    /// A worker that has nothing to do; where there is none, the message is held back until there is.
    Idle = 3,
    /// By the client's address: all connections of a host have the same worker.
    Address = 4,
    /// By the user id that is bound to the session, by the session until there is one.
    Uid = 5,
    /// As user code says; what that leaves open goes to a worker that has nothing to do.
    Function = 6,
    /// As [`Self::Idle`]; in the peer the workers once took connections themselves.
    Stream = 7,
    /// The worker with the fewest connections; it stays the connection's.
    FewestConnections = 8,
    /// The worker with the fewest messages that wait or run.
    FewestMessages = 9,
    /// The same: a worker that runs one callback at a time has no other measure.
    FewestRequests = 10,
}

impl Mode {
    /// The mode with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        Some(match number {
            1 => Self::Round,
            2 => Self::Session,
            3 => Self::Idle,
            4 => Self::Address,
            5 => Self::Uid,
            6 => Self::Function,
            7 => Self::Stream,
            8 => Self::FewestConnections,
            9 => Self::FewestMessages,
            10 => Self::FewestRequests,
            _ => return None,
        })
    }

    /// Whether all records of a connection go to one worker, in order; else each message may go to another.
    pub fn keeps_worker(self) -> bool {
        match self {
            Self::Session | Self::Address | Self::FewestConnections => true,
            Self::Round
            | Self::Idle
            | Self::Uid
            | Self::Function
            | Self::Stream
            | Self::FewestMessages
            | Self::FewestRequests => false,
        }
    }

    /// Whether a message is posted only to a worker that has nothing to do.
    pub fn is_idle(self) -> bool {
        matches!(self, Self::Idle | Self::Function | Self::Stream)
    }

    /// Whether it asks how much each worker has to do.
    pub fn counts_messages(self) -> bool {
        matches!(self, Self::FewestMessages | Self::FewestRequests)
    }
}

/// What the dispatchers of all reactors share: they are threads of one process.
#[derive(Debug)]
pub struct Shared {
    next: AtomicUsize,
    /// By worker: its connections.
    connections: Vec<AtomicUsize>,
}

impl Shared {
    /// For so many workers.
    pub fn new(workers: usize) -> Self {
        Self { next: AtomicUsize::new(0), connections: (0..workers).map(|_| AtomicUsize::new(0)).collect() }
    }

    /// The worker whose turn it is.
    pub fn next(&self) -> usize {
        self.next.fetch_add(1, Relaxed) % self.connections.len().max(1)
    }

    /// A connection was bound to a worker.
    pub fn bind(&self, worker: WorkerId) {
        self.connections[worker.index()].fetch_add(1, Relaxed);
    }

    /// A worker's connection is over.
    pub fn release(&self, worker: WorkerId) {
        self.connections[worker.index()].fetch_sub(1, Relaxed);
    }

    /// How many connections are bound to a worker.
    pub fn connections_of(&self, worker: usize) -> usize {
        self.connections[worker].load(Relaxed)
    }
}

/// The worker of a session: its id modulo their number, for its whole life.
pub fn worker_of(session: SessionId, workers: usize) -> WorkerId {
    worker_at(session.0, workers)
}

/// The worker of a client's address; an IPv4 address is its number, whichever family it has come by.
pub fn worker_of_address(address: IpAddr, workers: usize) -> WorkerId {
    match address.to_canonical() {
        IpAddr::V4(address) => worker_at(address.to_bits().into(), workers),
        IpAddr::V6(address) => worker_at(hashed(&[&address.octets()]), workers),
    }
}

/// The worker of a bound user id.
pub fn worker_of_uid(uid: u32, workers: usize) -> WorkerId {
    worker_at(uid.into(), workers)
}

/// The reactor of a session: where one number divides the other, it agrees with the worker, so that both can share
/// a CPU and its caches.
pub fn reactor_of(session: SessionId, reactors: usize) -> u16 {
    u16::try_from(session.0 % reactors as u64).unwrap_or(0)
}

/// The worker of a datagram: a number made of the sender's address modulo theirs, so that a client keeps its worker.
/// Those without a name are told apart by nobody, and are one client.
pub fn worker_of_sender(from: &Address, workers: usize) -> WorkerId {
    worker_at(number_of(from), workers)
}

/// The number that user code knows a datagram's sender by, whatever its port: an IPv4 address as PHP's `ip2long()` gives
/// it, of an IPv6 address and a name the CRC-32, and 0 for those without a name.
pub fn number_of_sender(from: &Address) -> u64 {
    match from {
        Address::Unnamed => 0,
        Address::Inet(address) => match address.ip().to_canonical() {
            IpAddr::V4(ip) => ip.to_bits().into(),
            IpAddr::V6(ip) => crc32(&ip.octets()).into(),
        },
        Address::Unix(name) => crc32(name.as_bytes()).into(),
    }
}

/// The reactor that has a port's datagram socket, where user code is not asked.
pub fn reactor_of_port(place: u16, reactors: usize) -> u16 {
    u16::try_from(usize::from(place) % reactors).unwrap_or(0)
}

/// Of the places of `count` workers, beginning at `from` and going round: the first that is `good`, else the first
/// that will do, else the one at `from`.
pub fn first_from(from: usize, count: usize, good: impl Fn(usize) -> bool, does: impl Fn(usize) -> bool) -> usize {
    let all = || (from..count).chain(0..from.min(count));
    all().find(|place| good(*place)).or_else(|| all().find(|place| does(*place))).unwrap_or(from)
}

/// The same for the one with the least, where the first of those that have as little wins; `None` will not do.
pub fn least_from(from: usize, count: usize, load: impl Fn(usize) -> Option<u64>) -> usize {
    let all = (from..count).chain(0..from.min(count));
    all.filter_map(|place| Some((load(place)?, place))).min_by_key(|(load, _)| *load).map_or(from, |(_, place)| place)
}

fn worker_at(number: u64, workers: usize) -> WorkerId {
    WorkerId(u32::try_from(number % workers as u64).unwrap_or(0))
}

/// The same number for the same bytes in every process and every version, and another one for almost all others.
fn hashed(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().copied().flatten();
    // FNV-1a, whose lower bits alone would follow those of the bytes.
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    hash ^ hash >> 32
}

/// As PHP's `crc32()` computes it.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

fn number_of(address: &Address) -> u64 {
    match address {
        Address::Unnamed => 0,
        Address::Inet(SocketAddr::V4(v4)) => hashed(&[&v4.ip().octets(), &v4.port().to_be_bytes()]),
        Address::Inet(SocketAddr::V6(v6)) => hashed(&[&v6.ip().octets(), &v6.port().to_be_bytes()]),
        Address::Unix(name) => hashed(&[name.as_bytes()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_spread_over_the_workers_and_each_keeps_its_own() {
        for workers in [1, 2, 3, 4, 7] {
            let mut counts = vec![0_usize; workers];
            for port in 0..1000_u16 {
                let address = Address::Inet(([10, 0, 0, 1], 30_000 + port).into());
                counts[worker_of_sender(&address, workers).index()] += 1;
                let address = Address::Inet(([10, 0, port.to_be_bytes()[0], port.to_be_bytes()[1]], 5000).into());
                assert_eq!(worker_of_sender(&address, workers), worker_of_sender(&address, workers));
                counts[worker_of_sender(&address, workers).index()] += 1;
            }
            let fair = 2000 / workers;
            assert!(counts.iter().all(|count| (fair / 2..=fair * 2).contains(count)), "{counts:?}");
        }
    }

    #[test]
    fn a_sender_has_the_number_that_php_computes_from_its_address() {
        let inet = |text: &str| number_of_sender(&Address::Inet(text.parse().unwrap()));
        assert_eq!(inet("10.0.0.7:1"), (10 << 24) + 7);
        assert_eq!(inet("[::ffff:10.0.0.7]:2"), inet("10.0.0.7:1"));
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(inet("[::1]:5"), u64::from(crc32(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])));
        let name = rotor_sys::datagram::UnixName::new(b"/run/peer").unwrap();
        assert_eq!(number_of_sender(&Address::Unix(name)), u64::from(crc32(b"/run/peer")));
        assert_eq!(number_of_sender(&Address::Unnamed), 0);
    }

    #[test]
    fn reactor_and_worker_of_a_session_agree_where_one_number_divides_the_other() {
        for id in 1..100 {
            let session = SessionId(id);
            assert_eq!(worker_of(session, 4).0 % 2, u32::from(reactor_of(session, 2)));
            assert_eq!(worker_of(session, 2).0, u32::from(reactor_of(session, 2)));
        }
    }

    #[test]
    fn an_ipv4_address_is_a_number_also_when_it_comes_by_ipv6() {
        let worker = |address: &str, workers| worker_of_address(address.parse().unwrap(), workers).0;
        assert_eq!(worker("10.0.0.7", 4), ((10 << 24) + 7) % 4);
        assert_eq!(worker("::ffff:10.0.0.7", 4), worker("10.0.0.7", 4));
        assert_eq!(worker("255.255.255.255", 7), u32::MAX % 7);
    }

    #[test]
    fn ipv6_addresses_spread_over_all_workers_and_stay_where_they_are() {
        let mut counts = [0; 4];
        for host in 0..400_u128 {
            let address = IpAddr::V6((0x2001_0db8_u128 << 96 | host).into());
            let worker = worker_of_address(address, 4);
            assert_eq!(worker, worker_of_address(address, 4));
            counts[worker.index()] += 1;
        }
        assert!(counts.iter().all(|count| *count > 50), "{counts:?}");
    }

    #[test]
    fn the_next_worker_is_one_that_will_do_and_the_one_whose_turn_it_is_where_none_will() {
        assert_eq!(first_from(1, 4, |place| place == 0, |_| true), 0);
        assert_eq!(first_from(1, 4, |_| false, |place| place != 1), 2);
        assert_eq!(first_from(1, 4, |_| false, |_| false), 1);
        let loads = [Some(3), None, Some(2), Some(2)];
        assert_eq!(least_from(0, 4, |place| loads[place]), 2);
        assert_eq!(least_from(3, 4, |place| loads[place]), 3, "who is first of those with the least");
        assert_eq!(least_from(1, 4, |_| None), 1);
    }

    #[test]
    fn every_worker_has_its_turn_and_its_count() {
        let shared = Shared::new(3);
        assert_eq!([(); 5].map(|()| shared.next()), [0, 1, 2, 0, 1]);
        shared.bind(WorkerId(2));
        shared.bind(WorkerId(2));
        shared.release(WorkerId(2));
        assert_eq!([0, 1, 2].map(|worker| shared.connections_of(worker)), [0, 0, 1]);
    }
}
