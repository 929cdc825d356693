//! Messages and how they are posted and read, the same for reactors and workers.

use rotor_ipc::inbox::Marker;
use rotor_ipc::lane::{Consumer, PostError, Producer, Record};
use rotor_ipc::payload::{Payload, Pool, PoolView, Reference};
use rotor_ipc::record::{Header, Kind, Where};
use rotor_ipc::wake::{Waker, fence_after_publishing};
use rotor_sys::clock::monotonic_ns;

pub const REACTORS: usize = 2;
/// Workers that run. The segment has more slots, so that a reactor's inbox has a bitmap.
pub const WORKERS: usize = 2;
pub const SLOTS: usize = 4;

/// Numbers that look random and repeat with their seed.
#[derive(Debug)]
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, end: usize) -> usize {
        rotor_ipc::to_usize(self.next()) % end
    }

    pub fn one_in(&mut self, odds: usize) -> bool {
        self.below(odds) == 0
    }
}

/// The bytes of the message that `key` and `number` name: mostly small, sometimes too large for a lane.
pub fn bytes(key: u64, number: u32) -> Vec<u8> {
    let mut numbers = Numbers::new(key << 32 | u64::from(number));
    let len = match numbers.below(20) {
        0 | 1 => numbers.below(100_000),
        2..5 => numbers.below(18_000),
        _ => numbers.below(1500),
    };
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        bytes.extend(numbers.next().to_ne_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// A lane to somebody, with what wakes them.
#[derive(Debug)]
pub struct Outlet {
    pub lane: Producer,
    pub marker: Marker,
    pub waker: Waker,
    /// The number of the other side among those that the pool's owner posts to.
    pub consumer: u16,
}

impl Outlet {
    /// Posts a message, in a block or a spill range if it is large. Says whether there was room.
    pub fn post(&mut self, pool: &mut Pool, kind: Kind, number: u32, bytes: &[u8]) -> bool {
        self.post_if(pool, kind, number, bytes, |_| true)
    }

    /// The same, if `claim` takes the record's position.
    pub fn post_if(
        &mut self,
        pool: &mut Pool,
        kind: Kind,
        number: u32,
        bytes: &[u8],
        claim: impl FnOnce(u64) -> bool,
    ) -> bool {
        let mut header =
            Header { kind, location: Where::Inline, aux: 0, session: u64::from(number), extra: bytes.len() as u64 };
        if bytes.len() <= self.lane.inline_limit() {
            return self.position_for(bytes.len()).is_some_and(claim) && self.write(&header, bytes);
        }
        // Every eighth goes by the file whether there is a block or not.
        let block = if number.is_multiple_of(8) { None } else { pool.take_block(bytes.len(), monotonic_ns()) };
        let Some(filling) = block.or_else(|| pool.take_spill(bytes.len() as u64)) else { return false };
        filling.fill(bytes).expect("there is space for a spill range");
        let body = filling.reference(bytes.len()).to_bytes();
        let Some(position) = self.position_for(body.len()) else { return false };
        if !claim(position) {
            return false;
        }
        header.location = filling.location();
        filling.post(self.consumer, position);
        assert!(self.write(&header, &body), "the room was made sure of");
        true
    }

    /// Where the next record will be, if there is room for it.
    fn position_for(&mut self, len: usize) -> Option<u64> {
        match self.lane.position_for(len) {
            Ok(position) => Some(position),
            Err(PostError::Full) => None,
            Err(PostError::Broken(broken)) => panic!("{broken}"),
        }
    }

    fn write(&mut self, header: &Header, body: &[u8]) -> bool {
        match self.lane.write(header, &[body]) {
            Ok(_) => {}
            Err(PostError::Full) => return false,
            Err(PostError::Broken(broken)) => panic!("{broken}"),
        }
        self.lane.publish();
        self.marker.mark();
        true
    }

    pub fn wake(&mut self) {
        fence_after_publishing();
        self.waker.wake();
    }
}

/// A record's payload, as the consumer with this number finds it.
pub fn payload(lane: &Consumer, record: &Record, pool: PoolView, consumer: u16) -> Payload<'static> {
    if record.header.location == Where::Inline {
        return Payload::Inline(lane.bytes(record));
    }
    let word = |index| lane.word(record, index).expect("a reference has two words");
    let reference = Reference { index: word(0), len: word(1) };
    pool.payload(&record.header, reference, consumer, record.position).expect("no damage")
}

/// Copies a payload and looks whether it is the message of this key and number.
pub fn copy_and_check(payload: &Payload<'_>, key: u64, number: u32) {
    let mut copy = Vec::with_capacity(payload.len());
    payload.copy_into(copy.spare_capacity_mut()).expect("a spill range can be read");
    // SAFETY: the copy has filled so many bytes, for which there was room.
    unsafe { copy.set_len(payload.len()) };
    assert!(copy == bytes(key, number), "message {number} of {key:x} has other bytes: {} of them", copy.len());
}

/// The bytes of a broadcast: too many for a lane.
pub fn broadcast_bytes(seed: u64, worker: usize, source: usize, number: u32) -> Vec<u8> {
    let mut numbers = Numbers::new(message_key(seed, source, worker) << 32 | u64::from(number));
    let len = 20_000 + numbers.below(80_000);
    (0..len.div_ceil(8)).flat_map(|_| numbers.next().to_ne_bytes()).collect()
}

/// The key of what `reactor` sends to `worker`.
pub fn message_key(seed: u64, reactor: usize, worker: usize) -> u64 {
    seed << 8 | (reactor * WORKERS + worker) as u64
}

/// The key of the echo.
pub fn echo_key(seed: u64, reactor: usize, worker: usize) -> u64 {
    message_key(seed, reactor, worker) | 0x80
}

pub fn small(number: usize) -> u16 {
    u16::try_from(number).expect("a small number")
}

/// The number of a message, which its record carries as session.
pub fn number_of(record: &Record) -> u32 {
    u32::try_from(record.header.session).expect("the number of a message")
}
