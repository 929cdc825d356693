//! What user code is asked on the way of a message: where that ends, and which worker gets it. Only the reactor of the
//! main thread has anybody to ask.

use std::fmt::Display;

use rotor_ipc::WorkerId;
use rotor_sys::datagram::Address;

use super::connection::{Connection, Incoming, Posted, Why};
use super::{Reactor, add};
use crate::dispatch::number_of_sender;
use crate::framer::FrameError;
use crate::hooks::{About, Answer, CLOSE, DISCARD, FALL_BACK, LONGEST_DATA};
use crate::reactor::route::worker;

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// It is posted, to the worker that is assigned, or whom the mode chooses.
    Post,
    /// It is dropped.
    Discard,
    /// So is all that follows: the connection is closed.
    Close,
}

/// What user code wants for a record.
enum Wish {
    Worker(WorkerId),
    AsTheModeSays,
    Discard,
    Close,
}

impl Reactor {
    /// Has user code look at the beginning of a message.
    pub(super) fn ask_length(&mut self, connection: &mut Connection, shown: &[u8]) -> Result<(), FrameError> {
        let Some(hooks) = self.hooks.clone() else { return Err(FrameError::NoAnswer { did: "cannot be called here" }) };
        if self.ended.is_some() {
            return Err(FrameError::NoAnswer { did: "cannot be called any more: user code has ended the master" });
        }
        self.stand_back();
        let answer = hooks.package_length(connection.port, shown);
        self.stand_in();
        let did = match answer {
            Answer::Number(length) => return connection.framer.answer(shown.len(), length),
            Answer::Ended(end) => {
                self.ended = Some(end);
                "has ended the master (exit() or a fatal error)"
            }
            Answer::Threw => "threw",
            Answer::Other(did) => did,
            Answer::NoRoom => "was not called: memory_limit leaves no room for what it is to be shown",
        };
        Err(FrameError::NoAnswer { did })
    }

    /// What becomes of a message. A connection that is to be closed is not read any more.
    #[inline]
    pub(super) fn ask_about_message(&mut self, connection: &mut Connection, message: &[u8]) -> Choice {
        if !connection.asks() {
            return Choice::Post;
        }
        let choice = self.ask_worker(connection, About::Message, message);
        match choice {
            Choice::Post => Self::has_answered(connection),
            Choice::Close => self.end_by_choice(connection),
            Choice::Discard => {}
        }
        choice
    }

    /// What becomes of a large message that is complete, if there is one.
    pub(super) fn ask_about_incoming(&mut self, connection: &mut Connection) {
        let data = match connection.incoming.as_deref().filter(|incoming| incoming.is_complete()) {
            None => return,
            Some(Incoming::Private { bytes, .. }) => bytes[..bytes.len().min(LONGEST_DATA)].to_vec(),
            Some(Incoming::Block { block, total, .. }) => {
                let mut data = Vec::new();
                if let Some(bytes) = block.bytes() {
                    bytes.slice(0, (*total).min(LONGEST_DATA)).append_to(&mut data);
                }
                data
            }
            Some(Incoming::Ready { .. } | Incoming::Spill(_)) => {
                connection.roaming.as_deref_mut().map(|roaming| std::mem::take(&mut roaming.begin)).unwrap_or_default()
            }
        };
        match self.ask_worker(connection, About::Message, &data) {
            Choice::Post => Self::has_answered(connection),
            Choice::Discard => self.drop_incoming(connection),
            Choice::Close => self.end_by_choice(connection),
        }
    }

    /// Whether the connection goes on, of which no worker has heard so far; it may be that none is told of its beginning.
    pub(super) fn ask_about_connect(&mut self, connection: &mut Connection) -> bool {
        match self.ask_worker(connection, About::Connect, &[]) {
            Choice::Post if self.wanted.connect[usize::from(connection.port)] => true,
            Choice::Post | Choice::Discard => {
                connection.posted = Posted::Connect;
                if let Some(roaming) = connection.roaming.as_deref_mut() {
                    roaming.is_assigned = false;
                }
                true
            }
            Choice::Close => {
                // Nobody knows of it, and nobody is told of its end.
                self.end_by_choice(connection);
                connection.posted = Posted::Done;
                self.is_closed_to(connection);
                false
            }
        }
    }

    /// Whether a worker is told of the connection's end; if so, it is assigned.
    pub(super) fn may_tell_of_end(&mut self, connection: &mut Connection) -> bool {
        let Some(roaming) = connection.roaming.as_deref().filter(|roaming| roaming.asks) else { return true };
        let told = match roaming.end {
            Some(told) => told,
            None => match self.ask_worker(connection, About::Close, &[]) {
                Choice::Post => {
                    self.assign(connection);
                    Some(connection.worker)
                }
                Choice::Discard | Choice::Close => None,
            },
        };
        if let Some(worker) = told {
            connection.worker = worker;
        }
        if let Some(roaming) = connection.roaming.as_deref_mut() {
            roaming.end = Some(told);
            roaming.is_assigned = told.is_some();
        }
        told.is_some()
    }

    /// User code is asked once for each message, however long that has to wait for a worker.
    fn has_answered(connection: &mut Connection) {
        if let Some(roaming) = connection.roaming.as_deref_mut() {
            roaming.is_left = !roaming.is_assigned;
        }
    }

    /// Asks for the worker of a record, and assigns it.
    fn ask_worker(&mut self, connection: &mut Connection, about: About, data: &[u8]) -> Choice {
        let Some(roaming) = connection.roaming.as_deref_mut() else { return Choice::Post };
        let id = connection.id;
        match self.ask(connection.port, id.0, about, data, &format_args!("session {id}")) {
            Wish::Worker(worker) => {
                roaming.is_assigned = true;
                connection.worker = worker;
                Choice::Post
            }
            Wish::AsTheModeSays => Choice::Post,
            Wish::Discard => Choice::Discard,
            Wish::Close => Choice::Close,
        }
    }

    /// The worker of a datagram that came by a port of its place; `None`: it is dropped.
    pub(super) fn ask_about_datagram(&mut self, port: u16, from: &Address, bytes: &[u8]) -> Option<WorkerId> {
        let who = format_args!("a datagram from {from}");
        match self.ask(port, number_of_sender(from), About::Packet, bytes, &who) {
            Wish::Worker(worker) => Some(worker),
            Wish::AsTheModeSays => Some(self.worker_of_sender(from)),
            // It has no connection that could be closed.
            Wish::Close => {
                add(&self.counters.dropped, 1);
                None
            }
            Wish::Discard => None,
        }
    }

    fn ask(&mut self, port: u16, from: u64, about: About, data: &[u8], who: &dyn Display) -> Wish {
        let Some(hooks) = self.hooks.clone().filter(|_| self.ended.is_none()) else { return Wish::AsTheModeSays };
        let workers = self.inward.len();
        self.stand_back();
        let answer = hooks.worker(port, from, about, &data[..data.len().min(LONGEST_DATA)]);
        self.stand_in();
        let did = match answer {
            Answer::Number(FALL_BACK) => return Wish::AsTheModeSays,
            Answer::Number(CLOSE) => return Wish::Close,
            Answer::Number(DISCARD) => {
                add(&self.counters.dropped, 1);
                return Wish::Discard;
            }
            Answer::Number(number) => {
                if let Some(place) = usize::try_from(number).ok().filter(|place| *place < workers) {
                    return Wish::Worker(worker(place));
                }
                add(&self.counters.dropped, 1);
                self.log.limited().warning(|| {
                    let last = workers - 1;
                    format!(
                        "{who}: dispatch_func returned {number}, and workers are 0 to {last}; what it was asked \
                         about is dropped"
                    )
                });
                return Wish::Discard;
            }
            Answer::Ended(end) => {
                self.ended = Some(end);
                "has ended the master (exit() or a fatal error)"
            }
            Answer::Threw => "threw",
            Answer::Other(did) => did,
            Answer::NoRoom => "was not called: memory_limit leaves no room for the data",
        };
        self.log.limited().warning(|| format!("{who}: dispatch_func {did}; dispatch_mode decides"));
        Wish::AsTheModeSays
    }

    /// Ends a connection as user code wants it: what it sent before is still answered.
    fn end_by_choice(&mut self, connection: &mut Connection) {
        connection.end_input(Why::Misframed);
        self.drop_unread(connection);
    }
}
