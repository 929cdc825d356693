//! What all models share: their bound, processes that die at a step, an inbox on the heap, and bugs that must be found.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64 as Count, Ordering};

use rotor_ipc::inbox::{Marker, Marks};
use rotor_ipc::lane::{Consumer, Producer, Record};
use rotor_ipc::record::{Header, Kind, Where};
use rotor_ipc::ring::RingState;
use rotor_ipc::sync::{AtomicU64, Bell, LaneBytes, Step, set_hook};
use rotor_ipc::wake::{SleepWord, Sleeper, Waker, fence_after_announcing, fence_after_publishing};
use rotor_ipc::workers::{Generation, Owner, SlotEntry};

/// Tries every order with at most `preemptions` switches away from a thread that could go on.
pub fn check(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    check_reaching(preemptions, move || {
        model();
        true
    });
}

/// The same for a model that says whether all that it is about has happened in this order, as it must in one at least.
///
/// Of the loads of a word the checker remembers the last alone: where a thread loads a word before it writes to it,
/// orders in which another's load comes after that write may go untried. Models keep such positions private, as
/// the code does, or look by a CAS that fails.
pub fn check_reaching(preemptions: usize, model: impl Fn() -> bool + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(match std::env::var("ROTOR_MODEL_PREEMPTIONS") {
        Ok(bound) => bound.parse().expect("a number of preemptions"),
        Err(_) => preemptions + usize::from(std::env::var("ROTOR_STRESS").is_ok_and(|value| value == "1")),
    });
    builder.max_branches = 20_000;
    let (runs, reached) = (Arc::new(Count::new(0)), Arc::new(Count::new(0)));
    let (all, some) = (Arc::clone(&runs), Arc::clone(&reached));
    builder.check(move || {
        all.fetch_add(1, Ordering::Relaxed);
        if model() {
            some.fetch_add(1, Ordering::Relaxed);
        }
    });
    let (runs, reached) = (runs.load(Ordering::Relaxed), reached.load(Ordering::Relaxed));
    eprintln!("{runs} runs, {reached} whole, at most {} preemptions", builder.preemption_bound.unwrap_or(0));
    assert!(reached > 0, "what the model is about has not happened in any order");
}

/// A model with a bug in it, and a part of what the checker says when it finds it.
///
/// The model runs in a process of its own, since the checker may abort; the test passes if it fails as it should.
macro_rules! fails {
    ($name:ident, $finding:literal, $model:expr) => {
        #[test]
        fn $name() {
            crate::harness::must_fail(concat!(module_path!(), "::", stringify!($name)), $finding, || $model)
        }
    };
}

/// Set for the process in which a model with a bug runs.
const SEEDED: &str = "ROTOR_MODEL_SEEDED";

pub fn must_fail(path: &str, finding: &str, model: impl FnOnce()) {
    if std::env::var_os(SEEDED).is_some() {
        return model();
    }
    let test = path.split_once("::").map_or(path, |(_crate_name, test)| test);
    let output = Command::new(std::env::current_exe().expect("the path of this program"))
        .args(["--exact", test, "--nocapture"])
        .env(SEEDED, "1")
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("the seeded model runs");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "the bug was not found:\n{said}");
    assert!(said.contains(finding), "it failed, but not by {finding:?}:\n{said}");
}

/// What a process ends with that is killed in the middle of its life.
struct Killed;

loom::thread_local! {
    static DIES_AT: Cell<Option<Step>> = Cell::new(None);
}

/// Lives until the first passage of `step`, or to its end; says which of the two.
pub fn live_until(step: Option<Step>, life: impl FnOnce()) -> bool {
    DIES_AT.with(|cell| cell.set(step));
    set_hook(Some(|step| {
        if DIES_AT.with(Cell::get) == Some(step) {
            resume_unwind(Box::new(Killed));
        }
    }));
    let end = catch_unwind(AssertUnwindSafe(life));
    set_hook(None);
    match end {
        Ok(()) => true,
        Err(reason) if reason.is::<Killed>() => false,
        Err(reason) => resume_unwind(reason),
    }
}

/// Who owns a slot's inbox, looked at by a CAS that fails: the manager loads the word before it settles it.
pub fn owner_of(entry: &SlotEntry) -> Owner {
    entry.withdraw(Generation::MAX, Generation::MAX);
    entry.owner()
}

/// A shared thing as the segment would hold it: zero at first, there for ever.
pub fn shared<T: Default>() -> &'static T {
    Box::leak(Box::default())
}

/// A ring with its bytes.
#[derive(Clone, Copy)]
pub struct Ring {
    pub state: &'static RingState,
    bytes: LaneBytes,
}

impl Ring {
    pub fn new(words: usize) -> Self {
        Self { state: shared(), bytes: LaneBytes::on_heap(words) }
    }

    pub fn producer(&self) -> Producer {
        Producer::attach(self.state, self.bytes)
    }

    pub fn consumer(&self) -> Consumer {
        Consumer::attach(self.state, self.bytes)
    }
}

/// The record that is numbered so.
pub fn numbered(number: u64) -> Header {
    Header { kind: Kind::Receive, location: Where::Inline, aux: 0, session: number, extra: !number }
}

/// The number of a record, which is whole.
pub fn number_of(record: &Record) -> u64 {
    assert_eq!(record.header, numbered(record.header.session), "a record is not whole");
    record.header.session
}

/// Takes all that is there up to `limit`.
pub fn take_all(lane: &mut Consumer, limit: u64, taken: &mut Vec<u64>) {
    while let Some(record) = lane.peek(limit).expect("no damage") {
        taken.push(number_of(&record));
        lane.pass(&record);
    }
    lane.release();
}

/// An inbox of two lanes that says it has so many, so that it has a bitmap or not.
#[derive(Clone, Copy)]
pub struct Inbox {
    pub lanes: [Ring; 2],
    pub words: &'static [AtomicU64],
    pub rescan: &'static AtomicU64,
    pub sleep: &'static SleepWord,
    pub bell: &'static Bell,
    numbers: [usize; 2],
    count: usize,
}

impl Inbox {
    pub fn with_bitmap() -> Self {
        Self::new([0, 8], 9)
    }

    pub fn without_bitmap() -> Self {
        Self::new([0, 1], 2)
    }

    fn new(numbers: [usize; 2], count: usize) -> Self {
        Self {
            lanes: [Ring::new(32), Ring::new(32)],
            words: Box::leak(Box::new([AtomicU64::new(0)])),
            rescan: shared(),
            sleep: shared(),
            bell: shared(),
            numbers,
            count,
        }
    }

    pub fn poster(&self, lane: usize) -> Poster {
        Poster {
            lane: self.lanes[lane].producer(),
            marker: Marker::new(self.words, self.numbers[lane], self.count),
            waker: Waker::new(self.sleep, self.bell),
        }
    }

    /// The bit of a lane.
    pub fn bit(&self, lane: usize) -> u64 {
        1 << self.numbers[lane]
    }

    pub fn marks(&self) -> Marks {
        Marks::attach(self.words, self.rescan, self.count)
    }

    /// What recovery does for each inbox.
    pub fn mark_and_wake(&self) {
        self.rescan.fetch_add(1, rotor_ipc::sync::Ordering::Release);
        self.bell.write();
    }

    pub fn taker(&self) -> Taker {
        Taker {
            marks: self.marks(),
            lanes: self.lanes.map(|lane| lane.consumer()),
            sleeper: Sleeper::attach(self.sleep),
            bell: self.bell,
            heard: 0,
            taken: [Vec::new(), Vec::new()],
            numbers: self.numbers,
        }
    }
}

/// A producer of an inbox.
pub struct Poster {
    pub lane: Producer,
    pub marker: Marker,
    pub waker: Waker,
}

impl Poster {
    pub fn post(&mut self, number: u64) {
        self.publish(number);
        self.marker.mark();
        fence_after_publishing();
        self.waker.wake();
    }

    pub fn publish(&mut self, number: u64) {
        self.lane.write(&numbered(number), &[]).expect("there is room");
        self.lane.publish();
    }
}

/// The consumer of an inbox.
pub struct Taker {
    pub marks: Marks,
    pub lanes: [Consumer; 2],
    pub sleeper: Sleeper,
    pub bell: &'static Bell,
    pub heard: u64,
    pub taken: [Vec<u64>; 2],
    numbers: [usize; 2],
}

impl Taker {
    /// Takes all that is marked. Says whether there was anything.
    pub fn look(&mut self) -> bool {
        self.marks.look();
        self.take_marked()
    }

    pub fn take_marked(&mut self) -> bool {
        let before = self.count();
        for (index, number) in self.numbers.into_iter().enumerate() {
            if self.marks.is_pending(number) {
                let limit = self.lanes[index].refresh().expect("no damage");
                take_all(&mut self.lanes[index], limit, &mut self.taken[index]);
                self.marks.clear(number);
            }
        }
        self.count() != before
    }

    /// Sleeps once, unless a last look finds something or that it is `done`.
    pub fn sleep_unless(&mut self, done: impl Fn(&Self) -> bool) {
        self.sleeper.announce();
        fence_after_announcing();
        if !self.look() && !done(self) {
            self.bell.wait(&mut self.heard);
        }
        self.sleeper.awake();
    }

    /// Sleeps and takes until it has so many of each lane.
    pub fn take(&mut self, wanted: [usize; 2]) {
        self.look();
        while !self.has(wanted) {
            self.sleep_unless(|_| false);
            self.look();
        }
        for taken in &self.taken {
            assert!(taken.is_sorted(), "overtaken: {taken:?}");
        }
    }

    pub fn has(&self, wanted: [usize; 2]) -> bool {
        self.taken[0].len() >= wanted[0] && self.taken[1].len() >= wanted[1]
    }

    fn count(&self) -> usize {
        self.taken[0].len() + self.taken[1].len()
    }
}
