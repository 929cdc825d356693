//! Sending the same bytes to many connections, from any process.

use std::sync::Arc;

use rotor_ipc::SessionId;
use rotor_ipc::sync::Ordering::{Acquire, Relaxed};

use super::{Process, Way, valid_id};
use crate::audience::{Audience, Told};
use crate::error::{CallError, code};
use crate::reactor::{Mail, Receivers};

/// Receivers whose ids the main thread writes into a letter.
const MOST_FEW: usize = 1000;

/// Whom user code wants to send to.
#[derive(Clone, Copy, Debug)]
pub enum Addressees<'a> {
    /// All connections, or those of one port, by its place.
    All(Option<usize>),
    /// These sessions.
    Listed(&'a [i64]),
}

impl Process {
    /// Hands bytes over for sending to each open connection that is meant and not excepted, once. Returns to how many:
    /// those that are open, that nobody has closed and whose output queue is below its limit at this moment. It never
    /// waits for a client.
    pub fn broadcast(&self, bytes: &[u8], to: Addressees<'_>, except: &[i64]) -> Result<u64, CallError> {
        self.check_size(bytes)?;
        let audience = self.audience(to, except);
        if audience.count() == 0 {
            return Ok(0);
        }
        let posted = match &self.way {
            Way::Lanes(outlets) => {
                let posted = outlets.borrow_mut().broadcast(bytes, &audience);
                posted.map_err(|failure| self.not_posted(failure, bytes.len()))?
            }
            Way::Mailboxes(_) => self.mail_to(bytes, &audience)?,
        };
        if let Some(seat) = self.seat {
            seat.counters.responses.fetch_add(posted, Relaxed);
        }
        Ok(posted)
    }

    fn audience(&self, to: Addressees<'_>, except: &[i64]) -> Audience {
        let segment = self.context.segment;
        let sessions = segment.sessions();
        // Before any session is looked at. Pairs with the Release in the accept thread.
        let newest = SessionId(segment.master().last_session.load(Acquire));
        let most_few = match &self.way {
            Way::Lanes(outlets) => outlets.borrow().most_few(),
            Way::Mailboxes(_) => MOST_FEW,
        };
        let mut audience = Audience::new(&sessions, segment.reactors(), newest, most_few);
        let mut except = except.to_vec();
        except.sort_unstable();
        let mut overflows = 0;
        let mut add = |audience: &mut Audience, id: SessionId| {
            if !except.is_empty() && except.binary_search(&id.0.cast_signed()).is_ok() {
                return;
            }
            match sessions.route(id) {
                Some(_) if sessions.is_closing(id) => {}
                Some((_, true)) => overflows += 1,
                Some((reactor, false)) => audience.add(id, reactor),
                None => {}
            }
        };
        match to {
            Addressees::All(None) => sessions.ids().for_each(|id| add(&mut audience, id)),
            Addressees::All(Some(port)) => {
                let is_of_port =
                    |id: &SessionId| sessions.find(*id).is_some_and(|session| usize::from(session.port) == port);
                sessions.ids().filter(is_of_port).for_each(|id| add(&mut audience, id));
            }
            Addressees::Listed(ids) => {
                let ids = ids.iter().filter_map(|id| valid_id(*id).ok());
                if ids.clone().nth(most_few).is_some() {
                    audience.spread();
                    ids.for_each(|id| add(&mut audience, id));
                } else {
                    let mut few: Vec<SessionId> = ids.collect();
                    few.sort_unstable();
                    few.dedup();
                    few.into_iter().for_each(|id| add(&mut audience, id));
                }
            }
        }
        if let Some(seat) = self.seat {
            seat.counters.overflows.fetch_add(overflows, Relaxed);
        }
        audience
    }

    /// The same by letters to the reactors: they are threads of this process.
    fn mail_to(&self, bytes: &[u8], audience: &Audience) -> Result<u64, CallError> {
        let Way::Mailboxes(mailboxes) = &self.way else { return Ok(0) };
        let bytes = Arc::new(bytes.to_vec());
        let bits = match audience.told() {
            Told::Few(_) => None,
            Told::Many(bits) => Some(Arc::new(bits.to_vec())),
        };
        let mut posted = 0;
        for (reactor, mailbox) in mailboxes.iter().enumerate().filter(|(reactor, _)| audience.count_of(*reactor) > 0) {
            let receivers = match (&bits, audience.told()) {
                (None, Told::Few(few)) => {
                    let own = few.iter().filter(|(of, _)| usize::from(*of) == reactor);
                    Receivers::few(own.map(|(_, id)| *id).collect())
                }
                (Some(bits), _) => Receivers::many(Arc::clone(bits), audience.newest()),
                (None, Told::Many(_)) => continue,
            };
            let mail = Mail::Broadcast { bytes: Arc::clone(&bytes), receivers };
            if mailbox.put_if_there_is_room(mail, !self.is_own(reactor)) {
                posted += audience.count_of(reactor);
            }
        }
        if posted == 0 {
            return Err(CallError::new(code::QUEUE_FULL, "the way to the reactors is full; try again later"));
        }
        Ok(posted)
    }
}
