//! Connections with TLS: between the socket and the framer, and between the output queue and the socket.
//!
//! What comes is decrypted as soon as it is read. What goes out is encrypted when the socket is there to take it, so a
//! slow reader's queue stays as it was sent, in blocks and spill ranges, but for what was encrypted last.

use std::io;
use std::net::SocketAddr;

use rotor_ipc::ring::Broken;
use rotor_ipc::sessions::SessionTls;
use rotor_sys::socket::{Piece, Stream};

use super::connection::{Connection, Incoming, Input, Why};
use super::intro::Intro;
use super::output::{Broke, FILE_TURN, Output, Sent};
use super::{READ_SIZE, Reactor, add};
use crate::error::code;
use crate::tls::{Engine, Failure, MOST_SEALED, Terms, sealed_len};

/// A connection's TLS.
pub struct Tls {
    engine: Engine,
    /// Encrypted, and not taken by the socket yet.
    sealed: Vec<u8>,
    /// How much of it is.
    sent: usize,
    /// The peer was told that nothing more comes.
    has_said_end: bool,
}

/// What the connections of a reactor share: room for what is in work. Without such connections it is empty.
#[derive(Default)]
pub(super) struct Room {
    /// What was decrypted last.
    plain: Vec<u8>,
    /// What is to be encrypted next.
    gathered: Vec<u8>,
    /// What was encrypted last.
    sealed: Vec<u8>,
}

/// Who a client is, where a proxy has said so.
pub(super) type Introduced = Option<(Option<SocketAddr>, Option<SocketAddr>)>;

impl Tls {
    pub(super) fn new(engine: Engine) -> Self {
        Self { engine, sealed: Vec::new(), sent: 0, has_said_end: false }
    }

    /// Bytes that are encrypted and wait for the socket.
    pub fn waiting(&self) -> usize {
        self.sealed.len() - self.sent
    }

    /// Sends what is encrypted; false when the socket does not take all of it.
    fn flush(&mut self, stream: &Stream, total: &mut usize) -> io::Result<bool> {
        if self.waiting() == 0 {
            return Ok(true);
        }
        let sent = taken(stream.send(&Piece::Private(&self.sealed[self.sent..])))?;
        *total += sent;
        self.sent += sent;
        if self.waiting() > 0 {
            return Ok(false);
        }
        (self.sealed, self.sent) = (Vec::new(), 0);
        Ok(true)
    }

    /// Encrypts and sends bytes, behind which nothing waits; false when the socket does not take all of it.
    pub(super) fn send(
        &mut self,
        stream: &Stream,
        bytes: &[u8],
        room: &mut Room,
        total: &mut usize,
    ) -> io::Result<bool> {
        let room = &mut room.sealed;
        if room.len() < sealed_len(MOST_SEALED) {
            room.resize(sealed_len(MOST_SEALED), 0);
        }
        let len = self.engine.seal(bytes, room).map_err(io::Error::other)?;
        let sent = taken(stream.send(&Piece::Private(&room[..len])))?;
        *total += sent;
        if sent < len {
            self.sealed.extend_from_slice(&room[sent..len]);
        }
        Ok(sent == len)
    }

    /// Sends what the socket takes of what is encrypted and of what waits.
    fn send_queued(&mut self, stream: &Stream, output: &mut Output, room: &mut Room) -> Result<Sent, Broke> {
        let mut total = 0;
        if !self.flush(stream, &mut total).map_err(Broke::Socket)? {
            output.block();
            return Ok(Sent::Blocked(total));
        }
        let mut gathered = std::mem::take(&mut room.gathered);
        let mut of_files = 0;
        let sent = loop {
            if output.is_file_next() {
                if of_files >= FILE_TURN {
                    break Ok(Sent::Turn(total));
                }
                of_files += MOST_SEALED;
            }
            gathered.clear();
            if let Err(error) = output.gather(&mut gathered, MOST_SEALED) {
                break Err(Broke::File(error));
            }
            if gathered.is_empty() {
                break Ok(Sent::All(total));
            }
            let is_out = self.send(stream, &gathered, room, &mut total);
            output.take(gathered.len());
            match is_out {
                Ok(true) => {}
                Ok(false) => {
                    output.block();
                    break Ok(Sent::Blocked(total));
                }
                Err(error) => break Err(Broke::Socket(error)),
            }
        };
        room.gathered = gathered;
        sent
    }
}

/// How much of a write the socket has taken.
fn taken(sent: io::Result<usize>) -> io::Result<usize> {
    match sent {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        sent => sent,
    }
}

impl Reactor {
    /// Gives a new connection of a port with TLS its side of it.
    pub(super) fn secure(&mut self, connection: &mut Connection) {
        let Some(port) = self.tls.get(usize::from(connection.port)).and_then(Option::as_ref) else { return };
        match port.engine() {
            Ok(engine) => connection.tls = Some(Box::new(Tls::new(engine))),
            Err(failure) => {
                self.log.limited().error(|| format!("session {}: {failure}; closing", connection.id));
                connection.end_input(Why::Misframed);
            }
        }
    }

    /// Reads, decrypts, and frames what was in it.
    pub(super) fn read_secured(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        let Some(stream) = &connection.stream else {
            connection.is_readable = false;
            return Ok(());
        };
        let received = stream.recv(&mut self.scratch);
        let Some(len) = self.received(connection, received, READ_SIZE) else {
            self.see_end(connection);
            return Ok(());
        };
        let mut scratch = std::mem::take(&mut self.scratch);
        let result = self.decrypt(connection, &mut scratch[..len]);
        self.scratch = scratch;
        result
    }

    /// Decrypts what has come.
    pub(super) fn decrypt(&mut self, connection: &mut Connection, bytes: &mut [u8]) -> Result<(), Broken> {
        let Some(tls) = connection.tls.as_deref_mut() else { return Ok(()) };
        let mut plain = std::mem::take(&mut self.room.plain);
        plain.clear();
        let fed = tls.engine.feed(bytes, &mut plain, &mut tls.sealed);
        let result = match fed {
            Ok(fed) => {
                let begun = if fed.is_open { self.begin_secured(connection) } else { Ok(()) };
                let taken = begun.and_then(|()| self.take_in(connection, &plain));
                if fed.is_ended {
                    connection.end_input(Why::PeerEnded);
                }
                taken
            }
            Err(failure) => {
                let taken = self.take_in(connection, &plain);
                self.fail(connection, &failure);
                taken
            }
        };
        // Its own part of the handshake, or why there is none. What has come is taken by now, even if this fails.
        self.send_queued(connection);
        plain.shrink_to(2 * READ_SIZE);
        self.room.plain = plain;
        result
    }

    /// The handshake is over: the connection begins.
    fn begin_secured(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        let Some(Intro::Handshake { client }) = connection.intro.take().map(|intro| *intro) else { return Ok(()) };
        let Some(terms) = connection.tls.as_ref().and_then(|tls| tls.engine.terms()) else { return Ok(()) };
        let id = connection.id;
        add(&self.counters.handshakes, 1);
        add(&self.counters.resumptions, u64::from(terms.is_resumed));
        let alpn = self.place_of_protocol(connection.port, &terms);
        self.sessions.set_tls(id, SessionTls { suite: terms.suite, alpn, is_tls13: terms.is_tls13 });
        if let (Some(certificate), Some(certificates)) = (&terms.client_certificate, &self.certificates) {
            if let Err(error) = certificates.put(id, self.sessions.index(id), certificate) {
                // Who does not see it would take the client for somebody else.
                let why = error.raw_os_error().map_or_else(|| error.to_string(), crate::error::describe_errno);
                self.log.limited().error(|| format!("session {id}: its certificate cannot be kept: {why}; closing"));
                connection.intro = Some(Box::new(Intro::Handshake { client }));
                connection.end_input(Why::Misframed);
                return Ok(());
            }
            connection.has_certificate = true;
        }
        self.introduce(connection, client)
    }

    fn place_of_protocol(&self, port: u16, terms: &Terms) -> Option<u8> {
        let chosen = terms.alpn.as_ref()?;
        let offered = self.tls.get(usize::from(port))?.as_ref()?.alpn();
        offered.iter().position(|protocol| protocol == chosen).and_then(|place| u8::try_from(place).ok())
    }

    /// Frames what was decrypted, behind what there is already.
    fn take_in(&mut self, connection: &mut Connection, plain: &[u8]) -> Result<(), Broken> {
        for part in plain.chunks(READ_SIZE) {
            self.take_part(connection, part)?;
        }
        Ok(())
    }

    fn take_part(&mut self, connection: &mut Connection, mut bytes: &[u8]) -> Result<(), Broken> {
        while let Some(incoming) = connection.incoming.as_deref_mut()
            && !incoming.is_complete()
            && !connection.is_spilling
            && !bytes.is_empty()
        {
            let len = match incoming {
                Incoming::Block { block, received, total } => {
                    let Some(room) = block.bytes() else { return Ok(()) };
                    let len = bytes.len().min(*total - *received);
                    room.slice(*received, len).copy_from(&bytes[..len]);
                    *received += len;
                    len
                }
                Incoming::Private { bytes: so_far, total } => {
                    let len = bytes.len().min(*total - so_far.len());
                    so_far.extend_from_slice(&bytes[..len]);
                    len
                }
                Incoming::Spill(spilling) => {
                    let len = bytes.len().min(spilling.wanted());
                    spilling.take(&bytes[..len]);
                    len
                }
                Incoming::Ready { .. } => 0,
            };
            bytes = &bytes[len..];
            if incoming.is_complete() {
                connection.begun_ns = 0;
            }
            self.spill_piece(connection);
            self.pump(connection)?;
        }
        if bytes.is_empty() || connection.input != Input::Open {
            return Ok(());
        }
        if connection.incoming.is_some() {
            // It waits for room or for the disk, and what comes behind it waits with it.
            connection.unread.add(bytes);
            return Ok(());
        }
        self.ingest(connection, bytes)
    }

    /// Sends what waits in the connection's queue.
    pub(super) fn send_secured(&mut self, connection: &mut Connection) {
        let (Some(stream), Some(tls)) = (&connection.stream, connection.tls.as_deref_mut()) else { return };
        if connection.output.is_blocked() || (connection.output.is_empty() && tls.waiting() == 0) {
            return;
        }
        match tls.send_queued(stream, &mut connection.output, &mut self.room) {
            Ok(sent) => self.has_sent(connection, sent),
            Err(Broke::Socket(error)) => self.broke_secured(connection, &error),
            Err(Broke::File(error)) => self.on_file_failed(connection, &error),
        }
    }

    /// A write has failed.
    pub(super) fn broke_secured(&mut self, connection: &mut Connection, error: &io::Error) {
        self.broke(connection, error);
        if error.raw_os_error().is_none() {
            self.sessions.set_close_errno(connection.id, code::SSL_SESSION_FAILED);
        }
        if let Some(tls) = connection.tls.as_deref_mut() {
            (tls.sealed, tls.sent) = (Vec::new(), 0);
        }
    }

    /// Tells the peer, once, that nothing more comes; false while the socket has not taken it.
    pub(super) fn has_said_end(&mut self, connection: &mut Connection) -> bool {
        let is_reset = connection.input == Input::Over(Why::PeerReset);
        let Some(tls) = connection.tls.as_deref_mut().filter(|_| !is_reset) else { return true };
        if !std::mem::replace(&mut tls.has_said_end, true) {
            tls.engine.close(&mut tls.sealed);
            self.send_queued(connection);
        }
        connection.tls.as_ref().is_none_or(|tls| tls.waiting() == 0)
    }

    /// The stream has ended or broken, in the middle of something perhaps.
    fn see_end(&mut self, connection: &mut Connection) {
        let Some(tls) = connection.tls.as_deref().filter(|_| connection.input != Input::Open) else { return };
        if connection.intro.is_some() {
            add(&self.counters.failed_handshakes, 1);
            self.log.limited().info(|| {
                format!(
                    "session {}: the client has left in the TLS handshake (error {})",
                    connection.id,
                    code::SSL_RESET
                )
            });
        } else if !tls.engine.is_ended() && connection.input == Input::Over(Why::PeerEnded) {
            add(&self.counters.truncations, 1);
            self.sessions.set_close_errno(connection.id, code::SSL_RESET);
            self.log.limited().info(|| {
                format!(
                    "session {}: the client has ended without saying so in TLS (error {})",
                    connection.id,
                    code::SSL_RESET
                )
            });
        }
    }

    /// What has come is no TLS, or the client is not taken.
    fn fail(&mut self, connection: &mut Connection, failure: &Failure) {
        let id = connection.id;
        if connection.intro.is_some() {
            add(&self.counters.failed_handshakes, 1);
            self.log.limited().info(|| format!("session {id}: the TLS handshake has failed: {failure}; closing"));
            // The socket stays until the client has been told why.
            connection.end_input(Why::Misframed);
        } else {
            add(&self.counters.protocol_errors, 1);
            self.log.limited().info(|| format!("session {id}: TLS is broken: {failure}; closing"));
            self.sessions.set_close_errno(id, failure.code);
            connection.end_input(Why::PeerReset);
            connection.output.clear();
        }
    }

    /// A session ends that had a certificate.
    pub(super) fn forget_certificate(&self, connection: &Connection) {
        if connection.has_certificate
            && let Some(certificates) = &self.certificates
        {
            certificates.forget(self.sessions.index(connection.id));
        }
    }
}
