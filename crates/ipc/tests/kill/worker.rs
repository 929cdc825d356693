//! A worker: takes from the inbox while it owns it, one message in hand at a time, and echoes each.

use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use rotor_ipc::WorkerId;
use rotor_ipc::idle::{Giver, Idle};
use rotor_ipc::inbox::Marks;
use rotor_ipc::lane::{Consumer, Record};
use rotor_ipc::payload::Pool;
use rotor_ipc::record::{Header, Kind};
use rotor_ipc::segment::Segment;
use rotor_ipc::sync::{Step, set_hook, step};
use rotor_ipc::wake::{Sleeper, fence_after_announcing, fence_after_publishing};
use rotor_ipc::workers::{Generation, Held, Owner, SeatState, seat_of};
use rotor_sys::clock::monotonic_ns;
use rotor_sys::epoll::{Epoll, Events, Interest};
use rotor_sys::process;

use crate::ledger::{Ledger, Message, What};
use crate::load::{self, Outlet, REACTORS};
use crate::stories::Story;

static FATE_STEP: AtomicU32 = AtomicU32::new(0);
static FATE_SIGNAL: AtomicI32 = AtomicI32::new(0);
static PASSAGES_LEFT: AtomicU32 = AtomicU32::new(0);

/// This process gets `signal` at its n-th passage of `step`.
fn accept_fate(step: Step, signal: i32, passages: u32) {
    FATE_STEP.store(step as u32, Ordering::Relaxed);
    FATE_SIGNAL.store(signal, Ordering::Relaxed);
    PASSAGES_LEFT.store(passages, Ordering::Relaxed);
    set_hook(Some(|step| {
        if step as u32 == FATE_STEP.load(Ordering::Relaxed) && PASSAGES_LEFT.fetch_sub(1, Ordering::Relaxed) == 1 {
            process::kill(process::id(), FATE_SIGNAL.load(Ordering::Relaxed)).expect("one may signal oneself");
        }
    }));
}

pub struct Worker {
    segment: &'static Segment,
    ledger: Ledger,
    story: Story,
    id: WorkerId,
    generation: Generation,
    epoll: Epoll,
    events: Events,
    seat_sleeper: Sleeper,
    outlets: Vec<Outlet>,
    pool: Pool,
    inbox: Option<Inbox>,
    /// In idle dispatch.
    giver: Option<Giver>,
}

struct Inbox {
    marks: Marks,
    lanes: Vec<Consumer>,
    sleeper: Sleeper,
}

impl Worker {
    /// Takes the seat of its generation.
    pub fn new(
        segment: &'static Segment,
        ledger: Ledger,
        story: Story,
        id: WorkerId,
        generation: Generation,
        passages: u32,
    ) -> Self {
        if let Some((step, signal)) = story.fate {
            accept_fate(step, signal, passages);
        }
        let seat = seat_of(generation);
        let outlet = segment.outlet_of(id, seat);
        let epoll = Epoll::new().expect("an epoll");
        epoll.add(segment.seat_bell(id, seat).as_fd(), 0, Interest::ReadEdge).expect("can watch a bell");
        let outlets = (0..REACTORS).map(|reactor| Outlet {
            lane: segment.outward_producer(outlet, reactor),
            marker: segment.reactor_marker(reactor, outlet),
            waker: segment.reactor_waker(reactor),
            consumer: load::small(reactor),
        });
        Self {
            segment,
            ledger,
            story,
            id,
            generation,
            epoll,
            events: Events::with_capacity(4),
            seat_sleeper: Sleeper::attach(&segment.seat(id, seat).sleep),
            outlets: outlets.collect(),
            pool: Pool::attach(segment.outlet_pool(outlet), monotonic_ns()),
            inbox: None,
            giver: story.idle.then(|| segment.giver()),
        }
    }

    /// Lives until it has handed over, or everything was taken.
    pub fn live(mut self) {
        self.segment.seat(self.id, seat_of(self.generation)).set_state(SeatState::Ready);
        loop {
            if self.hand_over() || self.is_drained() {
                return;
            }
            let has_taken = self.take();
            self.pool.sweep(monotonic_ns());
            if has_taken {
                continue;
            }
            self.seat_sleeper.announce();
            if let Some(inbox) = &mut self.inbox {
                inbox.sleeper.announce();
            }
            fence_after_announcing();
            if !self.has_something() {
                wait(&self.epoll, &mut self.events);
            }
            self.seat_sleeper.awake();
            if let Some(inbox) = &mut self.inbox {
                inbox.sleeper.awake();
            }
        }
    }

    fn owner(&self) -> Owner {
        self.segment.slot(self.id).owner()
    }

    fn is_drained(&self) -> bool {
        self.inbox.as_ref().is_some_and(|inbox| inbox.lanes.iter().all(Consumer::is_drained))
    }

    /// The look behind the fence.
    fn has_something(&mut self) -> bool {
        if self.is_drained() || matches!(self.owner(), Owner::Offered { from, .. } if from == self.generation) {
            return true;
        }
        let Some(inbox) = &mut self.inbox else { return self.owner() == Owner::Owned(self.generation) };
        inbox.marks.look();
        (0..REACTORS).any(|reactor| inbox.marks.is_pending(reactor) && !is_empty(&mut inbox.lanes[reactor]))
    }

    /// Commits if there is an offer. Says whether it did.
    fn hand_over(&mut self) -> bool {
        let Owner::Offered { from, to } = self.owner() else { return false };
        let committed = from == self.generation && self.segment.slot(self.id).commit(from, to);
        if committed {
            fence_after_publishing();
            self.segment.seat_waker(self.id, seat_of(to)).wake();
        }
        committed
    }

    /// Takes one message of each lane. Says whether there was any.
    fn take(&mut self) -> bool {
        if self.inbox.is_none() {
            if self.owner() != Owner::Owned(self.generation) {
                return false;
            }
            let bell = self.segment.slot_bell(self.id);
            self.epoll.add(bell.as_fd(), 1, Interest::ReadEdge).expect("can watch a bell");
            self.inbox = Some(Inbox {
                marks: self.segment.slot_marks(self.id),
                lanes: (0..REACTORS).map(|reactor| self.segment.inward_consumer(reactor, self.id)).collect(),
                sleeper: Sleeper::attach(&self.segment.slot(self.id).sleep),
            });
            if let Some(giver) = &mut self.giver {
                giver.enter(&self.segment.slot(self.id).idle);
            }
        }
        let mut taken = false;
        for reactor in 0..REACTORS {
            let Some(inbox) = &mut self.inbox else { return taken };
            inbox.marks.look();
            if !inbox.marks.is_pending(reactor) {
                continue;
            }
            let lane = &mut inbox.lanes[reactor];
            let limit = lane.refresh().expect("no damage");
            match lane.peek(limit).expect("no damage") {
                None => inbox.marks.clear(reactor),
                Some(record) => {
                    self.handle(reactor, &record);
                    taken = true;
                }
            }
        }
        taken
    }

    fn handle(&mut self, reactor: usize, record: &Record) {
        assert_eq!(record.header.kind, Kind::Receive);
        let number = load::number_of(record);
        let seat = self.segment.seat(self.id, seat_of(self.generation));
        let held = Held {
            lane: reactor,
            kind: Kind::Receive,
            position: record.position,
            session: u64::from(number),
            since_ns: monotonic_ns(),
        };
        seat.in_hand.set(&held);
        let lane = &mut self.inbox.as_mut().expect("it owns the inbox").lanes[reactor];
        let pool = self.segment.reactor_pool(reactor);
        let payload = load::payload(lane, record, pool, load::small(self.id.index()));
        load::copy_and_check(&payload, load::message_key(self.story.seed, reactor, self.id.index()), number);
        step(Step::BytesCopied);
        lane.pass(record);
        lane.release();
        payload.free();
        // The callback.
        let message = Message { reactor, worker: self.id.index(), number };
        self.ledger.note(What::Delivered, message, self.generation);
        self.echo(reactor, number);
        if self.story.broadcasts && number.is_multiple_of(3) {
            self.broadcast(reactor, number);
        }
        if let Some(giver) = &mut self.giver {
            let lanes = &mut self.inbox.as_mut().expect("it owns the inbox").lanes;
            assert!(lanes.iter_mut().all(is_empty), "a message waits behind another in worker {}", self.id.index());
            let claimed = Idle::Claimed { reactor: load::small(reactor), position: held.position };
            giver.let_go(&self.segment.slot(self.id).idle, claimed);
        }
        seat.in_hand.clear();
    }

    fn echo(&mut self, reactor: usize, number: u32) {
        let bytes = load::bytes(load::echo_key(self.story.seed, reactor, self.id.index()), number);
        let outlet = &mut self.outlets[reactor];
        if !outlet.post(&mut self.pool, Kind::Send, number, &bytes) {
            self.wait_for_room(reactor, number, &bytes);
        }
        self.outlets[reactor].wake();
    }

    /// Sends the same bytes to all reactors that have room. Where there is no block it does without.
    fn broadcast(&mut self, source: usize, number: u32) {
        let bytes = load::broadcast_bytes(self.story.seed, self.id.index(), source, number);
        let block = if number.is_multiple_of(4) { None } else { self.pool.take_block(bytes.len(), monotonic_ns()) };
        let Some(filling) = block.or_else(|| self.pool.take_spill(bytes.len() as u64)) else { return };
        filling.fill(&bytes).expect("there is space for a spill range");
        let header = Header {
            kind: Kind::Broadcast,
            location: filling.location(),
            aux: load::small(source),
            session: u64::from(number),
            extra: 0,
        };
        let body = filling.reference(bytes.len()).to_bytes();
        let mut sharing = filling.share(0, (1 << REACTORS) - 1);
        for (reactor, outlet) in self.outlets.iter_mut().enumerate() {
            if let Ok(position) = outlet.lane.position_for(body.len()) {
                sharing.post(reactor, position);
                outlet.lane.write(&header, &[&body]).expect("the room was made sure of");
                outlet.lane.publish();
                outlet.marker.mark();
                outlet.wake();
            }
        }
    }

    /// Waits on the one edge on which a process waits, in an epoll of its own (P6).
    fn wait_for_room(&mut self, reactor: usize, number: u32, bytes: &[u8]) {
        let seat = seat_of(self.generation);
        let outlet = self.segment.outlet_of(self.id, seat);
        let mut sleeper = Sleeper::attach(self.segment.outward_state(outlet, reactor).room());
        let epoll = Epoll::new().expect("an epoll");
        epoll.add(self.segment.seat_bell(self.id, seat).as_fd(), 0, Interest::ReadEdge).expect("can watch a bell");
        loop {
            // A full lane is one that the reactor was woken for.
            self.outlets[reactor].wake();
            sleeper.announce();
            fence_after_announcing();
            let posted = self.outlets[reactor].post(&mut self.pool, Kind::Send, number, bytes);
            if !posted {
                wait(&epoll, &mut self.events);
            }
            sleeper.awake();
            if posted {
                return;
            }
        }
    }
}

fn is_empty(lane: &mut Consumer) -> bool {
    let limit = lane.refresh().expect("no damage");
    lane.peek(limit).expect("no damage").is_none()
}

/// Waits without a limit: a wake-up that is lost hangs the test.
pub fn wait(epoll: &Epoll, events: &mut Events) {
    match epoll.wait(events, None) {
        Ok(()) => {}
        // Stopped and continued.
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(error) => panic!("cannot wait: {error}"),
    }
}
