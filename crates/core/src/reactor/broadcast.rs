//! Broadcasts: what one process sends to many connections. A turn serves so many of them and no more, whatever their
//! number: the record stays where it is until all are served, and other connections have their turns meanwhile.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use rotor_ipc::SessionId;
use rotor_ipc::lane::{Consumer, Record};
use rotor_ipc::payload::{PoolView, Reference, Shared};
use rotor_ipc::record::{BY_PLACE, Where};
use rotor_ipc::ring::Broken;
use rotor_ipc::to_usize;
use rotor_sys::memory::SharedBytes;

use super::early::Early;
use super::mailbox::Mail;
use super::share::Share;
use super::{Reactor, add};
use crate::disk::Job;
use crate::outlets::consumer;

/// What one turn may spend: a receiver costs one, and one more for each [`BYTES_PER_COST`].
pub(super) const ALLOWANCE: usize = 512;
const BYTES_PER_COST: usize = 8 << 10;
/// So many places without a receiver of ours cost as much as a receiver.
const PLACES_PER_COST: usize = 32;

/// A broadcast of which some receivers are served.
pub(super) struct Ongoing {
    share: Rc<Share>,
    receivers: Receivers,
    /// What is on the disk, by its number.
    number: Option<u64>,
}

/// Who is still to be served.
pub struct Receivers {
    who: Who,
    /// How far they are: a number of ids, or of places.
    at: usize,
}

enum Who {
    /// These.
    Few(Vec<SessionId>),
    /// Who is at the places with a bit, from `first` on, and has no higher id than `newest`.
    Many { bits: Bits, first: usize, newest: SessionId },
}

enum Bits {
    Private(Arc<Vec<u64>>),
    Block(SharedBytes<'static>, #[expect(dead_code, reason = "kept as long as its bytes are read")] Shared),
}

/// What a reactor has of broadcasts beside its connections.
#[derive(Default)]
pub(super) struct Broadcasts {
    /// What is being read from the disk.
    loading: HashMap<u64, Loading>,
    next_number: u64,
    /// Connections for which bytes have come from the disk.
    arrived: VecDeque<SessionId>,
    /// Letters of the main thread about connections, behind a broadcast that takes several turns.
    letters: VecDeque<Letter>,
    /// How many of those letters were dealt with.
    done: u64,
    /// How many connections which are about to end wait for.
    owed: u64,
}

struct Loading {
    share: Rc<Share>,
    waiting: Vec<SessionId>,
}

enum Letter {
    Broadcast(Ongoing),
    Other(Mail),
}

impl Receivers {
    /// So many that their ids are known.
    pub fn few(ids: Vec<SessionId>) -> Self {
        Self { who: Who::Few(ids), at: 0 }
    }

    /// Those at the places with a bit that have no higher id than `newest`.
    pub fn many(bits: Arc<Vec<u64>>, newest: SessionId) -> Self {
        Self { who: Who::Many { bits: Bits::Private(bits), first: 0, newest }, at: 0 }
    }
}

impl Bits {
    fn word(&self, index: usize) -> Option<u64> {
        match self {
            Self::Private(words) => words.get(index).copied(),
            Self::Block(bytes, _) => bytes.word(index),
        }
    }

    /// The first place with a bit at or behind `at`.
    fn next(&self, at: usize) -> Option<usize> {
        let mut index = at / 64;
        let mut word = self.word(index)? & u64::MAX << (at % 64);
        while word == 0 {
            index += 1;
            word = self.word(index)?;
        }
        Some(index * 64 + word.trailing_zeros() as usize)
    }
}

impl Broadcasts {
    /// Whether something can be done for one at once.
    pub(super) fn is_due(&self) -> bool {
        !self.arrived.is_empty() || !self.letters.is_empty()
    }

    /// Whether a letter about a connection has to wait behind others.
    pub(super) fn holds_letters(&self) -> bool {
        !self.letters.is_empty()
    }

    /// A letter about connections was dealt with.
    pub(super) fn has_done(&mut self) {
        self.done += 1;
    }

    /// From here on it notes when as many letters about connections were dealt with as were ever written.
    pub(super) fn begin_to_owe(&mut self, written: u64) {
        self.owed = written;
    }

    /// Whether they are.
    pub(super) fn owe_nothing(&self) -> bool {
        self.done >= self.owed
    }

    /// Puts a letter behind the others.
    pub(super) fn hold(&mut self, mail: Mail) {
        let letter = match mail {
            Mail::Broadcast { bytes, receivers } => {
                Letter::Broadcast(Ongoing { share: Rc::new(Share::of_private(bytes)), receivers, number: None })
            }
            other => Letter::Other(other),
        };
        self.letters.push_back(letter);
    }
}

impl Ongoing {
    /// A broadcast whose record lies in a lane to `reactor`, and what it has on the disk.
    pub(super) fn of_record(
        lane: &Consumer,
        record: &Record,
        pool: PoolView,
        reactor: usize,
    ) -> Result<(Self, Option<Shared>), Broken> {
        let body = lane.bytes(record);
        let word = |index: usize| {
            body.word(index).ok_or(Broken { what: "a broadcast's record has length", found: record.body as u64 })
        };
        let reference = |at: usize| Ok(Reference { index: word(at)?, len: word(at + 1)? });
        let (who, rest) = if record.header.aux & BY_PLACE == 0 {
            let count = to_usize(word(0)?);
            if count > record.body / 8 - 1 {
                return Err(Broken { what: "a broadcast has receivers", found: count as u64 });
            }
            let ids = (1..=count).map(|index| Ok(SessionId(word(index)?))).collect::<Result<_, Broken>>()?;
            (Who::Few(ids), count + 1)
        } else {
            let shared = pool.shared(Where::Block, reference(0)?, consumer(reactor))?;
            let bytes = shared.bytes().unwrap_or(SharedBytes::empty());
            let (first, newest) = (to_usize(record.header.session), SessionId(record.header.extra));
            (Who::Many { bits: Bits::Block(bytes, shared), first, newest }, 2)
        };
        let receivers = Receivers { who, at: 0 };
        let (share, on_disk) = match record.header.location {
            Where::Inline => (Share::of_lane(body.slice(rest * 8, record.body - rest * 8)), None),
            location => match Share::of_block(pool.shared(location, reference(rest)?, consumer(reactor))?, pool) {
                Ok(share) => (share, None),
                Err(range) => (Share::of_disk(range.len()), Some(range)),
            },
        };
        Ok((Self { share: Rc::new(share), receivers, number: None }, on_disk))
    }
}

impl Reactor {
    /// Begins with a broadcast: what lies on the disk is read once for all of its receivers.
    pub(super) fn begin_broadcast(&mut self, ongoing: &mut Ongoing, on_disk: Option<Shared>) {
        let Some(range) = on_disk else { return };
        self.broadcasts.next_number += 1;
        let number = self.broadcasts.next_number;
        ongoing.number = Some(number);
        let loading = Loading { share: Rc::clone(&ongoing.share), waiting: Vec::new() };
        self.broadcasts.loading.insert(number, loading);
        // The helper outlives the reactors.
        let _ = self.jobs.send(Job::ReadShared { number, range, reply: self.reply.clone() });
    }

    /// Serves as many of its receivers as this turn allows. Gives it back unless all are.
    pub(super) fn go_on_with_broadcast(&mut self, mut ongoing: Ongoing) -> Result<Option<Ongoing>, Broken> {
        let cost = 1 + ongoing.share.len() / BYTES_PER_COST;
        while self.allowance > 0 {
            let Some(id) = self.next_receiver(&mut ongoing.receivers) else {
                return Ok((self.allowance == 0).then_some(ongoing));
            };
            self.allowance = self.allowance.saturating_sub(cost);
            self.deliver(id, &ongoing)?;
        }
        Ok(Some(ongoing))
    }

    /// The next receiver that is one of ours. `None`: there is none, or the turn's allowance is used up.
    fn next_receiver(&mut self, receivers: &mut Receivers) -> Option<SessionId> {
        match &receivers.who {
            Who::Few(ids) => {
                let id = ids.get(receivers.at).copied();
                receivers.at += 1;
                id
            }
            Who::Many { bits, first, newest } => {
                let mut others = 0;
                while let Some(place) = bits.next(receivers.at) {
                    receivers.at = place + 1;
                    if let Some(id) = self.own_session_at(first + place).filter(|id| id <= newest) {
                        return Some(id);
                    }
                    others += 1;
                    if others % PLACES_PER_COST == 0 {
                        self.allowance = self.allowance.saturating_sub(1);
                        if self.allowance == 0 {
                            return None;
                        }
                    }
                }
                None
            }
        }
    }

    /// The session at a place of the table, if it is one of this reactor's.
    fn own_session_at(&self, place: usize) -> Option<SessionId> {
        if let Some(connection) = self.connections.at_index(place) {
            return Some(connection.id);
        }
        // Another's, or one that was not seen yet.
        let id = self.sessions.id_at(place)?;
        let is_own = self.sessions.route(id).is_some_and(|(reactor, _)| usize::from(reactor) == self.id);
        is_own.then_some(id)
    }

    fn deliver(&mut self, id: SessionId, ongoing: &Ongoing) -> Result<(), Broken> {
        let share = &ongoing.share;
        if let Some(mut connection) = self.take(id) {
            if !connection.accepts_output() {
                add(&self.counters.dropped, 1);
            } else if share.is_lost() {
                self.break_off(&mut connection, 0);
                return self.settle(connection);
            } else {
                self.add_shared_to_batch(&mut connection, Rc::clone(share));
                self.wait_for_disk(ongoing, id);
            }
            self.put_back(connection);
        } else if Early::is_for(&self.sessions, id) {
            self.early.send_shared(id, share);
            self.wait_for_disk(ongoing, id);
        } else {
            add(&self.counters.dropped, 1);
        }
        Ok(())
    }

    /// Notes who has to be told when the bytes are there.
    fn wait_for_disk(&mut self, ongoing: &Ongoing, id: SessionId) {
        if ongoing.share.is_on_disk()
            && let Some(loading) = ongoing.number.and_then(|number| self.broadcasts.loading.get_mut(&number))
        {
            loading.waiting.push(id);
        }
    }

    /// The bytes of a broadcast have come from the disk, or will not.
    pub(super) fn on_shared_read(&mut self, number: u64, result: std::io::Result<Vec<u8>>) {
        let Some(Loading { share, waiting }) = self.broadcasts.loading.remove(&number) else { return };
        match result {
            Ok(bytes) => share.come(Arc::new(bytes)),
            Err(error) => {
                self.log.limited().error(|| {
                    format!("cannot read a spilled broadcast (task_tmpdir): {error}; its receivers are closed")
                });
                share.lose();
            }
        }
        self.broadcasts.arrived.extend(waiting);
    }

    /// Goes on with what the disk has held up, and with the main thread's letters, as far as the turn allows.
    pub(super) fn serve_broadcasts(&mut self) -> Result<(), Broken> {
        while self.allowance > 0
            && let Some(id) = self.broadcasts.arrived.pop_front()
        {
            let Some(mut connection) = self.take(id) else { continue };
            let before = connection.output.bytes();
            if connection.output.has_lost() {
                self.break_off(&mut connection, 0);
            }
            self.send_queued(&mut connection);
            let sent = before.saturating_sub(connection.output.bytes());
            self.allowance = self.allowance.saturating_sub(1 + to_usize(sent) / BYTES_PER_COST);
            self.settle(connection)?;
        }
        while let Some(letter) = self.broadcasts.letters.pop_front() {
            match letter {
                Letter::Broadcast(ongoing) => {
                    if let Some(ongoing) = self.go_on_with_broadcast(ongoing)? {
                        self.broadcasts.letters.push_front(Letter::Broadcast(ongoing));
                        break;
                    }
                    self.broadcasts.has_done();
                }
                // What was said before has to be in the connection before what came behind it.
                Letter::Other(mail) => {
                    self.send_dirty()?;
                    self.on_letter(mail)?;
                }
            }
        }
        Ok(())
    }

    /// Whether a broadcast waits for its next turn.
    pub(super) fn is_behind(&self) -> bool {
        self.broadcasts.is_due() || self.inbox.is_behind()
    }
}
