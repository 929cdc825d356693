//! The segment: one mapping, laid out before the first fork, with everything that processes share.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicPtr, Ordering};

use rotor_sys::eventfd::EventFd;
use rotor_sys::file::UnnamedFile;
use rotor_sys::memory::SharedMemory;

use crate::WorkerId;
use crate::idle::{Giver, Wants};
use crate::inbox::{Marker, Marks};
use crate::lane;
use crate::layout::{Plan, counters_row, mark_words, outlets};
use crate::payload::{PoolLayout, PoolView, SpillEntry, StateWord};
use crate::ring::RingState;
use crate::sessions::{FlagWord, SessionEntry, SessionsReader, SessionsWriter, taken_words};
use crate::sync::{AtomicI32, AtomicU32, AtomicU64, LaneBytes, Padded, Shared};
use crate::wake::{SleepWord, Waker};
use crate::workers::{SeatEntry, SlotEntry};

/// What all processes may read and write.
#[repr(C)]
#[derive(Debug, Default)]
pub struct Header {
    /// The server's phase; the core gives the numbers their meaning.
    pub phase: AtomicU32,
    /// What somebody asks of master and manager; bits that the core gives their meaning.
    pub requests: AtomicU32,
    /// The master's process number.
    pub master_pid: AtomicI32,
    /// The manager's process number.
    pub manager_pid: AtomicI32,
    /// When the server started, microseconds since 1970.
    pub started_us: AtomicU64,
    /// When a stop was first asked for (monotonic ns); 0: not yet.
    pub stop_asked_ns: AtomicU64,
    /// When the first signal that asks for a stop came (monotonic ns); 0: not yet.
    pub stop_signal_ns: AtomicU64,
    /// When a signal that asks for a reload has come to the master, until the manager takes note (monotonic ns); 0: none.
    pub reload_signal_ns: AtomicU64,
    /// Reloads that have begun.
    pub reloads: AtomicU64,
    /// Reloads in which a slot kept its old process.
    pub failed_reloads: AtomicU64,
    /// How the last reload ended; the core gives the numbers their meaning.
    pub last_reload: AtomicU32,
    /// When the server began to drain (monotonic ns); 0: not yet.
    pub drain_since_ns: AtomicU64,
    /// Processes that were started after the death of another.
    pub respawns: AtomicU64,
    /// Workers that ended with a non-zero code or by a signal.
    pub crashes: AtomicU64,
    /// Messages that died with a worker.
    pub lost_messages: AtomicU64,
    /// Messages that took longer than the slow log allows.
    pub slow_requests: AtomicU64,
    /// Messages whose worker was killed because they took too long.
    pub timeouts: AtomicU64,
    /// Slots that wait for their next process because the last ones died early.
    pub slots_backing_off: AtomicU64,
    /// Slots whose processes keep dying.
    pub slots_failing: AtomicU64,
    /// Workers that were replaced for having served, grown or lived long enough.
    pub recycled: AtomicU64,
    /// What the clocks of the machine show beyond UTC, in seconds.
    pub utc_offset_seconds: AtomicI32,
    /// Times that all processes were asked to open the log anew.
    pub log_opened: AtomicU64,
    /// Lines of the log that one of many like it stands for.
    pub log_lines_suppressed: AtomicU64,
    /// Lines of the log that could not be written.
    pub log_lines_dropped: AtomicU64,
}

// SAFETY: repr(C), atomics only, zero is a server that has not started.
unsafe impl Shared for Header {}

/// Counters of the master's accept thread.
#[repr(C)]
#[derive(Debug, Default)]
pub struct MasterEntry {
    /// The highest session id given out so far.
    pub last_session: AtomicU64,
    /// Connections accepted.
    pub accepted: AtomicU64,
    /// Connections refused because `max_connection` was reached.
    pub refused: AtomicU64,
    /// Connections refused because only proxies that are trusted may connect.
    pub refused_untrusted: AtomicU64,
    /// Connections refused because the client has as many as it may have.
    pub refused_per_ip: AtomicU64,
    /// Connections refused because the client has made too many lately.
    pub refused_rate: AtomicU64,
    /// Connections refused because the kernel could not watch them.
    pub refused_unwatched: AtomicU64,
    /// The lowest descriptor that a connection has had; nothing before the first one.
    pub lowest_fd: AtomicU64,
    /// The highest, likewise.
    pub highest_fd: AtomicU64,
    /// Times that accepting waited at `max_connection`.
    pub holds: AtomicU64,
    /// Times that accepting paused for want of descriptors.
    pub pauses: AtomicU64,
}

// SAFETY: repr(C), atomics only.
unsafe impl Shared for MasterEntry {}

/// A reactor's sleep word and counters.
#[repr(C)]
#[derive(Debug, Default)]
pub struct ReactorEntry {
    /// It sleeps: for sockets and for its inbox.
    pub sleep: Padded<SleepWord>,
    /// Its counters.
    pub counters: Padded<ReactorCounters>,
}

// SAFETY: repr(C), atomics only.
unsafe impl Shared for ReactorEntry {}

/// Counters of one reactor, written by it alone.
#[repr(C)]
#[derive(Debug, Default)]
pub struct ReactorCounters {
    /// Connections it has closed.
    pub closed: AtomicU64,
    /// Connections it has.
    pub connections: AtomicU64,
    /// Messages handed to workers.
    pub dispatched: AtomicU64,
    /// Bytes received.
    pub received_bytes: AtomicU64,
    /// Bytes sent.
    pub sent_bytes: AtomicU64,
    /// Records whose session was gone.
    pub dropped: AtomicU64,
    /// Connections closed because they broke the framing rules.
    pub protocol_errors: AtomicU64,
    /// Connections refused because the client, whom a proxy has named, has as many as it may have.
    pub refused_per_ip: AtomicU64,
    /// Connections refused because the client, whom a proxy has named, has made too many lately.
    pub refused_rate: AtomicU64,
    /// Times it found a worker's lane full and stopped reading a connection.
    pub pauses: AtomicU64,
    /// Messages that went by the spill file.
    pub spilled: AtomicU64,
    /// Connections closed because nothing came from them for too long.
    pub heartbeat_closed: AtomicU64,
    /// Connections closed because nothing came from them or went to them for too long.
    pub idle_closed: AtomicU64,
    /// Connections closed because they did not finish a message in time.
    pub message_timeouts: AtomicU64,
    /// Connections reset because they did not take what was left for them.
    pub stalled_closed: AtomicU64,
    /// Datagrams received.
    pub datagrams_received: AtomicU64,
    /// Datagrams that the kernel has taken.
    pub datagrams_sent: AtomicU64,
    /// Datagrams dropped because they were larger than any that can be received.
    pub datagrams_truncated: AtomicU64,
    /// Datagrams that the kernel had no room for, as it says: the server did not read them fast enough.
    pub datagrams_missed: AtomicU64,
    /// Datagrams that could not be sent: the peer did not read, or is not there.
    pub datagrams_unsent: AtomicU64,
    /// TLS handshakes that were completed.
    pub handshakes: AtomicU64,
    /// Those of them that a ticket made short.
    pub resumptions: AtomicU64,
    /// TLS handshakes that failed or were not completed.
    pub failed_handshakes: AtomicU64,
    /// TLS connections that ended without saying so, after their handshake.
    pub truncations: AtomicU64,
}

// SAFETY: repr(C), atomics only.
unsafe impl Shared for ReactorCounters {}

/// The one shared mapping and what goes with it. It lives until the process ends.
#[derive(Debug)]
pub struct Segment {
    plan: Plan,
    memory: &'static SharedMemory,
    reactor_bells: Vec<EventFd>,
    slot_bells: Vec<EventFd>,
    seat_bells: Vec<EventFd>,
    main_bell: EventFd,
    manager_bell: EventFd,
    reactor_spill: Vec<UnnamedFile>,
    outlet_spill: Vec<UnnamedFile>,
}

/// A step of making the segment that failed.
#[derive(Debug)]
pub struct SegmentError {
    /// What was being done.
    pub doing: String,
    /// The kernel's answer.
    pub error: io::Error,
}

/// Nobody reads it, hence `used`: the compiler would drop it and its store.
#[used]
static CURRENT: AtomicPtr<Segment> = AtomicPtr::new(std::ptr::null_mut());

impl Segment {
    /// Maps a segment, makes its tables exist, and opens what every process inherits: bells, and spill files in
    /// `spill_folder`. To be called before the first fork.
    pub fn create(plan: Plan, spill_folder: &Path) -> Result<&'static Self, SegmentError> {
        let doing = |doing: String| move |error| SegmentError { doing, error };
        let memory = SharedMemory::create(c"rotor", plan.len)
            .map_err(doing(format!("cannot map {} KiB of shared memory", plan.len / 1024)))?;
        memory
            .allocate(0, plan.tables)
            .map_err(doing(format!("cannot allocate {} KiB of shared memory for the tables", plan.tables / 1024)))?;
        let bells = |count: usize| -> Result<Vec<EventFd>, SegmentError> {
            (0..count).map(|_| EventFd::new().map_err(doing("cannot make an eventfd".to_owned()))).collect()
        };
        let spill = |count: usize| -> Result<Vec<UnnamedFile>, SegmentError> {
            let what = format!("cannot make a temporary file in {} (task_tmpdir)", spill_folder.display());
            (0..count).map(|_| UnnamedFile::create_in(spill_folder).map_err(doing(what.clone()))).collect()
        };
        let (reactors, workers, slots) = (plan.shape.reactors, plan.shape.workers, plan.shape.slots());
        let segment = Self {
            memory,
            reactor_bells: bells(reactors)?,
            slot_bells: bells(workers)?,
            seat_bells: bells(2 * slots)?,
            main_bell: bells(1)?.remove(0),
            manager_bell: bells(1)?.remove(0),
            reactor_spill: spill(reactors)?,
            outlet_spill: spill(outlets(slots))?,
            plan,
        };
        let segment: &'static Self = Box::leak(Box::new(segment));
        // Reachable for ever, as it is meant to be: a leak checker sees that nothing is lost.
        CURRENT.store(std::ptr::from_ref(segment).cast_mut(), Ordering::Relaxed);
        Ok(segment)
    }

    /// Makes what the master alone may write read-only for this process (P1).
    pub fn protect(&self) -> io::Result<()> {
        let (offset, len) = self.plan.protected;
        self.memory.protect(offset, len)
    }

    /// Gives all memory back to the system. Only for the last process that uses the segment.
    pub fn forget(&self) -> io::Result<()> {
        self.memory.punch(0, self.memory.len())
    }

    /// How it is laid out.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How many reactors.
    pub fn reactors(&self) -> usize {
        self.plan.shape.reactors
    }

    /// How many slots of event workers: those with an inbox.
    pub fn workers(&self) -> usize {
        self.plan.shape.workers
    }

    /// How many slots of user processes.
    pub fn processes(&self) -> usize {
        self.plan.shape.processes
    }

    /// How many slots of all kinds: event workers, then user processes.
    pub fn slots(&self) -> usize {
        self.plan.shape.slots()
    }

    /// The slots of event workers.
    pub fn worker_ids(&self) -> impl Iterator<Item = WorkerId> + use<> {
        ids(0..self.workers())
    }

    /// The slots of user processes.
    pub fn process_ids(&self) -> impl Iterator<Item = WorkerId> + use<> {
        ids(self.workers()..self.slots())
    }

    /// All slots.
    pub fn slot_ids(&self) -> impl Iterator<Item = WorkerId> + use<> {
        ids(0..self.slots())
    }

    /// Whether anything is posted to the slot.
    pub fn has_inbox(&self, worker: WorkerId) -> bool {
        worker.index() < self.workers()
    }

    /// What all processes may read and write.
    pub fn header(&self) -> &'static Header {
        self.at(self.plan.header, 0)
    }

    /// The accept thread's counters.
    pub fn master(&self) -> &'static MasterEntry {
        self.at(self.plan.master, 0)
    }

    /// A reactor's entry.
    pub fn reactor(&self, reactor: usize) -> &'static ReactorEntry {
        assert!(reactor < self.reactors(), "there is no reactor {reactor}");
        self.at(self.plan.reactors, reactor)
    }

    /// How many messages a reactor has posted to each worker; written by it alone.
    pub fn dispatched(&self, reactor: usize) -> &'static [AtomicU64] {
        assert!(reactor < self.reactors(), "there is no reactor {reactor}");
        let row = counters_row(self.workers());
        let all = self.table::<AtomicU64>(self.plan.dispatched, self.reactors() * row);
        &all[reactor * row..][..self.workers()]
    }

    /// How many connections a reactor has on each port; written by it alone.
    pub fn port_connections(&self, reactor: usize) -> &'static [AtomicU64] {
        assert!(reactor < self.reactors(), "there is no reactor {reactor}");
        let ports = self.plan.shape.ports;
        let row = counters_row(ports);
        let all = self.table::<AtomicU64>(self.plan.port_connections, self.reactors() * row);
        &all[reactor * row..][..ports]
    }

    /// How many messages all reactors have posted to a worker.
    pub fn dispatched_to(&self, worker: WorkerId) -> u64 {
        let counts = (0..self.reactors()).map(|reactor| &self.dispatched(reactor)[worker.index()]);
        counts.map(|count| count.load(crate::sync::Ordering::Relaxed)).sum()
    }

    /// Which reactors hold messages back, and what they were given.
    pub fn wants(&self) -> Wants {
        let bits = self.table::<AtomicU64>(self.plan.wants, mark_words(self.reactors()));
        let gifts = self.table::<Padded<AtomicU64>>(self.plan.gifts, self.reactors());
        Wants::new(bits, gifts, self.at(self.plan.turn, 0))
    }

    /// What lets workers go.
    pub fn giver(&'static self) -> Giver {
        Giver::new(self.wants(), (0..self.reactors()).map(|reactor| self.reactor_waker(reactor)).collect())
    }

    /// A slot's entry.
    pub fn slot(&self, worker: WorkerId) -> &'static SlotEntry {
        assert!(worker.index() < self.slots(), "there is no slot {worker}");
        self.at(self.plan.slots, worker.index())
    }

    /// A seat's entry.
    pub fn seat(&self, worker: WorkerId, seat: usize) -> &'static SeatEntry {
        self.at(self.plan.seats, self.outlet_of(worker, seat))
    }

    /// The generation whose death `reactor` has acknowledged last for this seat.
    pub fn ack(&self, worker: WorkerId, seat: usize, reactor: usize) -> &'static AtomicU32 {
        self.at(self.plan.acks, self.outlet_of(worker, seat) * self.reactors() + reactor)
    }

    /// The number of a seat among the producers towards reactors.
    pub fn outlet_of(&self, worker: WorkerId, seat: usize) -> usize {
        assert!(worker.index() < self.slots() && seat < 2, "there is no seat {seat} of slot {worker}");
        worker.index() * 2 + seat
    }

    /// The number of the manager among the producers towards reactors.
    pub fn manager_outlet(&self) -> usize {
        2 * self.slots()
    }

    /// Everybody's view of the session table.
    pub fn sessions(&self) -> SessionsReader {
        let entries = self.table::<SessionEntry>(self.plan.sessions, self.plan.session_entries);
        let taken = self.table::<AtomicU64>(self.plan.taken_sessions, taken_words(self.plan.session_entries));
        SessionsReader::new(entries, self.table::<FlagWord>(self.plan.flags, self.plan.session_entries), taken)
    }

    /// The master's side of the session table.
    pub fn sessions_writer(&self) -> SessionsWriter {
        SessionsWriter::new(self.sessions())
    }

    /// The state of the lane from a reactor to a slot.
    pub fn inward_state(&self, reactor: usize, worker: WorkerId) -> &'static RingState {
        self.at(self.plan.lane_states, self.inward(reactor, worker))
    }

    /// The state of the lane from an outlet to a reactor.
    pub fn outward_state(&self, outlet: usize, reactor: usize) -> &'static RingState {
        self.at(self.plan.lane_states, self.outward(outlet, reactor))
    }

    /// The reactor's side of its lane to a slot.
    pub fn inward_producer(&self, reactor: usize, worker: WorkerId) -> lane::Producer {
        lane::Producer::attach(self.inward_state(reactor, worker), self.lane(self.inward(reactor, worker)))
    }

    /// The owner's side of that lane.
    pub fn inward_consumer(&self, reactor: usize, worker: WorkerId) -> lane::Consumer {
        lane::Consumer::attach(self.inward_state(reactor, worker), self.lane(self.inward(reactor, worker)))
    }

    /// What lies in that lane, for anybody.
    pub fn inward_view(&self, reactor: usize, worker: WorkerId) -> lane::View {
        lane::View::new(self.inward_state(reactor, worker), self.lane(self.inward(reactor, worker)))
    }

    /// A process's side of its lane to a reactor.
    pub fn outward_producer(&self, outlet: usize, reactor: usize) -> lane::Producer {
        lane::Producer::attach(self.outward_state(outlet, reactor), self.lane(self.outward(outlet, reactor)))
    }

    /// The reactor's side of that lane.
    pub fn outward_consumer(&self, outlet: usize, reactor: usize) -> lane::Consumer {
        lane::Consumer::attach(self.outward_state(outlet, reactor), self.lane(self.outward(outlet, reactor)))
    }

    /// A reactor's blocks.
    pub fn reactor_pool(&'static self, reactor: usize) -> PoolView {
        self.pool(&self.plan.reactor_pools[reactor], &self.reactor_spill[reactor])
    }

    /// The blocks of a seat or of the manager.
    pub fn outlet_pool(&'static self, outlet: usize) -> PoolView {
        self.pool(&self.plan.outlet_pools[outlet], &self.outlet_spill[outlet])
    }

    /// The bits of a reactor's inbox, for the reactor.
    pub fn reactor_marks(&self, reactor: usize) -> Marks {
        let (rescan, words) = self.reactor_mark_words(reactor);
        Marks::attach(words, rescan, outlets(self.slots()))
    }

    /// The bit of an outlet in a reactor's inbox.
    pub fn reactor_marker(&self, reactor: usize, outlet: usize) -> Marker {
        Marker::new(self.reactor_mark_words(reactor).1, outlet, outlets(self.slots()))
    }

    /// The bits of a slot's inbox, for its owner.
    pub fn slot_marks(&self, worker: WorkerId) -> Marks {
        Marks::attach(self.slot_mark_words(worker), &self.slot(worker).rescan, self.reactors())
    }

    /// The bit of a reactor in a slot's inbox.
    pub fn slot_marker(&self, worker: WorkerId, reactor: usize) -> Marker {
        Marker::new(self.slot_mark_words(worker), reactor, self.reactors())
    }

    /// Counted up by recovery: look at all lanes of the reactor's inbox.
    pub fn reactor_rescan(&self, reactor: usize) -> &'static AtomicU64 {
        self.reactor_mark_words(reactor).0
    }

    /// Wakes a reactor.
    pub fn reactor_waker(&'static self, reactor: usize) -> Waker {
        Waker::new(&self.reactor(reactor).sleep, &self.reactor_bells[reactor])
    }

    /// Wakes whoever owns the slot's inbox.
    pub fn slot_waker(&'static self, worker: WorkerId) -> Waker {
        Waker::new(&self.slot(worker).sleep, self.slot_bell(worker))
    }

    /// Wakes the process in a seat.
    pub fn seat_waker(&'static self, worker: WorkerId, seat: usize) -> Waker {
        Waker::new(&self.seat(worker, seat).sleep, self.seat_bell(worker, seat))
    }

    /// Wakes the process in a seat that waits for room in its lane to `reactor`.
    pub fn room_waker(&'static self, worker: WorkerId, seat: usize, reactor: usize) -> Waker {
        let state = self.outward_state(self.outlet_of(worker, seat), reactor);
        Waker::new(state.room(), self.seat_bell(worker, seat))
    }

    /// What wakes a reactor.
    pub fn reactor_bell(&self, reactor: usize) -> &EventFd {
        &self.reactor_bells[reactor]
    }

    /// What wakes the owner of a slot's inbox.
    pub fn slot_bell(&self, worker: WorkerId) -> &EventFd {
        &self.slot_bells[worker.index()]
    }

    /// What wakes the process in a seat.
    pub fn seat_bell(&self, worker: WorkerId, seat: usize) -> &EventFd {
        &self.seat_bells[self.outlet_of(worker, seat)]
    }

    /// What wakes the master's main thread.
    pub fn main_bell(&self) -> &EventFd {
        &self.main_bell
    }

    /// What wakes the manager.
    pub fn manager_bell(&self) -> &EventFd {
        &self.manager_bell
    }

    fn inward(&self, reactor: usize, worker: WorkerId) -> usize {
        assert!(reactor < self.reactors() && worker.index() < self.workers());
        reactor * self.workers() + worker.index()
    }

    fn outward(&self, outlet: usize, reactor: usize) -> usize {
        assert!(reactor < self.reactors() && outlet < outlets(self.slots()));
        (self.workers() + outlet) * self.reactors() + reactor
    }

    fn lane(&self, number: usize) -> LaneBytes {
        LaneBytes::new(self.memory.bytes(self.plan.lane_data + number * self.plan.lane_bytes, self.plan.lane_bytes))
    }

    fn pool(&self, layout: &'static PoolLayout, file: &'static UnnamedFile) -> PoolView {
        let states = self.table::<StateWord>(layout.states, layout.blocks());
        let spill = self.table::<SpillEntry>(layout.spill, layout.spill_count);
        let places = (layout.blocks() + layout.spill_count) * layout.place_words;
        let places = self.table::<AtomicU64>(layout.places, places);
        PoolView::new(self.memory, layout, states, spill, places, file)
    }

    fn reactor_mark_words(&self, reactor: usize) -> (&'static AtomicU64, &'static [AtomicU64]) {
        assert!(reactor < self.reactors());
        let per_reactor = 1 + mark_words(outlets(self.slots()));
        let all = self.table::<AtomicU64>(self.plan.reactor_marks, self.reactors() * per_reactor);
        let (rescan, words) = all[reactor * per_reactor..][..per_reactor].split_at(1);
        (&rescan[0], words)
    }

    fn slot_mark_words(&self, worker: WorkerId) -> &'static [AtomicU64] {
        let per_slot = mark_words(self.reactors());
        let all = self.table::<AtomicU64>(self.plan.slot_marks, self.workers() * per_slot);
        &all[worker.index() * per_slot..][..per_slot]
    }

    fn at<T: Shared>(&self, table: usize, index: usize) -> &'static T {
        let place = self.memory.place::<T>(table + index * size_of::<T>());
        // SAFETY: `place` has checked bounds and alignment; the mapping is never unmapped; `Shared` says that its
        // bytes, zero at first and later written only through atomics, are a valid `T`.
        unsafe { place.as_ref() }
    }

    fn table<T: Shared>(&self, offset: usize, len: usize) -> &'static [T] {
        let place = self.memory.place::<T>(offset);
        self.memory.range(offset, len * size_of::<T>());
        // SAFETY: as in `at`, for `len` of them one behind the other, whose end was checked just above.
        unsafe { std::slice::from_raw_parts(place.as_ptr(), len) }
    }
}

fn ids(numbers: std::ops::Range<usize>) -> impl Iterator<Item = WorkerId> + use<> {
    numbers.map(|number| WorkerId(u32::try_from(number).unwrap_or(u32::MAX)))
}
