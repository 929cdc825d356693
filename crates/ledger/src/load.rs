//! The event loop of one thread: opens its connections, keeps them busy, and enters into the ledger what comes back.
//!
//! Everything is edge-triggered; a connection that has more to do than one turn allows is served again after the
//! others. Time comes from one clock per run, read once in a turn.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};
use rustls::ClientConfig;

use crate::args::{Ending, Extent, Mode, Plan};
use crate::clock::{Shared, Window, nanos};
use crate::connection::{Buffers, Connection, End, Phase, Turn};
use crate::counts::{Counts, Ended};
use crate::measure::Measure;
use crate::message::Recipe;
use crate::socket::Socket;
use crate::ticker::Ticker;
use crate::wire::{Wire, client_config};

/// What one thread hands in.
#[derive(Debug)]
pub struct Outcome {
    /// Its part of the ledger.
    pub counts: Counts,
    /// Its latencies.
    pub measure: Measure,
    /// Idle connections that were open when the load ended.
    pub idle_held: u64,
}

/// A thread of the load.
#[derive(Debug)]
pub struct Load<'a> {
    plan: &'a Plan,
    recipe: &'a Recipe,
    shared: &'a Shared,
    poll: Poll,
    tls: Option<Arc<ClientConfig>>,
    /// First those that carry requests, then the idle ones.
    slots: Vec<Slot>,
    busy: usize,
    buffers: Buffers,
    counts: Counts,
    measure: Measure,
    window: Window,
    is_running: bool,
    /// Requests issued and neither answered nor given up.
    open: u64,
    /// Requests that are still to be issued, when a number of messages ends the run.
    left: u64,
    connecting: usize,
    /// Slots to connect at a time, soonest first.
    retries: BinaryHeap<Reverse<(u64, usize)>>,
    /// Slots with more to do than a turn allowed.
    again: Vec<usize>,
    ticker: Option<Ticker>,
    progress_ns: u64,
    published: u64,
}

/// A place for a connection, across reconnects.
#[derive(Debug)]
struct Slot {
    connection: Option<Connection>,
    is_idle: bool,
    /// Requests that it has still to issue.
    allotment: u64,
    /// Due times of requests that were issued on a connection that ended before they were written.
    carried: Vec<u64>,
    was_connected: bool,
    is_dead: bool,
}

/// What an event calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Nothing is to be read.
    Write,
    /// To read until the socket is drained, and to write.
    Read,
    /// The same, and the end may be waiting behind the last byte.
    ReadToEnd,
}

impl<'a> Load<'a> {
    /// Thread `index` of the run, with its share of everything.
    pub fn new(plan: &'a Plan, recipe: &'a Recipe, shared: &'a Shared, index: usize) -> io::Result<Self> {
        let poll = Poll::new()?;
        let share = |total: usize| total / plan.threads + usize::from(index < total % plan.threads);
        let (busy, idle) = match plan.mode {
            Mode::Idle => (0, share(plan.connections) + share(plan.hold_idle)),
            _ => (share(plan.connections), share(plan.hold_idle)),
        };
        let first = index * (plan.connections / plan.threads) + index.min(plan.connections % plan.threads);
        let allotment = |place: usize| match plan.extent {
            Extent::Messages(total) => {
                let (connections, place) = (plan.connections as u64, (first + place) as u64);
                total / connections + u64::from(place < total % connections)
            }
            Extent::Time(_) => u64::MAX,
        };
        let slot = |is_idle, allotment| Slot {
            connection: None,
            is_idle,
            allotment,
            carried: Vec::new(),
            was_connected: false,
            is_dead: false,
        };
        let mut slots: Vec<Slot> = (0..busy).map(|place| slot(false, allotment(place))).collect();
        slots.extend((0..idle).map(|_| slot(true, 0)));
        let left = match plan.extent {
            Extent::Messages(_) => slots.iter().map(|slot| slot.allotment).sum(),
            Extent::Time(_) => u64::MAX,
        };
        let ticker = match plan.mode {
            Mode::Open => Some(Ticker::new(plan, index, poll.registry(), TICK)?),
            _ => None,
        };
        let window = Window { start_ns: u64::MAX, measured_ns: u64::MAX, end_ns: u64::MAX };
        Ok(Self {
            plan,
            recipe,
            shared,
            poll,
            tls: plan.is_tls.then(client_config).transpose().map_err(io::Error::other)?,
            slots,
            busy,
            buffers: Buffers::default(),
            counts: Counts::default(),
            measure: Measure::new(window, plan.mode == Mode::Open, nanos(plan.late_after)),
            window,
            is_running: false,
            open: 0,
            left,
            connecting: 0,
            retries: BinaryHeap::new(),
            again: Vec::new(),
            ticker,
            progress_ns: 0,
            published: 0,
        })
    }

    /// Connects; meets the others; runs; meets the others twice, while the server is measured; says what came of it.
    /// Keeps the appointments whatever happens, since the others wait there.
    pub fn run(mut self) -> io::Result<Outcome> {
        let mut result = self.connect_all();
        self.shared.stage.wait();
        self.shared.stage.wait();
        self.window = self.shared.window(self.plan);
        self.measure = Measure::new(self.window, self.plan.mode == Mode::Open, nanos(self.plan.late_after));
        if result.is_ok() {
            result = self.load();
        }
        self.shared.over.fetch_add(1, Relaxed);
        self.shared.stage.wait();
        self.shared.stage.wait();
        if result.is_ok() {
            result = self.listen_for_surplus();
        }
        let is_held =
            |slot: &&Slot| slot.is_idle && slot.connection.as_ref().is_some_and(|held| held.phase == Phase::Open);
        let idle_held = self.slots.iter().filter(is_held).count() as u64;
        self.settle();
        result.map(|()| Outcome { counts: self.counts, measure: self.measure, idle_held })
    }

    fn connect_all(&mut self) -> io::Result<()> {
        let is_wanted = |slot: &Slot| slot.is_idle || self.plan.mode != Mode::Churn;
        let mut wanted: Vec<usize> = (0..self.slots.len()).filter(|&index| is_wanted(&self.slots[index])).collect();
        wanted.reverse();
        let mut events = Events::with_capacity(EVENTS);
        self.progress_ns = self.shared.now_ns();
        while !wanted.is_empty() || self.connecting > 0 || !self.retries.is_empty() {
            while self.connecting < self.plan.connect_window {
                let Some(index) = wanted.pop() else { break };
                self.connect(index)?;
            }
            self.turn(&mut events)?;
            if self.is_stalled() {
                self.counts.note(|| "not all connections were made in time".into());
                break;
            }
        }
        Ok(())
    }

    fn load(&mut self) -> io::Result<()> {
        self.is_running = true;
        self.progress_ns = self.shared.now_ns();
        for index in 0..self.busy {
            if self.plan.mode == Mode::Churn {
                self.connect(index)?;
            } else {
                self.serve(index, Look::Write)?;
            }
        }
        let mut events = Events::with_capacity(EVENTS);
        while !self.is_over() {
            self.turn(&mut events)?;
        }
        self.is_running = false;
        Ok(())
    }

    /// A doubled answer to the last request comes when all are answered.
    fn listen_for_surplus(&mut self) -> io::Result<()> {
        let end_ns = self.shared.now_ns() + nanos(SURPLUS);
        let mut events = Events::with_capacity(EVENTS);
        while self.shared.now_ns() < end_ns {
            self.turn(&mut events)?;
        }
        Ok(())
    }

    fn settle(&mut self) {
        for slot in &mut self.slots {
            let Some(connection) = &mut slot.connection else { continue };
            self.counts.unclosed += u64::from(connection.phase == Phase::Finishing);
            connection.finish(self.recipe, &mut self.counts);
            let lost = connection.book.open_and_sent();
            self.counts.lost += lost;
            if lost > 0 {
                let (id, first) = (connection.id, connection.book.front().map_or(0, |front| front.number));
                self.counts.note(|| format!("lost: {lost} requests of connection {id}, the first is {first}"));
            }
        }
        self.counts.late = self.measure.late;
    }

    fn is_stalled(&self) -> bool {
        self.shared.now_ns().saturating_sub(self.progress_ns) > nanos(self.plan.patience)
    }

    fn is_over(&self) -> bool {
        let has_hope = !self.retries.is_empty() || self.slots.iter().any(|slot| slot.connection.is_some());
        if !has_hope {
            return true;
        }
        let is_issued = self.left == 0 || self.shared.now_ns() >= self.window.end_ns;
        // Churn ends with the last connection.
        let is_open =
            || self.plan.mode == Mode::Churn && self.slots[..self.busy].iter().any(|s| s.connection.is_some());
        if is_issued && self.open == 0 && !is_open() {
            return true;
        }
        (is_issued || self.open > 0) && self.plan.mode != Mode::Idle && self.is_stalled()
    }

    fn turn(&mut self, events: &mut Events) -> io::Result<()> {
        let now = self.shared.now_ns();
        self.retry(now)?;
        let mut wait = if self.again.is_empty() { LONGEST_WAIT } else { Duration::ZERO };
        if let Some(Reverse((at, _))) = self.retries.peek() {
            wait = wait.min(Duration::from_nanos(at.saturating_sub(now)));
        }
        if self.is_running {
            wait = wait.min(Duration::from_nanos(self.window.end_ns.saturating_sub(now)).max(SHORTEST_WAIT));
            self.tick(now)?;
        }
        match self.poll.poll(events, Some(wait)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => result?,
        }
        for event in events.iter() {
            if event.token() != TICK {
                let look = match (event.is_read_closed() || event.is_error(), event.is_readable()) {
                    (true, _) => Look::ReadToEnd,
                    (false, true) => Look::Read,
                    (false, false) => Look::Write,
                };
                if look != Look::ReadToEnd && event.is_writable() {
                    self.connected(event.token().0)?;
                }
                self.serve(event.token().0, look)?;
            }
        }
        for index in std::mem::take(&mut self.again) {
            self.serve(index, Look::ReadToEnd)?;
        }
        if self.counts.answered != self.published {
            self.shared.answered.fetch_add(self.counts.answered - self.published, Relaxed);
            self.published = self.counts.answered;
        }
        Ok(())
    }

    /// Issues what is due in an open loop, and sets the timer for what is due next.
    fn tick(&mut self, now: u64) -> io::Result<()> {
        let Some(mut ticker) = self.ticker.take() else { return Ok(()) };
        let mut due = ticker.due(self.window.start_ns);
        while due <= now && due < self.window.end_ns && self.left > 0 {
            let mut places = (0..self.busy).map(|step| (ticker.turn + step) % self.busy);
            let Some(place) = places.find(|&place| !self.slots[place].is_dead) else { break };
            ticker.turn = (place + 1) % self.busy;
            self.issue(place, due);
            self.serve(place, Look::Write)?;
            ticker.next += 1;
            due = ticker.due(self.window.start_ns);
        }
        if due < self.window.end_ns && self.left > 0 {
            ticker.arm(due, self.shared.until(due))?;
        }
        self.ticker = Some(ticker);
        Ok(())
    }

    /// Puts a request into the book of a slot's connection, or aside until it has one.
    fn issue(&mut self, index: usize, due_ns: u64) {
        let slot = &mut self.slots[index];
        match &mut slot.connection {
            Some(connection) if connection.phase == Phase::Open => _ = connection.book.issue(due_ns),
            _ => slot.carried.push(due_ns),
        }
        self.open += 1;
        if self.left != u64::MAX {
            self.left -= 1;
            slot.allotment = slot.allotment.saturating_sub(1);
        }
    }

    fn retry(&mut self, now: u64) -> io::Result<()> {
        while let Some(&Reverse((at, index))) = self.retries.peek() {
            if at > now {
                break;
            }
            self.retries.pop();
            if self.plan.mode == Mode::Churn && index < self.busy {
                self.next_churn(index)?;
            } else {
                self.connect(index)?;
            }
        }
        Ok(())
    }

    fn connect(&mut self, index: usize) -> io::Result<()> {
        let now = self.shared.now_ns();
        let id = self.shared.next_connection();
        let mut socket = match Socket::connect(&self.plan.target, id) {
            Ok(socket) => socket,
            // The backlog of a unix socket is full: nobody is told when it no longer is.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.retries.push(Reverse((now + nanos(RETRY), index)));
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
                return Err(io::Error::new(
                    error.kind(),
                    "no local port is free; fewer connections, --close reset, or more --sources",
                ));
            }
            Err(error) if is_ours(&error) => return Err(error),
            Err(error) => {
                self.refused(index, &error);
                return Ok(());
            }
        };
        self.poll.registry().register(&mut socket, Token(index), Interest::READABLE | Interest::WRITABLE)?;
        let wire = Wire::new(socket, self.tls.as_ref())?;
        self.slots[index].connection = Some(Connection::new(wire, id, now));
        self.connecting += 1;
        Ok(())
    }

    fn refused(&mut self, index: usize, error: &io::Error) {
        self.counts.refused += 1;
        self.counts.note(|| format!("refused: {error}"));
        self.retire(index);
    }

    /// A slot without a connection: tries again, or is given up.
    fn retire(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        slot.connection = None;
        if self.plan.reconnect {
            self.retries.push(Reverse((self.shared.now_ns() + nanos(RETRY), index)));
            return;
        }
        slot.is_dead = true;
        self.open -= slot.carried.len() as u64;
        slot.carried.clear();
        // In an open loop the others take over what it had still to issue.
        if self.left != u64::MAX && self.plan.mode != Mode::Open {
            self.left -= slot.allotment;
            slot.allotment = 0;
        }
    }

    /// Whether the connection of a slot is made by now.
    fn is_connected(&mut self, index: usize) -> io::Result<bool> {
        let slot = &mut self.slots[index];
        let Some(connection) = &mut slot.connection else { return Ok(false) };
        if connection.phase != Phase::Connecting {
            return Ok(true);
        }
        let failed = match (connection.wire.socket.take_error(), connection.wire.socket.has_peer()) {
            (Ok(Some(error)) | Err(error), _) => error,
            (Ok(None), Ok(())) => return self.connected(index).map(|()| true),
            (Ok(None), Err(error)) if error.kind() == io::ErrorKind::NotConnected => return Ok(false),
            (Ok(None), Err(error)) => error,
        };
        self.connecting -= 1;
        self.refused(index, &failed);
        Ok(false)
    }

    /// The connection of a slot can be written to; nothing when that is no news.
    fn connected(&mut self, index: usize) -> io::Result<()> {
        let slot = &mut self.slots[index];
        let Some(connection) = &mut slot.connection else { return Ok(()) };
        if connection.phase != Phase::Connecting {
            return Ok(());
        }
        self.connecting -= 1;
        self.progress_ns = self.shared.now_ns();
        self.counts.connected += 1;
        self.counts.reconnected += u64::from(slot.was_connected && self.plan.mode != Mode::Churn);
        slot.was_connected = true;
        connection.phase = Phase::Open;
        // A connection with one request has nothing to wait for.
        if self.plan.mode != Mode::Churn {
            connection.wire.socket.set_nodelay()?;
        }
        for due_ns in slot.carried.drain(..) {
            connection.book.issue(due_ns);
        }
        Ok(())
    }

    /// One turn at the connection of a slot: reads, judges, issues what there is room for, writes.
    fn serve(&mut self, index: usize, look: Look) -> io::Result<()> {
        if !self.is_connected(index)? {
            return Ok(());
        }
        let moved = self.counts.bytes_received + self.counts.bytes_sent;
        let (read, now) = if look == Look::Write {
            (Turn::Done, self.shared.now_ns())
        } else {
            match self.read(index, look == Look::ReadToEnd) {
                (Ok(turn), now) => (turn, now),
                (Err(end), _) => return self.ended(index, end),
            }
        };
        let Some(connection) = &self.slots[index].connection else { return Ok(()) };
        if connection.is_astray() {
            self.astray(index);
            return Ok(());
        }
        self.issue_what_fits(index, now);
        let Some(connection) = &mut self.slots[index].connection else { return Ok(()) };
        let Ok(written) = connection.write(self.recipe, &mut self.buffers, &mut self.counts) else {
            // What the server sent before it reset is still read.
            return loop {
                match self.read(index, true).0 {
                    Ok(Turn::Again) => {}
                    Ok(Turn::Done) => break self.ended(index, End::Reset),
                    Err(end) => break self.ended(index, end),
                }
            };
        };
        let is_answered = connection.phase == Phase::Open && connection.book.open() == 0;
        if read == Turn::Again || written == Turn::Again {
            self.again.push(index);
        }
        if self.counts.bytes_received + self.counts.bytes_sent != moved {
            self.progress_ns = now;
        }
        if self.plan.mode == Mode::Churn && is_answered && index < self.busy { self.end(index) } else { Ok(()) }
    }

    /// Reads and judges; says also what time it was.
    fn read(&mut self, index: usize, is_ending: bool) -> (Result<Turn, End>, u64) {
        let (shared, measure) = (self.shared, &mut self.measure);
        let mut now = None;
        let mut answered = |due_ns| measure.answer(due_ns, *now.get_or_insert_with(|| shared.now_ns()));
        let Some(connection) = &mut self.slots[index].connection else { return (Ok(Turn::Done), 0) };
        let open = connection.book.open();
        let result = connection.read(self.recipe, &mut self.buffers, &mut self.counts, is_ending, &mut answered);
        self.open -= (open - connection.book.open()) as u64;
        (result, now.unwrap_or_else(|| shared.now_ns()))
    }

    fn issue_what_fits(&mut self, index: usize, now: u64) {
        let slot = &self.slots[index];
        let Some(connection) = &slot.connection else { return };
        if index >= self.busy || !self.is_running || now >= self.window.end_ns {
            return;
        }
        let (room, due_ns) = match self.plan.mode {
            Mode::Closed => (self.plan.in_flight.saturating_sub(connection.book.open()) as u64, now),
            Mode::Churn => (u64::from(connection.book.issued() == 0), connection.since_ns),
            Mode::Open | Mode::Idle => return,
        };
        for _ in 0..room.min(slot.allotment) {
            self.issue(index, due_ns);
        }
    }

    /// The server ended a connection.
    fn ended(&mut self, index: usize, end: End) -> io::Result<()> {
        let slot = &mut self.slots[index];
        let Some(mut connection) = slot.connection.take() else { return Ok(()) };
        connection.finish(self.recipe, &mut self.counts);
        let is_ours = connection.phase == Phase::Finishing && end == End::Closed;
        if !is_ours {
            let cut = connection.book.open_and_sent();
            match end {
                End::Reset => self.counts.reset += 1,
                End::Closed => self.counts.closed += 1,
            }
            let id = connection.id;
            self.counts.ended(Ended {
                connection: id,
                is_reset: end == End::Reset,
                first_open: connection.book.front().map_or(connection.book.issued(), |front| front.number),
                cut,
            });
            self.counts.cut += cut;
            self.counts.note(|| format!("{end:?} by the server: connection {id}, {cut} requests open"));
            self.open -= cut;
            let unsent = connection.book.waiting().skip(usize::try_from(cut).unwrap_or(usize::MAX));
            slot.carried.extend(unsent.map(|waiting| waiting.due_ns));
        }
        let is_churn = self.plan.mode == Mode::Churn && index < self.busy;
        if is_churn {
            // The next connection has a request of its own.
            self.open -= slot.carried.len() as u64;
            slot.carried.clear();
        }
        drop(connection);
        self.progress_ns = self.shared.now_ns();
        if is_churn {
            return self.next_churn(index);
        }
        self.retire(index);
        Ok(())
    }

    fn astray(&mut self, index: usize) {
        let Some(connection) = self.slots[index].connection.take() else { return };
        self.counts.lost += connection.book.open_and_sent();
        self.open -= connection.book.open() as u64;
        drop(connection);
        self.retire(index);
    }

    /// Ends a connection whose request is answered.
    fn end(&mut self, index: usize) -> io::Result<()> {
        let Some(connection) = &mut self.slots[index].connection else { return Ok(()) };
        match self.plan.ending {
            Ending::Reset => {
                connection.wire.socket.reset_at_close()?;
                connection.finish(self.recipe, &mut self.counts);
                self.slots[index].connection = None;
                self.next_churn(index)
            }
            Ending::Finish => {
                connection.phase = Phase::Finishing;
                connection.wire.finish();
                Ok(())
            }
        }
    }

    fn next_churn(&mut self, index: usize) -> io::Result<()> {
        let has_work = self.slots[index].allotment > 0 && self.shared.now_ns() < self.window.end_ns;
        if self.is_running && has_work { self.connect(index) } else { Ok(()) }
    }
}

/// Whether an attempt to connect failed on our side: no descriptor, no memory.
fn is_ours(error: &io::Error) -> bool {
    use nix::errno::Errno;
    let ours = [Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM, Errno::ENOBUFS];
    error.raw_os_error().is_some_and(|number| ours.contains(&Errno::from_raw(number)))
}

const EVENTS: usize = 1024;
const TICK: Token = Token(usize::MAX - 1);
const LONGEST_WAIT: Duration = Duration::from_millis(50);
const SHORTEST_WAIT: Duration = Duration::from_millis(1);
const RETRY: Duration = Duration::from_millis(10);
const SURPLUS: Duration = Duration::from_millis(50);
