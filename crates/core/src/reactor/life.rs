//! The life of a connection, from its first event to when it is forgotten.

use std::sync::atomic::Ordering::Relaxed;

use rotor_ipc::SessionId;
use rotor_ipc::record::{EXPIRED, RESET};
use rotor_ipc::ring::Broken;
use rotor_ipc::sessions::Flag;
use rotor_sys::socket::Stream;

use super::connection::{Connection, Input, Posted, Why};
use super::{Reactor, add};

impl Reactor {
    /// Makes the connection of a session that the accept thread has just inserted.
    pub(super) fn adopt(&mut self, id: SessionId) -> Option<Box<Connection>> {
        let session = self.sessions.find(id)?;
        let stream = Stream::from_raw(session.fd).ok()?;
        let worker = self.router.home(id, session.peer);
        if worker != session.worker {
            self.sessions.set_worker(id, worker);
        }
        let port = usize::from(session.port).min(self.framers.len() - 1);
        let framer = self.framers[port].clone();
        let mut connection = Box::new(Connection::new(id, session.port, worker, stream, framer));
        let asks = self.hooks.is_some() && self.settings.port(port).dispatch_func;
        connection.roaming = self.router.roaming(worker, asks);
        if !self.wanted.connect[port] && !asks {
            connection.posted = Posted::Connect;
        }
        connection.is_paused = self.settings.enable_delay_receive;
        if self.tls[port].is_some() {
            self.secure(&mut connection);
        }
        if !session.is_introduced {
            self.begin_intro(&mut connection);
        }
        self.early.hand_to(&mut connection);
        self.begin_timing(&mut connection);
        self.alive += 1;
        self.router.bind(worker);
        if connection.roaming.is_some() {
            self.router.roaming += 1;
        } else {
            self.inward[worker.index()].open += 1;
        }
        add(&self.counters.connections, 1);
        add(&self.port_connections[port], 1);
        if connection.output.has_lost() {
            self.break_off(&mut connection, 0);
        }
        Some(connection)
    }

    /// Some process has the server close a connection.
    pub(super) fn on_close_request(&mut self, connection: Box<Connection>, bits: u16) -> Result<(), Broken> {
        if bits & EXPIRED != 0 {
            add(&self.counters.heartbeat_closed, 1);
            return self.expire(connection);
        }
        self.close(connection, bits & RESET != 0)
    }

    /// The server closes a connection.
    pub(super) fn close(&mut self, mut connection: Box<Connection>, reset: bool) -> Result<(), Broken> {
        connection.end_input(Why::Server);
        // Before its worker is told: who has asked for it may not have said so in the table yet.
        let _ = self.sessions.set_flag(connection.id, Flag::Over);
        self.drop_unread(&mut connection);
        if reset {
            self.forget_batch(&mut connection);
            self.reset_socket(&mut connection);
        }
        self.settle(connection)
    }

    /// Closes the socket at once, so that the peer sees a connection that broke.
    pub(super) fn reset_socket(&mut self, connection: &mut Connection) {
        if let Some(stream) = &connection.stream {
            // Without it the peer sees an orderly end, which is the second best.
            let _ = stream.reset_on_close();
        }
        self.close_socket(connection);
    }

    /// Does what is due for a connection after something has changed, and forgets it when it is over.
    pub(super) fn settle(&mut self, mut connection: Box<Connection>) -> Result<(), Broken> {
        if self.owes_level(&connection) {
            self.post_level(&mut connection)?;
        }
        if connection.input != Input::Open {
            self.pump(&mut connection)?;
            self.begin_to_part(&mut connection);
            let may_close = connection.stream.is_some()
                && connection.may_close_socket()
                && (connection.tls.is_none() || self.has_said_end(&mut connection));
            if connection.has_output() {
                self.begin_last_output(&mut connection);
            }
            if may_close && !self.must_linger(&mut connection) {
                self.close_socket(&mut connection);
            }
            if connection.stream.is_none() && connection.posted == Posted::Done && !connection.is_spilling {
                self.forget_batch(&mut connection);
                self.end_timing(&connection);
                self.forget_certificate(&connection);
                self.sessions.remove(connection.id);
                self.router.release(connection.home());
                self.live.tell();
                self.alive -= 1;
                return Ok(());
            }
        }
        self.put_back(connection);
        Ok(())
    }

    fn close_socket(&mut self, connection: &mut Connection) {
        if connection.stream.take().is_none() {
            return;
        }
        connection.output.clear();
        connection.tls = None;
        // Nothing more can be sent: whoever tries is told so.
        let _ = self.sessions.set_flag(connection.id, Flag::Over);
        self.live.remove();
        if let Some(limits) = &self.limits {
            limits.leave(self.sessions.index(connection.id));
        }
        add(&self.counters.closed, 1);
        for connections in [&self.counters.connections, &self.port_connections[usize::from(connection.port)]] {
            connections.store(connections.load(Relaxed).saturating_sub(1), Relaxed);
        }
        self.log.limited().info(|| format!("session {} closed", connection.id));
    }

    /// The connection broke.
    pub(super) fn broke(&mut self, connection: &mut Connection, error: &std::io::Error) {
        self.sessions.set_close_errno(connection.id, error.raw_os_error().unwrap_or(0));
        connection.end_input(Why::PeerReset);
        connection.output.clear();
    }
}
