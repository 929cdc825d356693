//! What user code can learn: of a connection, of all of them, of the processes, of the server.

use rotor_ipc::WorkerId;
use rotor_ipc::sessions::Session;
use rotor_ipc::workers::{SeatEntry, SeatState};

use super::{Process, valid_id};
use crate::error::{CallError, code};
use crate::host::Role;
use crate::ports::SockType;
use crate::stats;
use crate::tls::{suite_name, to_pem};

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
        stats::collect(&self.context, self.worker_id().zip(self.seat))
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
            tls: self.client_tls(&session),
        });
        // The certificate is this session's if it still lives.
        info.filter(|info| info.tls.is_none() || sessions.lives(id)).ok_or_else(|| self.no_session(id))
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

    /// How many connections are open.
    pub fn connection_num(&self) -> u64 {
        stats::connections(self.context.segment)
    }

    /// The first living session at or behind a place in the table, and the place to go on from. Start with 0:
    /// each session that lives throughout the walk is met once. With a port, by its place: the first of that port.
    pub fn session_from(&self, place: usize, port: Option<usize>) -> Option<(i64, usize)> {
        let sessions = self.context.segment.sessions();
        let is_of_port =
            |id| port.is_none_or(|port| sessions.find(id).is_some_and(|session| usize::from(session.port) == port));
        (place..sessions.capacity()).find_map(|place| {
            let id = sessions.id_at(place).filter(|id| sessions.is_shown(*id) && !sessions.is_closing(*id))?;
            is_of_port(id).then_some((id.0.cast_signed(), place + 1))
        })
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
