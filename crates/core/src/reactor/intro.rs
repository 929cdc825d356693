//! What comes before a connection's first message: a proxy says whose it is, and TLS has its handshake. Until that is over
//! nobody is shown the session, no record of it is posted, and what breaks off before is no connection that a callback
//! hears of.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use rotor_ipc::SessionId;
use rotor_ipc::ring::Broken;

use super::connection::{Connection, Input, Posted, Why};
use super::limits::Refusal;
use super::secure::Introduced;
use super::{READ_SIZE, Reactor, add};
use crate::proxy::{self, Client, Parsed, ProxyError};

/// So long all of it may take.
const PATIENCE_NS: u64 = 10_000_000_000;

/// How far a connection that is not introduced yet has come.
pub enum Intro {
    /// The proxy's header comes.
    Proxy {
        /// As far as it has come.
        received: Vec<u8>,
    },
    /// The TLS handshake is under way.
    Handshake {
        /// What a proxy has said.
        client: Introduced,
    },
}

/// Connections that are being introduced, by when that has to be over.
#[derive(Default)]
pub(super) struct Introducing {
    queue: VecDeque<(u64, SessionId)>,
}

impl Introducing {
    /// How long until one has had its time.
    pub(super) fn next(&self, now_ns: u64) -> Option<Duration> {
        self.queue.front().map(|(due_ns, _)| Duration::from_nanos(due_ns.saturating_sub(now_ns)))
    }
}

impl Reactor {
    /// Begins the introduction of a new connection.
    pub(super) fn begin_intro(&mut self, connection: &mut Connection) {
        let has_proxy = self.settings.port(usize::from(connection.port)).proxy_trusted.is_some();
        connection.intro = Some(Box::new(if has_proxy {
            Intro::Proxy { received: Vec::new() }
        } else {
            Intro::Handshake { client: None }
        }));
        self.introducing.queue.push_back((self.now_ns + PATIENCE_NS, connection.id));
    }

    /// Reads on in an introduction. What has come behind it is framed.
    pub(super) fn read_intro(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        let Some(stream) = &connection.stream else { return Ok(()) };
        let received = stream.recv(&mut self.scratch);
        let Some(len) = self.received(connection, received, READ_SIZE) else { return Ok(()) };
        let Some(Intro::Proxy { received: so_far }) = connection.intro.as_deref_mut() else { return Ok(()) };
        // Nearly always all of it comes at once: then nothing is copied.
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut kept = std::mem::take(so_far);
        let is_first = kept.is_empty();
        let bytes = if is_first {
            &mut scratch[..len]
        } else {
            kept.extend_from_slice(&scratch[..len]);
            kept.as_mut_slice()
        };
        let result = match proxy::parse(bytes) {
            Ok(Parsed::More) => {
                *so_far = if is_first { bytes.to_vec() } else { kept };
                Ok(())
            }
            Ok(Parsed::Header { len, client }) => self.end_intro(connection, client, &mut bytes[len..]),
            Err(error) => {
                self.refuse_intro(connection, error);
                Ok(())
            }
        };
        self.scratch = scratch;
        result
    }

    /// It is known who the client is.
    fn end_intro(&mut self, connection: &mut Connection, client: Client, rest: &mut [u8]) -> Result<(), Broken> {
        let id = connection.id;
        let proxy = self.sessions.find(id).and_then(|session| session.peer);
        if let Err(refusal) = self.admit(connection, client) {
            self.refuse_client(connection, client, proxy, refusal);
            return Ok(());
        }
        let client = match client {
            Client::AsConnected => None,
            Client::Inet(client) => Some((Some(client), proxy)),
            Client::Unix => Some((None, proxy)),
        };
        if let Some((client, _)) = client {
            self.has_address(connection, client);
        }
        if let Some((client, _)) = client {
            self.log.limited().info(|| {
                let shown = |address: Option<SocketAddr>| {
                    address.map_or_else(|| "a unix socket".to_owned(), |address| address.to_string())
                };
                format!("session {id} is for {}, by {}", shown(client), shown(proxy))
            });
        }
        if connection.tls.is_some() {
            connection.intro = Some(Box::new(Intro::Handshake { client }));
            return if rest.is_empty() { Ok(()) } else { self.decrypt(connection, rest) };
        }
        self.introduce(connection, client)?;
        if rest.is_empty() { Ok(()) } else { self.ingest(connection, rest) }
    }

    /// Notes a connection of the client that is named, unless it may have no more. What a proxy makes for itself, and who
    /// comes to it by a unix socket, is not limited.
    fn admit(&self, connection: &Connection, client: Client) -> Result<(), Refusal> {
        match (&self.limits, client) {
            (Some(limits), Client::Inet(client)) => {
                let index = self.sessions.index(connection.id);
                limits.admit(index, usize::from(connection.port), client.ip(), self.now_ns)
            }
            _ => Ok(()),
        }
    }

    fn refuse_client(
        &mut self,
        connection: &mut Connection,
        client: Client,
        proxy: Option<SocketAddr>,
        refusal: Refusal,
    ) {
        let counters = self.counters;
        add(if refusal == Refusal::TooMany { &counters.refused_per_ip } else { &counters.refused_rate }, 1);
        let (id, port) = (connection.id, usize::from(connection.port));
        self.log.limited().warning(|| {
            let client = if let Client::Inet(client) = client { client.to_string() } else { "a client".into() };
            let proxy = proxy.map_or_else(|| "a proxy".into(), |proxy| proxy.to_string());
            format!("session {id} of {client} by {proxy} is refused: {}", refusal.reason(self.settings.port(port)))
        });
        if let Some(stream) = &connection.stream {
            let _ = stream.reset_on_close();
        }
        connection.end_input(Why::PeerReset);
    }

    /// The connection begins.
    pub(super) fn introduce(&mut self, connection: &mut Connection, client: Introduced) -> Result<(), Broken> {
        connection.intro = None;
        self.sessions.introduce(connection.id, client);
        self.pump(connection)
    }

    fn refuse_intro(&mut self, connection: &mut Connection, error: ProxyError) {
        add(&self.counters.protocol_errors, 1);
        self.log.limited().info(|| format!("session {}: {error}; closing", connection.id));
        connection.end_input(Why::Misframed);
    }

    /// A connection that was over before anybody knew of it: no record tells of it.
    pub(super) fn forget_unintroduced(&mut self, connection: &mut Connection) {
        if connection.input != Input::Open && connection.posted != Posted::Done {
            connection.posted = Posted::Done;
            self.is_closed_to(connection);
        }
    }

    /// Closes the connections whose introduction has not come in time.
    pub(super) fn look_at_introducing(&mut self) -> Result<(), Broken> {
        while let Some((due_ns, id)) = self.introducing.queue.front().copied()
            && due_ns <= self.now_ns
        {
            self.introducing.queue.pop_front();
            let Some(mut connection) = self.take(id) else { continue };
            if let Some(intro) = connection.intro.as_deref()
                && connection.input == Input::Open
            {
                let (counter, what) = match intro {
                    Intro::Proxy { .. } => (&self.counters.protocol_errors, "PROXY header"),
                    Intro::Handshake { .. } => (&self.counters.failed_handshakes, "TLS handshake"),
                };
                add(counter, 1);
                let seconds = PATIENCE_NS / 1_000_000_000;
                self.log.limited().info(|| format!("session {id}: no {what} within {seconds} s; closing"));
                connection.end_input(Why::Misframed);
            }
            self.settle(connection)?;
        }
        Ok(())
    }
}
