//! The manager: starts, reaps, recovers, offers; kills and stops where the story wants it; counts in the end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rotor_ipc::WorkerId;
use rotor_ipc::inbox::Marker;
use rotor_ipc::lane::Producer;
use rotor_ipc::layout::{Plan, Shape};
use rotor_ipc::record::{Header, Kind, NO_HEAD, Where};
use rotor_ipc::recovery::{is_seat_clear, recover, wake_all};
use rotor_ipc::segment::Segment;
use rotor_ipc::workers::{Generation, Owner, SeatState, seat_of};
use rotor_sys::process::{self, Exit};

use crate::ledger::{Ledger, Message, What};
use crate::load::{self, Numbers, REACTORS, SLOTS, WORKERS};
use crate::reactor::Reactor;
use crate::stories::{Story, child};
use crate::worker::Worker;

/// The phase in which the reactors end.
pub const PHASE_OVER: u32 = 1;

/// A story that takes longer hangs.
/// A step that is passed seldom was not passed often enough: the story tells nothing, and is told again.
pub const NOBODY_DIED: &str = "nobody has died: the story tells nothing";
const LIMIT: Duration = Duration::from_secs(300);

struct Manager {
    segment: &'static Segment,
    ledger: Ledger,
    story: Story,
    numbers: Numbers,
    reactors: Vec<i32>,
    slots: Vec<Slot>,
    lanes: Vec<(Producer, Marker)>,
    /// What was in a dead hand, and whose.
    lost: BTreeMap<Message, Generation>,
    deaths: usize,
}

/// The living processes of a slot, by seat.
#[derive(Clone, Copy, Debug)]
struct Slot {
    id: WorkerId,
    living: [Option<Process>; 2],
    last: Generation,
}

#[derive(Clone, Copy, Debug)]
struct Process {
    pid: i32,
    generation: Generation,
}

/// Tells a story to its end and counts.
pub fn run(story: Story) -> Result<(), String> {
    let shape = Shape { reactors: REACTORS, workers: SLOTS, processes: 0, ports: 1, sessions: 64, budget: 10 << 20 };
    let plan = Plan::new(shape).map_err(|error| error.arithmetic)?;
    let segment = Segment::create(plan, &std::env::temp_dir()).map_err(|error| format!("{error:?}"))?;
    let ledger = Ledger::new(story.all_of_a_reactor());
    let reactors = (0..REACTORS).map(|number| child(|| Reactor::new(segment, ledger, story, number).live())).collect();
    let outlet = segment.manager_outlet();
    let mut manager = Manager {
        segment,
        ledger,
        story,
        numbers: Numbers::new(story.seed ^ 0xffff),
        reactors,
        slots: segment.worker_ids().take(WORKERS).map(|id| Slot { id, living: [None; 2], last: 1 }).collect(),
        lanes: (0..REACTORS)
            .map(|reactor| (segment.outward_producer(outlet, reactor), segment.reactor_marker(reactor, outlet)))
            .collect(),
        lost: BTreeMap::new(),
        deaths: 0,
    };
    manager.serve()?;
    manager.end()?;
    manager.count()
}

impl Manager {
    fn serve(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        while !(0..WORKERS).all(|index| self.is_done(index)) {
            while let Some(exit) = process::reap_any().map_err(|error| error.to_string())? {
                self.reaped(exit)?;
            }
            for index in 0..WORKERS {
                self.care_for(index);
            }
            self.disturb();
            if begun.elapsed() > LIMIT {
                return Err(format!("it hangs: {}", self.picture()));
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    }

    fn is_drained(&self, index: usize) -> bool {
        (0..REACTORS).all(|reactor| self.segment.inward_state(reactor, self.slots[index].id).is_drained())
    }

    fn is_done(&self, index: usize) -> bool {
        self.is_drained(index) && self.slots[index].living.iter().all(Option::is_none)
    }

    fn reaped(&mut self, exit: Exit) -> Result<(), String> {
        let found = self.slots.iter().enumerate().find_map(|(index, slot)| {
            slot.living.iter().flatten().find(|process| process.pid == exit.pid).map(|process| (index, *process))
        });
        let Some((index, process)) = found else { return Err(format!("a reactor has ended early: {exit:?}")) };
        let was_killed = exit.signal == libc::SIGKILL && self.story.is_deadly();
        if !exit.is_clean() && !was_killed {
            return Err(format!("worker {index} has failed: {exit:?}"));
        }
        self.deaths += usize::from(was_killed);
        self.recover(index, process, was_killed)
    }

    fn recover(&mut self, index: usize, process: Process, was_killed: bool) -> Result<(), String> {
        let id = self.slots[index].id;
        let seat = seat_of(process.generation);
        let recovered = recover(self.segment, id, process.generation);
        if let Some(held) = recovered.held {
            if !was_killed {
                return Err(format!("worker {index} has ended with {held:?} in hand"));
            }
            let number = u32::try_from(held.session).map_err(|error| error.to_string())?;
            self.lost.insert(Message { reactor: held.lane, worker: index, number }, process.generation);
        }
        self.segment.seat(id, seat).end();
        self.slots[index].living[seat] = None;
        for (reactor, (lane, marker)) in self.lanes.iter_mut().enumerate() {
            let header = Header {
                kind: Kind::WorkerDied,
                location: Where::Inline,
                aux: load::small(self.segment.outlet_of(id, seat)),
                session: recovered.held.map_or(0, |held| held.session),
                extra: recovered.heads.get(reactor).copied().unwrap_or(NO_HEAD),
            };
            lane.write(&header, &[]).map_err(|error| format!("{error:?}"))?;
            lane.publish();
            marker.mark();
        }
        wake_all(self.segment);
        let successor = self.slots[index].living[1 - seat].filter(|other| other.generation > process.generation);
        if recovered.owned
            && let Some(successor) = successor
        {
            self.appoint(index, successor.generation);
        }
        Ok(())
    }

    /// Gives the inbox to a process that may sleep.
    fn appoint(&self, index: usize, generation: Generation) {
        let id = self.slots[index].id;
        self.segment.slot(id).appoint(generation);
        self.segment.seat_bell(id, seat_of(generation)).write();
    }

    /// Starts and offers what the slot needs.
    fn care_for(&mut self, index: usize) {
        let (slot, entry) = (self.slots[index], self.segment.slot(self.slots[index].id));
        let owner = entry.owner();
        let living = |generation: Generation| {
            slot.living[seat_of(generation)].filter(|process| process.generation == generation)
        };
        let Some(old) = living(owner.current()) else {
            if !self.is_drained(index)
                && let Some(generation) = self.free_seat(index)
            {
                entry.appoint(generation);
                self.start(index, generation);
            }
            return;
        };
        if !self.story.handovers || owner != Owner::Owned(old.generation) {
            return;
        }
        match slot.living[1 - seat_of(old.generation)] {
            None => {
                if self.numbers.one_in(3)
                    && let Some(generation) = self.free_seat(index)
                {
                    self.start(index, generation);
                }
            }
            Some(new) if new.generation > old.generation => {
                let seat = self.segment.seat(slot.id, seat_of(new.generation));
                if seat.state() == SeatState::Ready && entry.offer(old.generation, new.generation) {
                    self.segment.seat_bell(slot.id, seat_of(old.generation)).write();
                }
            }
            // It has handed over and is about to end.
            Some(_) => {}
        }
    }

    /// The generation of a process that may start now.
    fn free_seat(&mut self, index: usize) -> Option<Generation> {
        let slot = self.slots[index];
        let is_free = |generation: &Generation| {
            let seat = seat_of(*generation);
            slot.living[seat].is_none() && is_seat_clear(self.segment, slot.id, seat)
        };
        let first = if self.numbers.one_in(2) { 1 } else { 2 };
        [slot.last + first, slot.last + 3 - first].into_iter().find(is_free)
    }

    fn start(&mut self, index: usize, generation: Generation) {
        let (id, seat) = (self.slots[index].id, seat_of(generation));
        let entry = self.segment.seat(id, seat);
        entry.begin(generation, 0);
        let passages = 1 + u32::try_from(self.numbers.below(self.story.passages())).unwrap_or(0);
        let (segment, ledger, story) = (self.segment, self.ledger, self.story);
        let pid = child(|| Worker::new(segment, ledger, story, id, generation, passages).live());
        entry.set_pid(pid);
        self.slots[index].living[seat] = Some(Process { pid, generation });
        self.slots[index].last = generation;
    }

    fn disturb(&mut self) {
        let workers: Vec<i32> =
            self.slots.iter().flat_map(|slot| slot.living).flatten().map(|process| process.pid).collect();
        let all: Vec<i32> = workers.iter().chain(&self.reactors).copied().collect();
        if self.story.kills && self.numbers.one_in(12) && !workers.is_empty() {
            signal(workers[self.numbers.below(workers.len())], libc::SIGKILL);
        }
        let stops = self.story.stops || self.story.fate.is_some_and(|(_, signal)| signal == libc::SIGSTOP);
        if stops && self.numbers.one_in(4) {
            all.iter().for_each(|pid| signal(*pid, libc::SIGCONT));
        }
        if self.story.stops && self.numbers.one_in(2) {
            signal(all[self.numbers.below(all.len())], libc::SIGSTOP);
        }
    }

    /// All workers have ended: the reactors do.
    fn end(&mut self) -> Result<(), String> {
        self.segment.header().phase.store(PHASE_OVER, std::sync::atomic::Ordering::Release);
        wake_all(self.segment);
        let begun = Instant::now();
        while !self.reactors.is_empty() {
            self.reactors.iter().for_each(|pid| signal(*pid, libc::SIGCONT));
            if let Some(exit) = process::reap_any().map_err(|error| error.to_string())? {
                if !exit.is_clean() {
                    return Err(format!("a reactor has failed: {exit:?}"));
                }
                self.reactors.retain(|pid| *pid != exit.pid);
            }
            if begun.elapsed() > LIMIT {
                return Err("a reactor does not end".to_owned());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    }

    fn count(&self) -> Result<(), String> {
        if self.story.is_deadly() && self.deaths == 0 {
            return Err(NOBODY_DIED.to_owned());
        }
        if self.lost.len() > self.deaths {
            return Err(format!("{} deaths have lost {:?}", self.deaths, self.lost));
        }
        let posted = self.ledger.all().count();
        if posted != REACTORS * self.story.all_of_a_reactor() as usize {
            return Err(format!("{posted} messages were posted"));
        }
        for message in self.ledger.all() {
            let delivered = self.ledger.noted(What::Delivered, message);
            let echoed = self.ledger.noted(What::Echoed, message);
            let held = self.lost.get(&message).copied();
            // One process alone has it, and what was not in a dead hand is answered.
            let is_right = delivered.is_none_or(|by| held.is_none_or(|held| by == held))
                && echoed.is_none_or(|_| delivered.is_some())
                && (held.is_some() || delivered.is_some() && echoed.is_some());
            if !is_right {
                return Err(format!(
                    "{message:?}: delivered to {delivered:?}, echoed by {echoed:?}, held by the dead {held:?}"
                ));
            }
        }
        let pools = (0..REACTORS).map(|reactor| self.segment.reactor_pool(reactor));
        let outlets = (0..=self.segment.manager_outlet()).map(|outlet| self.segment.outlet_pool(outlet));
        let in_use: usize = pools.chain(outlets).map(|pool| pool.in_use()).sum();
        if in_use > 0 {
            return Err(format!("{in_use} blocks or ranges are left in use"));
        }
        Ok(())
    }

    /// What there is to see when it hangs.
    fn picture(&self) -> String {
        let lanes: Vec<String> = self
            .slots
            .iter()
            .flat_map(|slot| (0..REACTORS).map(move |reactor| (slot, reactor)))
            .map(|(slot, reactor)| {
                let state = self.segment.inward_state(reactor, slot.id);
                format!("{reactor}->{}: {} of {} taken", slot.id, state.taken(), state.published())
            })
            .collect();
        let owners: Vec<Owner> = self.slots.iter().map(|slot| self.segment.slot(slot.id).owner()).collect();
        format!("{lanes:?} {owners:?} {:?}", self.slots)
    }
}

fn signal(pid: i32, signal: i32) {
    // It may have ended, and is reaped in time.
    let _ = process::kill(pid, signal);
}
