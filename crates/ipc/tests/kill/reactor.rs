//! A reactor: posts messages in bursts to all workers, or to those that have nothing to do, takes their echoes,
//! acknowledges deaths. It is never killed.

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rotor_ipc::WorkerId;
use rotor_ipc::idle::{Giver, Idle, Wants};
use rotor_ipc::inbox::Marks;
use rotor_ipc::lane::{Consumer, Record};
use rotor_ipc::payload::{Kept, Payload, Pool, Reference, Shared};
use rotor_ipc::record::Kind;
use rotor_ipc::seats::SeatLanes;
use rotor_ipc::segment::Segment;
use rotor_ipc::wake::{Sleeper, Waker, fence_after_announcing, fence_after_publishing};
use rotor_sys::clock::monotonic_ns;
use rotor_sys::epoll::{Epoll, Events, Interest};

use crate::ledger::{Ledger, Message, What};
use crate::load::{self, Numbers, Outlet, REACTORS, WORKERS};
use crate::manager::PHASE_OVER;
use crate::stories::Story;
use crate::worker::wait;

pub struct Reactor {
    segment: &'static Segment,
    ledger: Ledger,
    story: Story,
    number: usize,
    slots: Vec<Slot>,
    manager: Consumer,
    marks: Marks,
    pool: Pool,
    kept: VecDeque<Kept>,
    shared: VecDeque<Shared>,
    numbers: Numbers,
    holding: Option<Holding>,
}

/// In idle dispatch: this reactor's part in the protocol.
struct Holding {
    wants: Wants,
    giver: Giver,
    /// Its bit is set.
    is_wanting: bool,
    /// Where the next search begins.
    next: usize,
}

struct Slot {
    id: WorkerId,
    inward: Outlet,
    posted: u32,
    is_closed: bool,
    lanes: SeatLanes,
    room: [Waker; 2],
    /// The last broadcast, by the reactor whose message it is about.
    broadcasts: [Option<u32>; REACTORS],
}

impl Slot {
    fn close(&mut self) {
        if !self.is_closed {
            self.is_closed = true;
            self.inward.lane.close();
            self.inward.marker.mark();
            self.inward.wake();
        }
    }
}

impl Reactor {
    pub fn new(segment: &'static Segment, ledger: Ledger, story: Story, number: usize) -> Self {
        let slots = segment.worker_ids().take(WORKERS).map(|id| Slot {
            id,
            inward: Outlet {
                lane: segment.inward_producer(number, id),
                marker: segment.slot_marker(id, number),
                waker: segment.slot_waker(id),
                consumer: load::small(id.index()),
            },
            posted: 0,
            is_closed: false,
            lanes: SeatLanes::new(
                [0, 1].map(|seat| segment.outward_consumer(segment.outlet_of(id, seat), number)),
                [0, 1].map(|seat| segment.seat(id, seat)),
            ),
            room: [0, 1].map(|seat| segment.room_waker(id, seat, number)),
            broadcasts: [None; REACTORS],
        });
        Self {
            segment,
            ledger,
            story,
            number,
            slots: slots.collect(),
            manager: segment.outward_consumer(segment.manager_outlet(), number),
            marks: segment.reactor_marks(number),
            pool: Pool::attach(segment.reactor_pool(number), monotonic_ns()),
            kept: VecDeque::new(),
            shared: VecDeque::new(),
            numbers: Numbers::new(story.seed ^ number as u64),
            holding: story.idle.then(|| Holding {
                wants: segment.wants(),
                giver: segment.giver(),
                is_wanting: false,
                next: number,
            }),
        }
    }

    /// Lives until the manager says that it is over.
    pub fn live(mut self) {
        let epoll = Epoll::new().expect("an epoll");
        epoll.add(self.segment.reactor_bell(self.number).as_fd(), 0, Interest::ReadEdge).expect("can watch a bell");
        let mut events = Events::with_capacity(4);
        let mut sleeper = Sleeper::attach(&self.segment.reactor(self.number).sleep);
        let mut may_post = true;
        while !self.is_over() {
            // Another burst once something has come back: so it sleeps without limit while all is under way.
            let has_room = !may_post || if self.holding.is_some() { self.post_to_idle() } else { self.post_all() };
            may_post = self.take_all() || self.has_gift();
            self.pool.sweep(monotonic_ns());
            if may_post {
                continue;
            }
            sleeper.announce();
            fence_after_announcing();
            may_post = self.take_all() || self.has_gift();
            if !may_post && !self.is_over() {
                if has_room {
                    wait(&epoll, &mut events);
                } else {
                    // Inwards nobody tells of room: a reactor has other things to do, and tries again.
                    let _ = epoll.wait(&mut events, Some(Duration::from_millis(1)));
                    may_post = true;
                }
            }
            sleeper.awake();
        }
        self.take_all();
    }

    fn is_over(&self) -> bool {
        self.segment.header().phase.load(Ordering::Acquire) == PHASE_OVER
    }

    /// A burst to each worker. Says whether there was room for all.
    fn post_all(&mut self) -> bool {
        let mut has_room = true;
        for index in 0..self.slots.len() {
            let burst = 1 + self.numbers.below(16);
            for _ in 0..burst {
                has_room &= self.post(index);
            }
            self.slots[index].inward.wake();
        }
        has_room
    }

    fn post(&mut self, index: usize) -> bool {
        let slot = &mut self.slots[index];
        if slot.posted == self.story.messages {
            slot.close();
            return true;
        }
        let key = load::message_key(self.story.seed, self.number, slot.id.index());
        let number = slot.posted + 1;
        let posted = slot.inward.post(&mut self.pool, Kind::Receive, number, &load::bytes(key, number));
        if posted {
            slot.posted = number;
            let message = Message { reactor: self.number, worker: slot.id.index(), number };
            self.ledger.note(What::Posted, message, 1);
        }
        posted
    }

    fn has_gift(&self) -> bool {
        self.holding.as_ref().is_some_and(|holding| holding.wants.has_gift(load::small(self.number)))
    }

    /// A burst to workers that have nothing to do; while there is none, the next message is held back. Says whether
    /// there was room.
    fn post_to_idle(&mut self) -> bool {
        let reactor = load::small(self.number);
        if let Some(holding) = &self.holding {
            holding.wants.was_given(reactor);
        }
        let before = self.posted();
        let last = self.story.all_of_a_reactor().min(before + 1 + u32::from(load::small(self.numbers.below(4))));
        let mut has_room = true;
        while has_room && self.posted() < last {
            let Some(holding) = &mut self.holding else { break };
            let places = self.slots.len();
            let mut search = (holding.next..holding.next + places).map(|place| place % places);
            match search.find(|&place| self.segment.slot(self.slots[place].id).idle.is_free_for(reactor)) {
                Some(place) => {
                    holding.next = place + 1;
                    has_room = self.post_to(place);
                }
                None if holding.is_wanting => break,
                // Behind the bit all are tried once more.
                None => {
                    holding.is_wanting = true;
                    holding.wants.want(reactor);
                }
            }
        }
        let is_done = self.posted() == self.story.all_of_a_reactor();
        // What is under way brings it back here.
        if self.posted() > before || is_done {
            self.want_no_more();
        }
        if is_done {
            self.slots.iter_mut().for_each(Slot::close);
        }
        has_room
    }

    /// How many messages were posted to all workers.
    fn posted(&self) -> u32 {
        self.slots.iter().map(|slot| slot.posted).sum()
    }

    /// Posts to a worker that was seen to have nothing to do. Says whether there was room; another reactor may have been
    /// faster, which is as good.
    fn post_to(&mut self, place: usize) -> bool {
        let slot = &mut self.slots[place];
        let (reactor, word) = (load::small(self.number), &self.segment.slot(slot.id).idle);
        let number = slot.posted + 1;
        let bytes = load::bytes(load::message_key(self.story.seed, self.number, slot.id.index()), number);
        let mut was_late = false;
        let posted = slot.inward.post_if(&mut self.pool, Kind::Receive, number, &bytes, |position| {
            was_late = !word.claim(reactor, position);
            !was_late
        });
        if posted {
            slot.posted = number;
            let message = Message { reactor: self.number, worker: slot.id.index(), number };
            self.ledger.note(What::Posted, message, 1);
            slot.inward.wake();
        }
        posted || was_late
    }

    /// Holds nothing back any more, and passes on what it was given.
    fn want_no_more(&mut self) {
        let Some(holding) = &mut self.holding else { return };
        let reactor = load::small(self.number);
        if holding.is_wanting {
            holding.is_wanting = false;
            holding.wants.want_no_more(reactor);
        }
        for slot in &self.slots {
            holding.giver.let_go(&self.segment.slot(slot.id).idle, Idle::Given(reactor));
        }
    }

    /// Takes all that was marked. Says whether there was anything.
    fn take_all(&mut self) -> bool {
        self.marks.look();
        let mut taken = false;
        for index in 0..self.slots.len() {
            let outlets = [0, 1].map(|seat| self.segment.outlet_of(self.slots[index].id, seat));
            if outlets.iter().any(|outlet| self.marks.is_pending(*outlet)) {
                outlets.iter().for_each(|outlet| self.marks.clear(*outlet));
                taken |= self.round(index);
            }
        }
        if self.marks.is_pending(self.segment.manager_outlet()) {
            self.marks.clear(self.segment.manager_outlet());
            taken |= self.take_deaths();
        }
        taken
    }

    /// All that is in the lanes of a slot's two seats, in order (P5).
    fn round(&mut self, index: usize) -> bool {
        let mut taken = false;
        for (seat, limit) in self.slots[index].lanes.limits().expect("no damage") {
            while let Some(record) = self.slots[index].lanes.lane(seat).peek(limit).expect("no damage") {
                self.handle(index, seat, &record);
                taken = true;
            }
            self.slots[index].lanes.lane(seat).release();
        }
        if taken {
            fence_after_publishing();
            for waker in &mut self.slots[index].room {
                waker.wake();
            }
        }
        taken
    }

    /// A broadcast is whole, comes once, and is kept for some time.
    fn handle_broadcast(&mut self, index: usize, seat: usize, record: &Record) {
        let slot = &mut self.slots[index];
        let (worker, source, number) = (slot.id.index(), usize::from(record.header.aux), load::number_of(record));
        let pool = self.segment.outlet_pool(self.segment.outlet_of(slot.id, seat));
        let lane = slot.lanes.lane(seat);
        let word = |index| lane.word(record, index).expect("a reference has two words");
        let reference = Reference { index: word(0), len: word(1) };
        let shared = pool.shared(record.header.location, reference, load::small(self.number)).expect("no damage");
        let bytes = shared.read().expect("a spill range can be read");
        assert!(bytes == load::broadcast_bytes(self.story.seed, worker, source, number), "broadcast {number} differs");
        let last = slot.broadcasts[source].replace(number);
        assert!(last < Some(number), "broadcast {number} of {worker} after {last:?}");
        lane.pass(record);
        lane.release();
        self.shared.push_back(shared);
        if self.shared.len() > 2 || self.numbers.one_in(4) {
            self.shared.pop_front();
        }
    }

    fn handle(&mut self, index: usize, seat: usize, record: &Record) {
        if record.header.kind == Kind::Broadcast {
            return self.handle_broadcast(index, seat, record);
        }
        assert_eq!(record.header.kind, Kind::Send);
        let slot = &mut self.slots[index];
        let (worker, number) = (slot.id.index(), load::number_of(record));
        let pool = self.segment.outlet_pool(self.segment.outlet_of(slot.id, seat));
        let lane = slot.lanes.lane(seat);
        let payload = load::payload(lane, record, pool, load::small(self.number));
        load::copy_and_check(&payload, load::echo_key(self.story.seed, self.number, worker), number);
        // As if a slow peer took it: for a few records more, and whatever becomes of its sender.
        let kept = if self.numbers.one_in(2) { payload.keep() } else { None };
        lane.pass(record);
        if !matches!(payload, Payload::Inline(_)) {
            lane.release();
        }
        match kept {
            Some(kept) => self.kept.push_back(kept),
            None => payload.free(),
        }
        if self.kept.len() > 2 || self.numbers.one_in(4) {
            self.kept.pop_front();
        }
        let generation = self.segment.seat(self.slots[index].id, seat).generation();
        self.ledger.note(What::Echoed, Message { reactor: self.number, worker, number }, generation);
    }

    /// One full round of the seats of each worker that has died, then the acknowledgement.
    fn take_deaths(&mut self) -> bool {
        let mut dead = Vec::new();
        let limit = self.manager.refresh().expect("no damage");
        while let Some(record) = self.manager.peek(limit).expect("no damage") {
            assert_eq!(record.header.kind, Kind::WorkerDied);
            dead.push(usize::from(record.header.aux));
            self.manager.pass(&record);
        }
        self.manager.release();
        for outlet in &dead {
            let (index, seat) = (outlet / 2, outlet % 2);
            self.round(index);
            let id = self.slots[index].id;
            assert!(self.slots[index].lanes.lane(seat).is_empty(), "a full round has emptied the lane");
            let generation = self.segment.seat(id, seat).generation();
            self.segment.ack(id, seat, self.number).store(generation, Ordering::Release);
        }
        !dead.is_empty()
    }
}
