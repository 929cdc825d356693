//! The reactor's inbox: the lanes from both seats of every slot, and from the manager.

use std::collections::VecDeque;
use std::time::Duration;

use rotor_ipc::inbox::Marks;
use rotor_ipc::lane::{self, Record};
use rotor_ipc::payload::{Payload, PoolView, Reference};
use rotor_ipc::record::{CLOSES_IN_HAND, Kind, NO_HEAD, RESET, Where};
use rotor_ipc::ring::Broken;
use rotor_ipc::seats::SeatLanes;
use rotor_ipc::segment::Segment;
use rotor_ipc::wake::{Waker, fence_after_publishing};
use rotor_ipc::workers::SeatEntry;
use rotor_ipc::{SessionId, WorkerId};
use rotor_sys::clock::monotonic_ns;

use super::broadcast::{ALLOWANCE, Ongoing};
use super::connection::{Posted, Why};
use super::early::Early;
use super::files::file_of_record;
use super::{Reactor, add};
use crate::datagram;
use crate::disk::discard;
use crate::outlets::consumer;

/// The taking side of all lanes towards one reactor.
pub(super) struct Inbox {
    slots: Vec<Slot>,
    manager: lane::Consumer,
    manager_pool: PoolView,
    marks: Marks,
    reactor: usize,
    /// The broadcast at the head of the manager's lane.
    ongoing: Option<Ongoing>,
    /// How far connections which are about to end still wait for the manager's lane to be taken.
    owed: Option<u64>,
    /// Where a round over the slots begins: broadcasts of one must not use up all turns.
    first: usize,
    /// What the manager has told of, until all was taken that came before.
    deaths: VecDeque<Death>,
}

struct Slot {
    lanes: SeatLanes,
    seats: [Seat; 2],
    /// How far the round goes that a broadcast has interrupted.
    round: Option<[(usize, u64); 2]>,
    /// The last round was interrupted: what has come since it began is still to be taken.
    is_late: bool,
    /// Whole rounds that connections which are about to end still wait for.
    owed: u8,
}

struct Seat {
    entry: &'static SeatEntry,
    pool: PoolView,
    /// Wakes its process when that waits for room in the lane.
    room: Waker,
    /// When the last record was taken (monotonic ns).
    taken_ns: u64,
    is_touched: bool,
    /// The broadcast at the head of the lane.
    ongoing: Option<Ongoing>,
}

/// A death that the manager has told of.
struct Death {
    worker: WorkerId,
    seat: usize,
    generation: u32,
    session: SessionId,
    /// Whether the connection in hand is closed whatever the settings say.
    closes: bool,
    head: u64,
    /// Rounds over the slot's lanes that have to come first: what the dead had posted, behind what the elder seat has (P5).
    rounds: u32,
}

impl Inbox {
    pub(super) fn new(segment: &'static Segment, reactor: usize) -> Self {
        let slots = segment
            .slot_ids()
            .map(|worker| {
                let seats = [0, 1].map(|seat| Seat {
                    entry: segment.seat(worker, seat),
                    pool: segment.outlet_pool(segment.outlet_of(worker, seat)),
                    room: segment.room_waker(worker, seat, reactor),
                    taken_ns: 0,
                    is_touched: false,
                    ongoing: None,
                });
                let lanes = [0, 1].map(|seat| segment.outward_consumer(segment.outlet_of(worker, seat), reactor));
                Slot {
                    lanes: SeatLanes::new(lanes, [seats[0].entry, seats[1].entry]),
                    seats,
                    round: None,
                    is_late: false,
                    owed: 0,
                }
            })
            .collect();
        Self {
            slots,
            manager: segment.outward_consumer(segment.manager_outlet(), reactor),
            manager_pool: segment.outlet_pool(segment.manager_outlet()),
            marks: segment.reactor_marks(reactor),
            reactor,
            ongoing: None,
            owed: None,
            first: 0,
            deaths: VecDeque::new(),
        }
    }

    /// Whether any lane has something; to be asked after announcing a sleep, before it.
    pub(super) fn has_something(&mut self) -> Result<bool, Broken> {
        self.marks.look();
        for slot in 0..self.slots.len() {
            if self.is_pending(slot) {
                for (seat, limit) in self.slots[slot].lanes.limits()? {
                    if self.slots[slot].lanes.lane(seat).peek(limit)?.is_some() {
                        return Ok(true);
                    }
                }
            }
        }
        let limit = self.manager.refresh()?;
        Ok(self.manager.peek(limit)?.is_some())
    }

    /// How long a sleep may be because of processes that are awake and have posted within `linger_ns`: they may
    /// post without waking (P9). `None`: as long as it likes. To be asked after announcing.
    pub(super) fn linger(&self, now_ns: u64, linger_ns: u64) -> Option<Duration> {
        let seats = self.slots.iter().flat_map(|slot| &slot.seats);
        seats
            .filter(|seat| now_ns.saturating_sub(seat.taken_ns) < linger_ns && !seat.entry.sleep.is_asleep())
            .map(|seat| Duration::from_nanos(linger_ns - now_ns.saturating_sub(seat.taken_ns)))
            .max()
    }

    /// Whether broadcasts have kept something from being taken that was seen.
    pub(super) fn is_behind(&self) -> bool {
        !self.deaths.is_empty()
            || self.ongoing.is_some()
            || self.slots.iter().any(|slot| slot.round.is_some() || slot.is_late)
    }

    /// From here on it notes when all was taken that is there now.
    pub(super) fn begin_to_owe(&mut self) -> Result<(), Broken> {
        for slot in &mut self.slots {
            // A round that has begun does not take what has come since.
            slot.owed = 1 + u8::from(slot.round.is_some());
        }
        self.owed = Some(self.manager.refresh()?);
        Ok(())
    }

    /// Whether all was taken that was there at [`Self::begin_to_owe`].
    pub(super) fn owes_nothing(&self) -> bool {
        self.owed.is_none_or(|limit| self.manager.has_taken(limit)) && self.slots.iter().all(|slot| slot.owed == 0)
    }

    fn is_pending(&self, slot: usize) -> bool {
        self.marks.is_pending(2 * slot) || self.marks.is_pending(2 * slot + 1)
    }
}

impl Reactor {
    /// Takes everything that is in the inbox, as far as broadcasts may go on in this turn.
    pub(super) fn take_inbox(&mut self) -> Result<(), Broken> {
        self.allowance = ALLOWANCE;
        self.inbox.marks.look();
        let (first, mut interrupted) = (self.inbox.first, None);
        for slot in (first..self.inbox.slots.len()).chain(0..first) {
            if self.inbox.is_pending(slot) {
                self.inbox.marks.clear(2 * slot);
                self.inbox.marks.clear(2 * slot + 1);
                if !self.take_slot(slot)? {
                    interrupted.get_or_insert(slot);
                }
            } else {
                self.inbox.slots[slot].owed = 0;
            }
        }
        if let Some(slot) = interrupted {
            self.inbox.first = (slot + 1) % self.inbox.slots.len();
        }
        self.take_manager()
    }

    /// One round over both seats of a slot (P5), or the rest of one. Says whether it has come to its end: a broadcast that
    /// has many receivers interrupts it.
    fn take_slot(&mut self, slot: usize) -> Result<bool, Broken> {
        let mut any = [false; 2];
        let begun = self.inbox.slots[slot].round.take();
        let limits = match begun {
            Some(limits) => limits,
            None => self.inbox.slots[slot].lanes.limits()?,
        };
        'round: for (seat, limit) in limits {
            while let Some(record) = self.inbox.slots[slot].lanes.lane(seat).peek(limit)? {
                let pool = self.inbox.slots[slot].seats[seat].pool;
                let reactor = self.inbox.reactor;
                let Slot { lanes, seats, .. } = &mut self.inbox.slots[slot];
                let lane = lanes.lane(seat);
                if record.header.kind == Kind::SendTo {
                    let (to, payload) = datagram::of_record(lane, &record, &pool, consumer(reactor))?;
                    self.on_send_to(record.header.aux, to, payload);
                } else if record.header.kind == Kind::SendFile {
                    let file = file_of_record(lane, &record)?;
                    // The number of the seat among the producers.
                    self.on_file_record(SessionId(record.header.session), 2 * slot + seat, &file)?;
                } else if record.header.kind == Kind::Broadcast {
                    let ongoing = match seats[seat].ongoing.take() {
                        Some(ongoing) => ongoing,
                        None => {
                            let (mut ongoing, on_disk) = Ongoing::of_record(lane, &record, pool, reactor)?;
                            self.begin_broadcast(&mut ongoing, on_disk);
                            ongoing
                        }
                    };
                    if let Some(ongoing) = self.go_on_with_broadcast(ongoing)? {
                        self.inbox.slots[slot].seats[seat].ongoing = Some(ongoing);
                        self.inbox.slots[slot].round = Some(limits);
                        self.inbox.marks.keep(2 * slot);
                        break 'round;
                    }
                } else {
                    let payload = payload_of(reactor, &pool, lane, &record)?;
                    self.on_record(&record, payload, pool)?;
                }
                self.inbox.slots[slot].lanes.lane(seat).pass(&record);
                self.inbox.slots[slot].seats[seat].is_touched = true;
                any[seat] = true;
            }
        }
        if any != [false; 2] {
            // Read after the take: its process may put wake-ups off for some time from the publish of what was
            // just taken, which may lie long behind the begin of this turn (P9).
            let taken_ns = monotonic_ns();
            for (seat, _) in self.inbox.slots[slot].seats.iter_mut().zip(any).filter(|(_, any)| *any) {
                seat.taken_ns = taken_ns;
            }
        }
        let is_whole = self.inbox.slots[slot].round.is_none();
        if is_whole {
            self.inbox.slots[slot].is_late = begun.is_some();
            if begun.is_some() {
                // What has come since it began lies beyond its limits, and the bits of that were fetched meanwhile.
                self.inbox.marks.keep(2 * slot);
            }
            let owed = &mut self.inbox.slots[slot].owed;
            *owed = owed.saturating_sub(1);
            let of_slot = self.inbox.deaths.iter_mut().filter(|death| death.worker.index() == slot);
            of_slot.for_each(|death| death.rounds = death.rounds.saturating_sub(1));
        }
        Ok(is_whole)
    }

    fn take_manager(&mut self) -> Result<(), Broken> {
        // Workers that always have more broadcasts than a turn allows must not hold up what it tells of deaths.
        self.allowance = self.allowance.max(ALLOWANCE / 4);
        let limit = self.inbox.manager.refresh()?;
        while let Some(record) = self.inbox.manager.peek(limit)? {
            if record.header.kind == Kind::WorkerDied {
                let death = self.parse_death(&record)?;
                self.inbox.deaths.push_back(death);
            } else {
                let pool = self.inbox.manager_pool;
                if record.header.kind == Kind::Broadcast {
                    let ongoing = match self.inbox.ongoing.take() {
                        Some(ongoing) => ongoing,
                        None => {
                            let (lane, reactor) = (&self.inbox.manager, self.inbox.reactor);
                            let (mut ongoing, on_disk) = Ongoing::of_record(lane, &record, pool, reactor)?;
                            self.begin_broadcast(&mut ongoing, on_disk);
                            ongoing
                        }
                    };
                    self.inbox.ongoing = self.go_on_with_broadcast(ongoing)?;
                    if self.inbox.ongoing.is_some() {
                        break;
                    }
                    self.inbox.manager.pass(&record);
                    continue;
                }
                if record.header.kind == Kind::SendTo {
                    let consumer = consumer(self.inbox.reactor);
                    let (to, payload) = datagram::of_record(&self.inbox.manager, &record, &pool, consumer)?;
                    self.on_send_to(record.header.aux, to, payload);
                    self.inbox.manager.pass(&record);
                    continue;
                }
                if record.header.kind == Kind::SendFile {
                    let file = file_of_record(&self.inbox.manager, &record)?;
                    let outlet = self.segment.manager_outlet();
                    self.on_file_record(SessionId(record.header.session), outlet, &file)?;
                    self.inbox.manager.pass(&record);
                    continue;
                }
                let payload = payload_of(self.inbox.reactor, &pool, &self.inbox.manager, &record)?;
                self.on_record(&record, payload, pool)?;
            }
            self.inbox.manager.pass(&record);
        }
        for _ in 0..self.inbox.deaths.len() {
            let Some(slot) = self.inbox.deaths.front().map(|death| death.worker.index()) else { break };
            // One that a broadcast had interrupted began before the death was found: another has to follow.
            let mut is_going_on = true;
            while is_going_on && self.inbox.deaths.front().is_some_and(|death| death.rounds > 0) {
                is_going_on = self.take_slot(slot)?;
            }
            let Some(death) = self.inbox.deaths.pop_front() else { break };
            if death.rounds == 0 {
                self.on_death(&death)?;
            } else {
                self.inbox.deaths.push_back(death);
            }
        }
        Ok(())
    }

    fn parse_death(&self, record: &Record) -> Result<Death, Broken> {
        let outlet = usize::from(record.header.aux);
        let worker = self.segment.slot_ids().nth(outlet / 2);
        let worker = worker.ok_or(Broken { what: "a dead worker has number", found: outlet as u64 })?;
        let word = self.inbox.manager.word(record, 0);
        let generation = word.and_then(|word| u32::try_from(word & !CLOSES_IN_HAND).ok());
        let generation = generation.ok_or(Broken { what: "a dead worker's generation is in", found: outlet as u64 })?;
        let closes = self.settings.close_on_worker_error || word.is_some_and(|word| word & CLOSES_IN_HAND != 0);
        let (session, head) = (SessionId(record.header.session), record.header.extra);
        if head != NO_HEAD && !self.segment.has_inbox(worker) {
            return Err(Broken { what: "a user process has taken from an inbox up to", found: head });
        }
        let rounds = 1 + u32::from(self.inbox.slots[worker.index()].round.is_some());
        Ok(Death { worker, seat: outlet % 2, generation, session, closes, head, rounds })
    }

    fn on_record(&mut self, record: &Record, payload: Payload<'static>, pool: PoolView) -> Result<(), Broken> {
        let id = SessionId(record.header.session);
        if matches!(record.header.kind, Kind::Pause | Kind::Resume) {
            return self.on_pause(id, record.header.kind == Kind::Pause);
        }
        let Some(mut connection) = self.take(id) else {
            self.on_record_without_connection(record, &payload, &pool);
            return Ok(());
        };
        match record.header.kind {
            Kind::Send if connection.accepts_output() => {
                self.add_to_batch(&mut connection, payload, pool);
                self.put_back(connection);
                Ok(())
            }
            Kind::Send => {
                discard(&payload, &self.jobs);
                add(&self.counters.dropped, 1);
                self.put_back(connection);
                Ok(())
            }
            Kind::CloseRequest => self.on_close_request(connection, record.header.aux),
            Kind::Closed => match connection.posted {
                Posted::Close(_) => {
                    connection.posted = Posted::Done;
                    self.forget_closing(connection.worker.index(), id);
                    self.settle(connection)
                }
                Posted::Barrier(position) => {
                    self.is_past_barrier(&mut connection, position);
                    self.forget_closing(connection.worker.index(), id);
                    self.settle(connection)
                }
                // Only what was posted can be confirmed.
                Posted::Nothing | Posted::Connect | Posted::Done => {
                    add(&self.counters.dropped, 1);
                    self.put_back(connection);
                    Ok(())
                }
            },
            Kind::Receive
            | Kind::Connect
            | Kind::Close
            | Kind::Barrier
            | Kind::WorkerDied
            | Kind::ProtocolError
            | Kind::BufferFull
            | Kind::BufferEmpty
            | Kind::Pause
            | Kind::Resume
            | Kind::Packet
            | Kind::SendTo
            | Kind::SendFile
            | Kind::Broadcast => {
                self.put_back(connection);
                discard(&payload, &self.jobs);
                self.log
                    .limited()
                    .error(|| format!("unexpected record kind={:?} session={id}, dropped", record.header.kind));
                add(&self.counters.dropped, 1);
                Ok(())
            }
        }
    }

    fn on_record_without_connection(&mut self, record: &Record, payload: &Payload<'static>, pool: &PoolView) {
        let id = SessionId(record.header.session);
        let is_early = Early::is_for(&self.sessions, id);
        match record.header.kind {
            Kind::Send if is_early => self.early.send(id, payload, pool, &self.jobs),
            Kind::CloseRequest if is_early => self.early.close(id, record.header.aux & RESET != 0),
            Kind::Send => {
                discard(payload, &self.jobs);
                add(&self.counters.dropped, 1);
            }
            Kind::CloseRequest
            | Kind::Closed
            | Kind::Receive
            | Kind::Connect
            | Kind::Close
            | Kind::Barrier
            | Kind::WorkerDied
            | Kind::ProtocolError
            | Kind::BufferFull
            | Kind::BufferEmpty
            | Kind::Pause
            | Kind::Resume
            | Kind::Packet
            | Kind::SendTo
            | Kind::SendFile
            | Kind::Broadcast => discard(payload, &self.jobs),
        }
    }

    /// A worker's process or a user process is gone and recovered.
    fn on_death(&mut self, death: &Death) -> Result<(), Broken> {
        let slot = death.worker.index();
        if death.head != NO_HEAD {
            // Closes that it had taken and not confirmed died with it.
            while let Some((position, id)) = self.inward[slot].closing.front().copied() {
                if position >= death.head {
                    break;
                }
                self.inward[slot].closing.pop_front();
                if let Some(mut connection) = self.take(id) {
                    match connection.posted {
                        posted if posted.position() != Some(position) || connection.worker != death.worker => {}
                        Posted::Barrier(_) => self.is_past_barrier(&mut connection, position),
                        _ => connection.posted = Posted::Done,
                    }
                    self.settle(connection)?;
                }
            }
        }
        if death.session.0 != 0
            && death.closes
            && let Some(mut connection) = self.take(death.session)
        {
            let _ = self.sessions.set_flag(death.session, rotor_ipc::sessions::Flag::Over);
            connection.end_input(Why::Server);
            self.drop_unread(&mut connection);
            self.settle(connection)?;
        }
        self.forget_descriptors(self.segment.outlet_of(death.worker, death.seat));
        let ack = self.segment.ack(death.worker, death.seat, self.id);
        ack.store(death.generation, rotor_ipc::sync::Ordering::Release);
        self.segment.manager_bell().write();
        Ok(())
    }

    /// Gives the room of all that was taken back, and wakes the processes that wait for it.
    pub(super) fn release_lanes(&mut self) {
        let mut any = false;
        for slot in &mut self.inbox.slots {
            for seat in 0..2 {
                if slot.lanes.lane(seat).has_unreleased() {
                    slot.lanes.lane(seat).release();
                    any = true;
                }
            }
        }
        if self.inbox.manager.has_unreleased() {
            self.inbox.manager.release();
        }
        if any {
            fence_after_publishing();
            for slot in &mut self.inbox.slots {
                for seat in &mut slot.seats {
                    if std::mem::take(&mut seat.is_touched) {
                        seat.room.wake();
                    }
                }
            }
        }
    }

    /// A close was confirmed: drops it, and what was confirmed before it, from the list of those that are not.
    fn forget_closing(&mut self, slot: usize, confirmed: SessionId) {
        while let Some((position, id)) = self.inward[slot].closing.front().copied() {
            let is_waited_for = |posted: Posted| posted.position() == Some(position);
            let waits = id != confirmed && self.connections.get(id).is_some_and(|other| is_waited_for(other.posted));
            if waits {
                return;
            }
            self.inward[slot].closing.pop_front();
        }
    }
}

/// The bytes that a record carries, in the lane or elsewhere.
fn payload_of(
    reactor: usize,
    pool: &PoolView,
    lane: &lane::Consumer,
    record: &Record,
) -> Result<Payload<'static>, Broken> {
    if record.header.location == Where::Inline {
        return Ok(Payload::Inline(lane.bytes(record)));
    }
    let (Some(index), Some(len)) = (lane.word(record, 0), lane.word(record, 1)) else {
        return Err(Broken { what: "a reference has length", found: record.body as u64 });
    };
    pool.payload(&record.header, Reference { index, len }, consumer(reactor), record.position)
}
