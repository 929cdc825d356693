//! One copy for many queues: where it lies, how long, and who gives it back.

use std::io::Read;
use std::net::TcpStream;
use std::rc::Rc;
use std::sync::Arc;

use rotor_ipc::layout::{Plan, Shape};
use rotor_ipc::payload::{Filling, Pool, Reference};
use rotor_ipc::record::Where;
use rotor_ipc::segment::Segment;
use rotor_sys::socket::Stream;

use super::*;
use crate::reactor::output::Output;
use crate::reactor::pair::connected;

/// A pool as a worker has it, of which two reactors read.
struct Bench {
    pool: Pool,
    view: PoolView,
}

/// A queue, its socket and the client.
struct Peer {
    output: Output,
    stream: Stream,
    client: TcpStream,
}

impl Bench {
    fn new() -> Self {
        let plan = Plan::new(Shape { reactors: 2, workers: 1, processes: 0, ports: 1, sessions: 64, budget: 16 << 20 })
            .unwrap();
        let view = Segment::create(plan, &std::env::temp_dir()).unwrap().outlet_pool(0);
        Self { pool: Pool::attach(view, 1), view }
    }

    /// The parts that the two reactors have in a block or range with these bytes.
    fn share(&self, filling: Filling, bytes: &[u8]) -> [Shared; 2] {
        filling.fill(bytes).unwrap();
        let (location, body) = (filling.location(), filling.reference(bytes.len()).to_bytes());
        let word = |at: usize| u64::from_ne_bytes(body[at..at + 8].try_into().unwrap());
        let reference = Reference { index: word(0), len: word(8) };
        let mut sharing = filling.share(0, 0b11);
        [0, 1].map(|reactor| {
            sharing.post(usize::from(reactor), 64);
            self.view.shared(location, reference, reactor).unwrap()
        })
    }

    fn block(&mut self, bytes: &[u8]) -> [Shared; 2] {
        let block = self.pool.take_block(bytes.len(), 1).unwrap();
        self.share(block, bytes)
    }

    fn to_share(&self, shared: Shared) -> Rc<Share> {
        Rc::new(Share::of_block(shared, self.view).expect("it is a block"))
    }
}

impl Peer {
    fn new() -> Self {
        let (stream, client) = connected();
        client.set_nonblocking(true).unwrap();
        Self { output: Output::default(), stream, client }
    }

    /// Sends and receives until nothing is left.
    fn finish(&mut self, expected: usize) -> Vec<u8> {
        let (mut received, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
        while received.len() < expected {
            self.output.unblock();
            self.output.send(&self.stream).unwrap();
            while let Ok(len) = self.client.read(&mut buffer)
                && len > 0
            {
                received.extend_from_slice(&buffer[..len]);
            }
        }
        assert!(self.output.is_empty() && self.output.bytes() == 0);
        received
    }
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|place| u8::try_from(place * 31 / 7 % 256).unwrap()).collect()
}

#[test]
fn a_block_is_given_back_when_the_last_queue_of_the_last_reactor_has_sent_it() {
    let mut bench = Bench::new();
    let bytes = pattern(100_000);
    let [own, others] = bench.block(&bytes);
    let share = bench.to_share(own);
    let mut peers = [Peer::new(), Peer::new(), Peer::new()];
    peers[0].output.push_shared(&share, 0);
    peers[1].output.push_private(b"before".to_vec());
    peers[1].output.push_shared(&share, 70_000);
    peers[2].output.push_shared(&share, 0);
    drop(share);
    assert_eq!(peers[0].finish(100_000), bytes);
    assert_eq!(peers[1].finish(30_006), [b"before", &bytes[70_000..]].concat());
    assert_eq!(bench.view.in_use(), 1);
    // One of them is dropped with its queue.
    peers[2].output.clear();
    assert_eq!(bench.view.in_use(), 1, "the other reactor has it");
    drop(others);
    assert_eq!(bench.view.in_use(), 0);
}

#[test]
fn slow_queues_have_one_copy_when_blocks_run_low_or_the_lane_goes_on() {
    let mut bench = Bench::new();
    let bytes = pattern(100_000);
    let [own, others] = bench.block(&bytes);
    let share = bench.to_share(own);
    let mut peers = [Peer::new(), Peer::new()];
    peers[0].output.push_shared(&share, 10);
    assert!(matches!(share.piece(0), Some(Piece::Shared(_))), "there are others like it");
    let taken: Vec<_> = std::iter::from_fn(|| bench.pool.take_block(1, 1)).collect();
    peers[1].output.push_shared(&share, 0);
    assert!(matches!(share.piece(0), Some(Piece::Private(_))), "there are none");
    drop((taken, others));
    assert_eq!(bench.view.in_use(), 0, "the copy has taken its place");
    assert_eq!(Rc::strong_count(&share), 3, "both refer to one");
    assert_eq!(peers[0].finish(99_990), bytes[10..]);
    assert_eq!(peers[1].finish(100_000), bytes);

    let [block, _] = bench.block(&bytes[..500]);
    let in_lane = Rc::new(Share::of_lane(block.bytes().unwrap()));
    peers[0].output.push_shared(&in_lane, 0);
    assert!(matches!(in_lane.piece(499), Some(Piece::Private([_]))));
    assert_eq!(peers[0].finish(500), bytes[..500]);
}

#[test]
fn a_range_is_read_once_for_all_and_holds_up_what_comes_behind_it() {
    let mut bench = Bench::new();
    let bytes = pattern(3_000_000);
    let range = bench.pool.take_spill(bytes.len() as u64).unwrap();
    let [own, others] = bench.share(range, &bytes);
    drop(others);
    let Err(own) = Share::of_block(own, bench.view) else { panic!("it is no block") };
    let share = Rc::new(Share::of_disk(own.len()));
    let mut peer = Peer::new();
    peer.output.push_private(b"before".to_vec());
    peer.output.push_shared(&share, 0);
    peer.output.push_private(b"behind".to_vec());
    assert_eq!(peer.output.send(&peer.stream).unwrap().bytes(), 6);
    let mut gathered = Vec::new();
    peer.output.gather(&mut gathered, 100).unwrap();
    assert!(gathered.is_empty() && share.is_on_disk() && !peer.output.has_lost());
    share.come(Arc::new(own.read().unwrap()));
    drop(own);
    assert_eq!(bench.view.in_use(), 0);
    peer.output.gather(&mut gathered, 100).unwrap();
    assert_eq!(gathered, bytes[..100]);
    assert_eq!(peer.finish(6 + 3_000_000 + 6), [b"before", &bytes[..], b"behind"].concat());
    let lost = Rc::new(Share::of_disk(10));
    peer.output.push_shared(&lost, 0);
    lost.lose();
    assert!(peer.output.has_lost());
}

#[test]
fn a_location_that_is_none_is_an_error() {
    let bench = Bench::new();
    for (location, index, len) in
        [(Where::Inline, 0, 1), (Where::Block, 1 << 40, 1), (Where::Block, 0, 1 << 40), (Where::Spill, 64, 1)]
    {
        assert!(bench.view.shared(location, Reference { index, len }, 0).is_err(), "{location:?} {index} {len}");
    }
}
