//! What is pushed comes out once, in order, and what it lay in is given back.

use std::io::Read;
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, channel};

use rotor_ipc::layout::{Plan, Shape};
use rotor_ipc::payload::{Filling, Pool, PoolView};
use rotor_ipc::record::{Header, Kind};
use rotor_ipc::segment::Segment;
use rotor_sys::regular::RegularFile;

use super::*;
use crate::disk::{FileJob, FileJobs, Job};
use crate::reactor::pair::connected;

/// An output queue, its socket, and a pool as a worker has it.
struct Bench {
    output: Output,
    stream: Stream,
    client: TcpStream,
    pool: Pool,
    view: PoolView,
    jobs: Jobs,
    done: Receiver<Job>,
    position: u64,
    expected: Vec<u8>,
    file_jobs: FileJobs,
    file_done: Receiver<FileJob>,
}

impl Bench {
    fn new() -> Self {
        let plan = Plan::new(Shape { reactors: 1, workers: 1, processes: 0, ports: 1, sessions: 64, budget: 16 << 20 })
            .unwrap();
        let segment = Segment::create(plan, &std::env::temp_dir()).unwrap();
        let view = segment.outlet_pool(0);
        let (stream, client) = connected();
        client.set_nonblocking(true).unwrap();
        let (jobs, done) = channel();
        let (file_jobs, file_done) = channel();
        let pool = Pool::attach(view, 1);
        Self {
            output: Output::default(),
            stream,
            client,
            pool,
            view,
            jobs,
            done,
            position: 0,
            expected: Vec::new(),
            file_jobs,
            file_done,
        }
    }

    /// A part of a file without a name, behind some bytes and before others.
    fn push_file(&mut self, len: usize) {
        const BESIDE: usize = 77;
        let bytes = self.bytes(len);
        let part = FilePart { file: file_of(&bytes, BESIDE), offset: BESIDE as u64, len: len as u64 };
        self.output.push_file(part, &self.file_jobs);
    }

    /// What the thread for files does: reads ahead, and closes.
    fn read_ahead(&mut self) {
        let Some(ahead) = self.output.wanted_ahead() else { return };
        assert!(self.output.wanted_ahead().is_none(), "one read at a time");
        ahead.file.get().unwrap().read_ahead(ahead.offset, ahead.len, &mut [0; 4096]).unwrap();
        self.output.has_read_ahead(ahead.offset, ahead.len);
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        let from = self.expected.len();
        self.expected.extend((from..from + len).map(|place| u8::try_from(place * 31 / 7 % 256).unwrap()));
        self.expected[from..].to_vec()
    }

    fn push_private(&mut self, len: usize) {
        let bytes = self.bytes(len);
        self.output.push_private(bytes);
    }

    fn push(&mut self, filling: Filling, len: usize, sent: usize, keep: bool) {
        let from = self.expected.len();
        let bytes = self.bytes(len);
        filling.fill(&bytes).unwrap();
        // What was sent already is not expected again.
        self.expected.drain(from..from + sent);
        self.position += 64;
        let header = Header { kind: Kind::Send, location: filling.location(), aux: 0, session: 1, extra: 0 };
        let reference = filling.reference(len);
        filling.post(0, self.position);
        let payload = self.view.payload(&header, reference, 0, self.position).unwrap();
        self.output.push(&payload, sent, keep, &self.jobs);
    }

    fn push_block(&mut self, len: usize, sent: usize, keep: bool) {
        let block = self.pool.take_block(len, 1).unwrap();
        self.push(block, len, sent, keep);
    }

    fn push_spill(&mut self, len: usize, sent: usize, keep: bool) {
        let range = self.pool.take_spill(len as u64).unwrap();
        self.push(range, len, sent, keep);
    }

    /// What the helper does with one read.
    fn read(&mut self) -> bool {
        let Some(Wanted { file, offset, len }) = self.output.wanted() else { return false };
        assert!(self.output.wanted().is_none(), "one read at a time");
        let mut bytes = vec![0; len];
        file.read_exact_at(&mut bytes, offset).unwrap();
        self.output.has_read(bytes);
        true
    }

    /// Sends and receives until nothing is left, as the reactor and its helper do.
    fn finish(&mut self) {
        let mut received = Vec::new();
        let mut buffer = vec![0; 64 << 10];
        while received.len() < self.expected.len() {
            self.output.unblock();
            self.output.send(&self.stream).unwrap();
            self.read();
            self.read_ahead();
            while let Ok(len) = self.client.read(&mut buffer)
                && len > 0
            {
                received.extend_from_slice(&buffer[..len]);
            }
        }
        assert!(received == self.expected, "{} bytes came out otherwise", received.len());
        assert!(self.output.is_empty() && self.output.bytes() == 0 && self.output.file_bytes() == 0);
        while let Ok(job) = self.file_done.try_recv() {
            assert!(matches!(job, FileJob::Close(_)), "it has no name");
        }
        self.give_back();
        assert_eq!(self.view.in_use(), 0, "something was not given back");
    }

    fn give_back(&mut self) {
        while let Ok(job) = self.done.try_recv() {
            assert!(matches!(job, Job::GiveBack(_)));
        }
    }
}

/// A file without a name, with some bytes before and behind those that are given.
fn file_of(bytes: &[u8], beside: usize) -> RegularFile {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Relaxed);
    let path = std::env::temp_dir().join(format!("rotor-output-{}-{number}", std::process::id()));
    let around = vec![b'#'; beside];
    std::fs::write(&path, [&around, bytes, &around].concat()).unwrap();
    let file = RegularFile::open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file
}

#[test]
fn what_is_pushed_comes_out_in_order_wherever_it_lies() {
    let mut bench = Bench::new();
    let mut state = 7_u64;
    for _ in 0..60 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let len = rotor_ipc::to_usize(state >> 40) % 200_000 + 1;
        match state >> 33 & 7 {
            0 if state >> 60 & 1 == 0 => bench.push_file(len * 7),
            0 | 1 => bench.push_private(len),
            2 => bench.push_private(10),
            3 => bench.push_block(len, 0, false),
            4 => bench.push_block(len, len / 3, false),
            5 => bench.push_block(len.min(1000), 0, bench.view.in_use() < 4),
            6 => bench.push_spill(len, len / 2, state >> 55 & 1 == 0),
            _ => bench.push_spill(len * 20, 0, state >> 55 & 1 == 0),
        }
        if state >> 50 & 3 == 0 {
            bench.output.unblock();
            let all = |output: &Output| output.bytes() + output.file_bytes();
            let before = all(&bench.output);
            let sent = bench.output.send(&bench.stream).unwrap();
            assert_eq!(all(&bench.output), before - sent.bytes() as u64);
            assert!(bench.output.is_blocked() == matches!(sent, Sent::Blocked(_)));
        }
    }
    bench.finish();
}

#[test]
fn a_block_is_kept_until_it_is_sent_or_copied_and_given_back_at_once() {
    let mut bench = Bench::new();
    bench.push_block(100_000, 0, true);
    assert_eq!(bench.view.in_use(), 1);
    bench.push_block(100_000, 0, false);
    assert_eq!(bench.view.in_use(), 1, "the second was copied");
    assert_eq!(bench.output.bytes(), 200_000);
    bench.finish();
}

#[test]
fn a_range_is_kept_for_a_slow_peer_unless_they_are_short() {
    let mut bench = Bench::new();
    bench.push_private(10);
    bench.push_spill(3_000_000, 5, true);
    assert!(!bench.read(), "it is not at the front, and may stay");
    bench.push_spill(3_000_000, 0, false);
    bench.push_spill(2_000_000, 0, false);
    while bench.read() {}
    bench.give_back();
    assert_eq!(bench.view.in_use(), 1, "those that may not stay were copied, though they are not at the front");
    bench.finish();
}

#[test]
fn a_small_payload_in_a_large_block_is_copied_when_large_blocks_run_low() {
    let mut bench = Bench::new();
    let small: Vec<_> = std::iter::from_fn(|| {
        let block = bench.pool.take_block(1, 1).expect("the large ones are there");
        (block.bytes()?.len() < 1 << 20).then_some(block)
    })
    .collect();
    let large = bench.pool.take_block(1, 1).unwrap();
    let header = Header { kind: Kind::Send, location: large.location(), aux: 0, session: 1, extra: 0 };
    let reference = large.reference(1);
    large.post(0, 64);
    let payload = bench.view.payload(&header, reference, 0, 64).unwrap();
    let others: Vec<_> = std::iter::from_fn(|| bench.pool.take_block(1 << 20, 1)).collect();
    drop(small);
    assert!(!bench.view.is_short_of(1), "all small blocks are free");
    assert!(bench.view.is_short_for(&payload), "no large one is");
    drop(others);
    payload.free();
    assert_eq!(bench.view.in_use(), 0);
}

#[test]
fn a_queue_that_is_dropped_gives_everything_back() {
    let mut bench = Bench::new();
    bench.push_private(10);
    bench.push_block(50_000, 10, true);
    bench.push_spill(3_000_000, 0, true);
    assert_eq!(bench.view.in_use(), 2);
    bench.output.clear();
    assert!(bench.output.is_empty());
    assert_eq!(bench.view.in_use(), 1, "the range is the helper's to give back");
    bench.give_back();
    assert_eq!(bench.view.in_use(), 0);
    // An answer of the helper that comes too late changes nothing.
    bench.output.has_read(vec![1, 2, 3]);
    assert!(bench.output.is_empty());
}

#[test]
fn an_empty_queue_costs_nothing_and_sends_nothing() {
    let mut bench = Bench::new();
    bench.output.push_private(Vec::new());
    assert!(bench.output.is_empty());
    assert_eq!(bench.output.send(&bench.stream).unwrap(), Sent::All(0));
    assert!(bench.output.wanted().is_none());
}

#[test]
fn a_file_goes_by_turns_and_holds_up_what_is_behind_it() {
    let mut bench = Bench::new();
    bench.push_private(10);
    bench.push_file(3 << 20);
    bench.push_private(10);
    bench.push_file(100);
    assert_eq!((bench.output.bytes(), bench.output.file_bytes()), (20, (3 << 20) + 100));
    assert!(!bench.output.is_empty() && !bench.output.is_file_next());
    let sent = loop {
        match bench.output.send(&bench.stream).unwrap() {
            Sent::All(0) => bench.read_ahead(),
            sent => break sent.bytes(),
        }
    };
    assert!(sent <= 10 + FILE_TURN, "{sent}");
    bench.finish();
}

#[test]
fn a_queue_of_files_alone_is_not_empty_and_has_its_limit() {
    let mut bench = Bench::new();
    for _ in 0..64 {
        assert!(!bench.output.has_most_files());
        bench.push_file(1);
    }
    assert!(bench.output.has_most_files() && !bench.output.is_empty() && bench.output.bytes() == 0);
    bench.finish();
    bench.push_file(100);
    bench.output.clear();
    assert!(bench.output.is_empty() && bench.output.file_bytes() == 0 && !bench.output.is_file_next());
    // An answer of the helper that comes too late changes nothing.
    bench.output.has_read_ahead(0, 100);
    assert!(bench.output.is_empty());
}

#[test]
fn what_is_gathered_for_encryption_is_what_is_sent_without() {
    let mut bench = Bench::new();
    bench.push_private(1000);
    bench.push_file(200_000);
    bench.push_block(500, 0, true);
    bench.push_file(10);
    bench.push_file(70_000);
    let (mut all, mut gathered) = (Vec::new(), Vec::new());
    while !bench.output.is_empty() {
        gathered.clear();
        bench.output.gather(&mut gathered, 64 << 10).unwrap();
        if gathered.is_empty() {
            bench.read_ahead();
        }
        assert!(gathered.len() <= 64 << 10);
        bench.output.take(gathered.len());
        all.extend_from_slice(&gathered);
    }
    assert!(all == bench.expected);
}

#[test]
fn a_file_that_has_become_shorter_is_an_error_and_no_wait() {
    for is_sealed in [false, true] {
        let mut bench = Bench::new();
        let path = std::env::temp_dir().join(format!("rotor-shorter-{is_sealed}-{}", std::process::id()));
        std::fs::write(&path, [7; 200]).unwrap();
        let file = RegularFile::open(&path).unwrap();
        bench.output.push_file(FilePart { file, offset: 0, len: 200 }, &bench.file_jobs);
        std::fs::write(&path, [7; 100]).unwrap();
        let mut sent = 0;
        let failed = loop {
            let mut gathered = Vec::new();
            let step = if is_sealed {
                bench.output.gather(&mut gathered, 1000).map(|()| gathered.len())
            } else {
                match bench.output.send(&bench.stream) {
                    Ok(step) => Ok(step.bytes()),
                    Err(Broke::File(error)) => Err(error),
                    Err(Broke::Socket(error)) => panic!("{error}"),
                }
            };
            match step {
                Ok(0) => bench.read_ahead(),
                Ok(step) => sent += step,
                Err(error) => break error,
            }
        };
        assert_eq!(failed.to_string(), "it has become shorter");
        assert!(sent <= 100);
        std::fs::remove_file(path).unwrap();
    }
}
