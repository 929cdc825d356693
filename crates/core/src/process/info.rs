//! What user code can learn: of a connection, of all of them, of the processes, of the server.

use rotor_ipc::WorkerId;
use rotor_ipc::sessions::Session;
use rotor_ipc::workers::{SeatEntry, SeatState};

use super::{Process, valid_id};
use crate::error::{CallError, code};
use crate::host::Role;
use crate::ports::SockType;
use crate::stats::{self, Own};
use crate::tls::{suite_name, to_pem};

/// Sessions on a page of [`Process::client_list`], at most.
const MOST_LISTED: usize = 100;

/// What `getClientInfo()` tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientInfo {
    /// The session's entry.
    pub session: Session,
    /// The user id that is bound to it.
    pub uid: Option<u32>,
    /// The number of the port it came in by.
    pub server_port: u16,
    /// What that port listens on.
    pub sock_type: SockType,
    /// Whether somebody has closed it.
    pub is_closing: bool,
    /// Bytes of messages that were posted to a worker and that none has taken yet.
    pub recv_queued: u64,
    /// What its TLS is; `None`: it has none.
    pub tls: Option<ClientTls>,
}

/// What `getClientInfo()` tells of a connection's TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTls {
    /// The version.
    pub protocol: &'static str,
    /// The cipher suite.
    pub cipher: String,
    /// The protocol that was chosen.
    pub alpn: Option<Vec<u8>>,
    /// The client's certificate, in PEM form.
    pub certificate: Option<String>,
}

impl Process {
    /// All counters, by the names users know.
    pub fn stats(&self) -> Vec<(&'static str, i64)> {
        let own = self.worker_id().zip(self.seat);
        let own = own.map(|(worker, seat)| Own { worker, seat, responses_before: self.responses_before });
        stats::collect(&self.context, own)
    }

    /// What is known of a session.
    pub fn client_info(&self, session: i64) -> Result<ClientInfo, CallError> {
        let id = valid_id(session)?;
        let sessions = self.context.segment.sessions();
        let found = sessions.find(id).filter(|session| session.is_introduced);
        let info = found.map(|session| ClientInfo {
            uid: sessions.uid(id),
            session,
            server_port: self.context.port(session.port).address.number(),
            sock_type: self.context.port(session.port).sock_type,
            is_closing: sessions.is_closing(id),
            recv_queued: self.recv_queued(&session),
            tls: self.client_tls(&session),
        });
        // The certificate is this session's if it still lives.
        info.filter(|info| info.tls.is_none() || sessions.lives(id)).ok_or_else(|| self.no_session(id))
    }

    /// What lies between the reactor of a session and the workers. Nobody counts it as it comes and goes, so that it costs
    /// nothing there: it is looked for.
    fn recv_queued(&self, session: &Session) -> u64 {
        let segment = self.context.segment;
        let reactor = usize::from(session.reactor);
        let settings = &self.context.settings;
        let has_home = settings.dispatch_mode.keeps_worker() && !settings.port(session.port.into()).dispatch_func;
        let may_have = |worker: &WorkerId| !has_home || *worker == session.worker;
        let unread = |worker| segment.inward_view(reactor, worker).unread_of(session.id.0);
        if reactor >= segment.reactors() {
            return 0;
        }
        // What is damaged is told of by whom it concerns.
        segment.worker_ids().filter(may_have).filter_map(|worker| unread(worker).ok()).sum()
    }

    fn client_tls(&self, session: &Session) -> Option<ClientTls> {
        let tls = session.tls?;
        let place = self.context.segment.sessions().index(session.id);
        let alpn = &self.context.settings.port(usize::from(session.port)).tls.alpn;
        let certificate = self.context.certificates.as_ref().and_then(|all| all.get(session.id, place));
        Some(ClientTls {
            protocol: if tls.is_tls13 { "TLSv1.3" } else { "TLSv1.2" },
            cipher: suite_name(tls.suite),
            alpn: tls.alpn.and_then(|place| alpn.get(usize::from(place)).cloned()),
            certificate: certificate.map(|certificate| to_pem(&certificate)),
        })
    }

    /// The number of the port at this place; 0 for a path.
    pub fn port_number(&self, place: u16) -> u16 {
        self.context.port(place).address.number()
    }

    /// How many connections are open: all, or those of the port at a place.
    pub fn connection_num(&self, port: Option<usize>) -> u64 {
        stats::connections(self.context.segment, port)
    }

    /// A page of the sessions that are open: up to `count` behind the one that the last page has ended with, 0 for the first
    /// page. That one may have gone meanwhile. Each session that lives throughout is on one of the pages.
    pub fn client_list(&self, after: i64, count: i64) -> Result<Vec<i64>, CallError> {
        let Some(count) = usize::try_from(count).ok().filter(|count| (1..=MOST_LISTED).contains(count)) else {
            return Err(CallError::new(
                code::INVALID_PARAMS,
                format!("$count must be 1 to {MOST_LISTED}, {count} given"),
            ));
        };
        let mut place = match after {
            0 => 0,
            after => {
                let id = valid_id(after)?;
                if !self.was_given(id) {
                    return Err(self.no_session(id));
                }
                self.context.segment.sessions().index(id) + 1
            }
        };
        let mut page = Vec::with_capacity(count);
        while page.len() < count
            && let Some((session, next)) = self.session_from(place, None)
        {
            page.push(session);
            place = next;
        }
        Ok(page)
    }

    /// The next session of a walk over all that are open, or those of the port at a place, and where it goes on. Start with
    /// 0.
    pub fn session_from(&self, place: usize, port: Option<usize>) -> Option<(i64, usize)> {
        let next = self.context.segment.sessions().open_from(place, port);
        next.map(|(id, place)| (id.0.cast_signed(), place))
    }

    /// The number of this worker or user process.
    pub fn worker_number(&self) -> Result<u32, CallError> {
        self.worker_id().map(|worker| worker.0).ok_or_else(|| self.is_no_worker())
    }

    /// The process number of a worker or user process, of this one by default.
    pub fn worker_pid(&self, worker: Option<i64>) -> Result<i32, CallError> {
        let Some(number) = worker else { return self.worker_number().map(|_| rotor_sys::process::id()) };
        let worker = self.existing_worker(number)?;
        Some(self.owner_seat(worker).pid()).filter(|pid| *pid != 0).ok_or_else(|| has_no_process(worker))
    }

    /// What a worker or user process is doing, this one by default.
    pub fn worker_state(&self, worker: Option<i64>) -> Result<SeatState, CallError> {
        match worker {
            None => self.seat.map(SeatEntry::state).ok_or_else(|| self.is_no_worker()),
            Some(number) => {
                let worker = self.existing_worker(number)?;
                let state = self.owner_seat(worker).state();
                if state == SeatState::Empty { Err(has_no_process(worker)) } else { Ok(state) }
            }
        }
    }

    fn is_no_worker(&self) -> CallError {
        let who = if self.role == Role::Master { "master" } else { "manager" };
        CallError::new(code::WRONG_OPERATION, format!("this process is the {who} and no worker; name the one meant"))
    }
}

fn has_no_process(worker: WorkerId) -> CallError {
    CallError::new(code::WRONG_OPERATION, format!("worker {worker} has no process at the moment"))
}
