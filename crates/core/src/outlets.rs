//! A process's lanes to all reactors: posting, wake-ups, and waiting for room (P6, P9).

mod broadcast;

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rotor_ipc::WorkerId;
use rotor_ipc::inbox::Marker;
use rotor_ipc::lane::{self, PostError};
use rotor_ipc::looks::Looks;
use rotor_ipc::payload::{Filling, Pool};
use rotor_ipc::record::{Header, Where};
use rotor_ipc::ring::Broken;
use rotor_ipc::segment::Segment;
use rotor_ipc::sync::AtomicU64;
use rotor_ipc::sync::Ordering::Relaxed;
use rotor_ipc::wake::{Sleeper, Waker, fence_after_announcing, fence_after_publishing};
use rotor_sys::clock::monotonic_ns;
use rotor_sys::descriptors::{DescriptorSender, Tag};
use rotor_sys::epoll::{Epoll, Events, Interest};
use rotor_sys::regular::RegularFile;

/// Why a record did not get to its reactor.
#[derive(Debug)]
pub enum PostFailure {
    /// The lane has no room, and this process does not wait for it.
    Full,
    /// The bytes fit into no block, and the spill file does not take them either.
    Spill(Option<io::Error>),
    /// The descriptor of a file did not get there.
    Descriptor(io::Error),
    /// The segment is damaged.
    Broken(Broken),
}

/// What a record says of a part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileRecord {
    /// Where it begins.
    pub offset: u64,
    /// How many bytes it has.
    pub len: u64,
    /// Beside the outlet's: the number that went with the descriptor.
    pub number: u64,
}

/// A process that passes more descriptors than there is room for looks this often for some, and gives up in the end: what
/// lies on the way is taken with its record, and that is posted next.
const DESCRIPTOR_LOOK: Duration = Duration::from_micros(500);
const DESCRIPTOR_PATIENCE: Duration = Duration::from_secs(10);

/// A process that waits for a block or a range looks this often for those that were kept for slow peers.
const KEPT_LOOK: Duration = Duration::from_millis(10);

/// All lanes of one seat, or of the manager, towards the reactors.
pub struct Outlets {
    outlets: Vec<Outlet>,
    /// Their number among all producers, and the generation of who has them.
    number: u64,
    generation: u32,
    /// How many descriptors it has passed.
    passed: u32,
    pool: Pool,
    looks: Looks,
    /// Waits for room in a lane; the manager does not wait.
    room: Option<RoomWait>,
    /// Whether a look at a reactor's sleep word may be put off until the process's own loop waits.
    defers: bool,
    /// The last reading of the clock: no later than any publish that follows it.
    clock_ns: u64,
    /// Times it has waited for room or for a block.
    waits: Option<&'static AtomicU64>,
}

struct Outlet {
    lane: lane::Producer,
    marker: Marker,
    waker: Waker,
    room: Sleeper,
}

/// An epoll that hears nothing but the seat's bell: a wait in the middle of a callback leaves the events of the
/// process's own loop alone.
struct RoomWait {
    epoll: Epoll,
    events: Events,
}

impl Outlets {
    /// The lanes of the worker in a seat.
    pub fn of_worker(segment: &'static Segment, worker: WorkerId, seat: usize) -> io::Result<Self> {
        let epoll = Epoll::new()?;
        epoll.add(segment.seat_bell(worker, seat).as_fd(), 0, Interest::ReadEdge)?;
        let room = RoomWait { epoll, events: Events::with_capacity(1) };
        let mut outlets = Self::new(segment, segment.outlet_of(worker, seat), Some(room));
        outlets.defers = true;
        outlets.generation = segment.seat(worker, seat).generation();
        outlets.waits = Some(&segment.seat(worker, seat).counters.waits);
        Ok(outlets)
    }

    /// The lanes of the user process in a seat. It has no loop that would make up for a look that was put off.
    pub fn of_user_process(segment: &'static Segment, id: WorkerId, seat: usize) -> io::Result<Self> {
        Ok(Self { defers: false, ..Self::of_worker(segment, id, seat)? })
    }

    /// The lanes of the manager.
    pub fn of_manager(segment: &'static Segment) -> Self {
        Self::new(segment, segment.manager_outlet(), None)
    }

    fn new(segment: &'static Segment, outlet: usize, room: Option<RoomWait>) -> Self {
        let outlets = (0..segment.reactors())
            .map(|reactor| Outlet {
                lane: segment.outward_producer(outlet, reactor),
                marker: segment.reactor_marker(reactor, outlet),
                waker: segment.reactor_waker(reactor),
                room: Sleeper::attach(segment.outward_state(outlet, reactor).room()),
            })
            .collect();
        let now_ns = monotonic_ns();
        Self {
            outlets,
            number: outlet as u64,
            generation: 0,
            passed: 0,
            pool: Pool::attach(segment.outlet_pool(outlet), now_ns),
            looks: Looks::new(segment.reactors()),
            room,
            defers: false,
            clock_ns: now_ns,
            waits: None,
        }
    }

    /// Notes a reading of the clock that the caller made anyway.
    pub fn note_clock(&mut self, now_ns: u64) {
        self.clock_ns = now_ns;
    }

    /// Posts a record with `bytes` to `reactor`; it is published when this returns.
    pub fn post(&mut self, reactor: usize, mut header: Header, bytes: &[u8]) -> Result<(), PostFailure> {
        if bytes.len() <= self.outlets[reactor].lane.inline_limit() {
            self.make_room(reactor, bytes.len())?;
            self.write(reactor, &header, &[bytes])?;
        } else {
            let filling = self.fill(bytes)?;
            let body = filling.reference(bytes.len()).to_bytes();
            header.location = filling.location();
            let position = self.make_room(reactor, body.len())?;
            filling.post(consumer(reactor), position);
            self.write(reactor, &header, &[&body])?;
        }
        self.publish(reactor);
        Ok(())
    }

    /// Posts a record with a datagram and its coded address to `reactor`; it is published when this returns. The bytes
    /// never go by the disk.
    pub fn post_datagram(
        &mut self,
        reactor: usize,
        mut header: Header,
        address: &[u8],
        bytes: &[u8],
    ) -> Result<(), PostFailure> {
        let body = address.len() + bytes.len();
        if body <= self.outlets[reactor].lane.inline_limit() {
            self.make_room(reactor, body)?;
            self.write(reactor, &header, &[address, bytes])?;
        } else {
            let block = self.fill_block(bytes)?.ok_or(PostFailure::Full)?;
            let reference = block.reference(bytes.len()).to_bytes();
            header.location = block.location();
            let position = self.make_room(reactor, reference.len() + address.len())?;
            block.post(consumer(reactor), position);
            self.write(reactor, &header, &[&reference, address])?;
        }
        self.publish(reactor);
        Ok(())
    }

    /// Posts a record about a part of a file to `reactor`; its descriptor goes by `way`, ahead of the record, and both are
    /// there when this returns.
    pub fn post_file(
        &mut self,
        reactor: usize,
        header: Header,
        part: FileRecord,
        way: &DescriptorSender,
        file: &RegularFile,
    ) -> Result<(), PostFailure> {
        self.passed = self.passed.wrapping_add(1);
        let number = u64::from(self.generation) << 32 | u64::from(self.passed);
        let mut body = [0; 24];
        for (place, word) in body.chunks_exact_mut(8).zip([part.offset, part.len, number]) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        // Room for the record first: between it and the descriptor there is nothing to wait for.
        self.make_room(reactor, body.len())?;
        self.pass([self.number, number], way, file)?;
        self.write(reactor, &header, &[&body])?;
        self.publish(reactor);
        Ok(())
    }

    /// Passes a descriptor, and waits for room if there is none.
    fn pass(&mut self, tag: Tag, way: &DescriptorSender, file: &RegularFile) -> Result<(), PostFailure> {
        let end = Instant::now() + DESCRIPTOR_PATIENCE;
        let mut has_counted = false;
        loop {
            match way.send(tag, file.as_fd()) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.room.is_none() || Instant::now() >= end {
                        return Err(PostFailure::Full);
                    }
                    self.flush();
                    if !std::mem::replace(&mut has_counted, true) {
                        self.count_wait();
                    }
                    std::thread::sleep(DESCRIPTOR_LOOK);
                }
                Err(error) => return Err(PostFailure::Descriptor(error)),
            }
        }
    }

    /// Wakes every reactor that it owes a wake-up. To be called before any wait.
    pub fn flush(&mut self) {
        if self.looks.owed().next().is_some() {
            fence_after_publishing();
            for reactor in self.looks.owed() {
                self.outlets[reactor].waker.wake();
            }
        }
        self.looks.forget();
    }

    /// Gives the memory of blocks back that were long free.
    pub fn sweep(&mut self, now_ns: u64) {
        self.pool.sweep(now_ns);
    }

    fn count_wait(&self) {
        if let Some(waits) = self.waits {
            waits.store(waits.load(Relaxed) + 1, Relaxed);
        }
    }

    /// Puts the bytes where a record can refer to them: what is larger than any block goes by the disk. What is in
    /// use becomes free soon, since a reactor copies out what a slow peer does not take once the pool runs low.
    fn fill(&mut self, bytes: &[u8]) -> Result<Filling, PostFailure> {
        if bytes.len() <= self.pool.largest_block()
            && let Some(block) = self.fill_block(bytes)?
        {
            return Ok(block);
        }
        self.fill_range(bytes)
    }

    /// A range of the spill file with the bytes.
    fn fill_range(&mut self, bytes: &[u8]) -> Result<Filling, PostFailure> {
        while self.room.is_some() && !self.pool.has_spill_range() {
            self.wait_for_pool(|pool, _| pool.has_spill_range());
        }
        let range = self.pool.take_spill(bytes.len() as u64).ok_or(PostFailure::Spill(None))?;
        range.fill(bytes).map_err(|error| PostFailure::Spill(Some(error)))?;
        Ok(range)
    }

    /// A block with the bytes, which one has room for; `None` when none is free, and this process does not wait.
    fn fill_block(&mut self, bytes: &[u8]) -> Result<Option<Filling>, PostFailure> {
        loop {
            if let Some(block) = self.pool.take_block(bytes.len(), self.clock_ns) {
                block.fill(bytes).map_err(|error| PostFailure::Spill(Some(error)))?;
                return Ok(Some(block));
            }
            if self.room.is_none() {
                return Ok(None);
            }
            self.wait_for_pool(|pool, clock_ns| pool.take_block(bytes.len(), clock_ns).is_some());
        }
    }

    /// Sleeps until a reactor has taken something from this process, and with it perhaps a block or range.
    fn wait_for_pool(&mut self, has_room: impl FnOnce(&mut Pool, u64) -> bool) {
        self.flush();
        self.count_wait();
        for outlet in &mut self.outlets {
            outlet.room.announce();
        }
        fence_after_announcing();
        let is_there = has_room(&mut self.pool, self.clock_ns);
        if !is_there && let Some(RoomWait { epoll, events }) = &mut self.room {
            // What was kept for a slow peer is given back without a bell, hence the limit.
            let _ = epoll.wait(events, Some(KEPT_LOOK));
        }
        for outlet in &mut self.outlets {
            outlet.room.awake();
        }
    }

    fn write(&mut self, reactor: usize, header: &Header, parts: &[&[u8]]) -> Result<(), PostFailure> {
        match self.outlets[reactor].lane.write(header, parts) {
            Ok(_) => Ok(()),
            Err(PostError::Full) => Err(PostFailure::Full),
            Err(PostError::Broken(broken)) => Err(PostFailure::Broken(broken)),
        }
    }

    fn publish(&mut self, reactor: usize) {
        let before_ns = self.clock_ns;
        let outlet = &mut self.outlets[reactor];
        outlet.lane.publish();
        outlet.marker.mark();
        let after_ns = monotonic_ns();
        self.clock_ns = after_ns;
        // Reactors linger for workers, not for the manager, which posts too seldom to be worth it (P9).
        if self.looks.published(reactor, before_ns, after_ns) || !self.defers {
            fence_after_publishing();
            outlet.waker.wake();
        }
    }

    /// Makes sure that a record with a body of `body` bytes fits, and returns its position.
    fn make_room(&mut self, reactor: usize, body: usize) -> Result<u64, PostFailure> {
        loop {
            match self.outlets[reactor].lane.position_for(body) {
                Ok(position) => return Ok(position),
                Err(PostError::Broken(broken)) => return Err(PostFailure::Broken(broken)),
                Err(PostError::Full) if self.room.is_none() => return Err(PostFailure::Full),
                Err(PostError::Full) => self.wait_for_room(reactor, body),
            }
        }
    }

    /// Sleeps until the reactor has taken something. It takes whatever happens, so this ends (P6); a signal only
    /// makes it look again.
    fn wait_for_room(&mut self, reactor: usize, body: usize) {
        self.flush();
        self.count_wait();
        let outlet = &mut self.outlets[reactor];
        outlet.room.announce();
        fence_after_announcing();
        if matches!(outlet.lane.position_for(body), Err(PostError::Full))
            && let Some(RoomWait { epoll, events }) = &mut self.room
        {
            // The only error is an interrupt, after which the caller looks again.
            let _ = epoll.wait(events, None);
        }
        self.outlets[reactor].room.awake();
    }
}

/// A reactor's number among the consumers of a seat's pool.
pub fn consumer(reactor: usize) -> u16 {
    u16::try_from(reactor).unwrap_or(u16::MAX)
}

/// A header without anything but kind and session.
pub fn header(kind: rotor_ipc::record::Kind, session: u64) -> Header {
    Header { kind, location: Where::Inline, aux: 0, session, extra: 0 }
}
