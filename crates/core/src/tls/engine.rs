//! A connection's side of TLS: what comes from the socket goes in by [`Engine::feed`], what is to be sent comes out of it,
//! of [`Engine::seal`] and of [`Engine::close`].
//!
//! Records are decrypted where they were received. Of what was received only the beginning of a record that is not all
//! there is kept; of what is to be sent nothing, so that whoever seals more than the socket takes has to keep it.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError, UnbufferedStatus, WriteTraffic,
};
use rustls::{CipherSuite, HandshakeKind, ProtocolVersion, ServerConfig};

use super::error::Failure;

/// The server's side of a connection.
pub struct Engine {
    connection: UnbufferedServerConnection,
    /// The beginning of what is not all there.
    partial: Vec<u8>,
    is_ended: bool,
    /// Nothing more can be done with it.
    is_broken: bool,
}

/// What feeding has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fed {
    /// With these bytes the handshake was complete.
    pub is_open: bool,
    /// With these bytes the peer has said that nothing more comes. More than that is not looked at.
    pub is_ended: bool,
}

/// What a handshake has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Whether it is version 1.3.
    pub is_tls13: bool,
    /// The cipher suite, by its registered number.
    pub suite: u16,
    /// The protocol that was chosen.
    pub alpn: Option<Vec<u8>>,
    /// The client's certificate, in DER.
    pub client_certificate: Option<Vec<u8>>,
    /// Whether the client came with a ticket.
    pub is_resumed: bool,
}

/// A record has at most so many bytes inside.
const FRAGMENT: usize = 16 << 10;
/// What is around them, and a change of keys that may come with them.
const AROUND: usize = 64;
/// What is kept of an incomplete record or handshake message is less than this, by the bounds that rustls has for both.
const MOST_PARTIAL: usize = 256 << 10;
/// So much is sealed at once at most.
pub const MOST_SEALED: usize = 4 * FRAGMENT;

/// The room that sealing so many bytes needs.
pub const fn sealed_len(bytes: usize) -> usize {
    bytes + (bytes.div_ceil(FRAGMENT) + 2) * AROUND
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("is_ended", &self.is_ended).finish_non_exhaustive()
    }
}

impl Engine {
    pub(super) fn new(config: Arc<ServerConfig>) -> Result<Self, Failure> {
        let connection = UnbufferedServerConnection::new(config).map_err(|error| Failure::of(&error))?;
        Ok(Self { connection, partial: Vec::new(), is_ended: false, is_broken: false })
    }

    /// Whether the handshake is not complete.
    pub fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Whether the peer has said that nothing more comes.
    pub fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Bytes of what is not all there.
    pub fn partial_len(&self) -> usize {
        self.partial.len()
    }

    /// What the handshake has come to; `None` before that.
    pub fn terms(&self) -> Option<Terms> {
        if self.is_handshaking() {
            return None;
        }
        let suite = self.connection.negotiated_cipher_suite()?.suite();
        let certificates = self.connection.peer_certificates().unwrap_or_default();
        Some(Terms {
            is_tls13: self.connection.protocol_version() == Some(ProtocolVersion::TLSv1_3),
            suite: suite.into(),
            alpn: self.connection.alpn_protocol().map(<[u8]>::to_vec),
            client_certificate: certificates.first().map(|certificate: &CertificateDer<'_>| certificate.to_vec()),
            is_resumed: self.connection.handshake_kind() == Some(HandshakeKind::Resumed),
        })
    }

    /// Takes what has come from the socket. What was in it is put behind `plain`, and what has to be sent for it behind
    /// `out`, also on an error: then it is the alert that tells the peer.
    ///
    /// # Errors
    /// When the connection cannot go on.
    pub fn feed(&mut self, received: &mut [u8], plain: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<Fed, Failure> {
        if self.is_ended || self.is_broken {
            return Ok(Fed::default());
        }
        let was_handshaking = self.is_handshaking();
        // Looked at here is what lies in one piece with its beginning.
        if self.partial.is_empty() {
            let taken = self.process(received, plain, out)?;
            self.partial.extend_from_slice(&received[taken..]);
        } else {
            let mut all = std::mem::take(&mut self.partial);
            all.extend_from_slice(received);
            let taken = self.process(&mut all, plain, out)?;
            all.drain(..taken);
            // An idle connection keeps no buffer.
            self.partial = if all.is_empty() { Vec::new() } else { all };
        }
        if self.partial.len() > MOST_PARTIAL {
            self.is_broken = true;
            return Err(Failure::bad_client("a message of the protocol is larger than any"));
        }
        Ok(Fed { is_open: was_handshaking && !self.is_handshaking(), is_ended: self.is_ended })
    }

    /// Processes all that is complete; returns how many bytes that were.
    fn process(&mut self, bytes: &mut [u8], plain: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<usize, Failure> {
        let mut taken = 0;
        loop {
            let UnbufferedStatus { mut discard, state } = self.connection.process_tls_records(&mut bytes[taken..]);
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(Ok(record)) = traffic.next_record() {
                        discard += record.discard;
                        plain.extend_from_slice(record.payload);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(data)) => encode(data, out),
                Ok(ConnectionState::TransmitTlsData(transmit)) => transmit.done(),
                Ok(ConnectionState::PeerClosed) => self.is_ended = true,
                Ok(ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_) | ConnectionState::Closed) => {
                    return Ok(taken + discard);
                }
                // Early data is not offered.
                Ok(_) => return Err(self.broke(Failure::session("rustls is in a state that it was not asked for"))),
                Err(error) => {
                    let failure = Failure::of(&error);
                    self.say_why(&mut bytes[taken + discard..], out);
                    return Err(self.broke(failure));
                }
            }
            taken += discard;
        }
    }

    /// Puts the alert that tells the peer of an error behind `out`. What was received is not looked at again: rustls does
    /// not expect that.
    fn say_why(&mut self, bytes: &mut [u8], out: &mut Vec<u8>) {
        while self.connection.wants_write() {
            match self.connection.process_tls_records(bytes).state {
                Ok(ConnectionState::EncodeTlsData(data)) => encode(data, out),
                Ok(_) | Err(_) => return,
            }
        }
    }

    fn broke(&mut self, failure: Failure) -> Failure {
        self.is_broken = true;
        failure
    }

    /// Encrypts up to [`MOST_SEALED`] bytes into `out`, which has room for [`sealed_len`] of them. Returns how many bytes
    /// came of it.
    ///
    /// # Errors
    /// When nothing can be sent any more.
    pub fn seal(&mut self, bytes: &[u8], out: &mut [u8]) -> Result<usize, Failure> {
        self.write(out, |traffic, out| traffic.encrypt(bytes, out))
    }

    /// Tells the peer that nothing more comes, by what it puts behind `out`; nothing where the handshake is not over, or
    /// the connection broken.
    pub fn close(&mut self, out: &mut Vec<u8>) {
        let begin = out.len();
        out.resize(begin + sealed_len(0), 0);
        let written = self.write(&mut out[begin..], |traffic, out| traffic.queue_close_notify(out));
        out.truncate(begin + written.unwrap_or(0));
    }

    /// Writes what rustls has waiting, and what `last` does.
    fn write(
        &mut self,
        out: &mut [u8],
        last: impl FnOnce(&mut Traffic<'_>, &mut [u8]) -> Result<usize, EncryptError>,
    ) -> Result<usize, Failure> {
        if self.is_broken {
            return Err(Failure::session("the connection is broken"));
        }
        let (mut written, mut last) = (0, Some(last));
        while last.is_some() {
            // What is not all there was looked at before, and rustls wants to see it where it was.
            let UnbufferedStatus { discard, state } = self.connection.process_tls_records(&mut self.partial);
            let result = match state {
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    data.encode(&mut out[written..]).map(|len| written += len).map_err(Failure::session)
                }
                Ok(ConnectionState::TransmitTlsData(transmit)) => {
                    transmit.done();
                    Ok(())
                }
                Ok(ConnectionState::PeerClosed) => {
                    self.is_ended = true;
                    Ok(())
                }
                Ok(ConnectionState::WriteTraffic(mut traffic)) => match last.take() {
                    Some(last) => {
                        last(&mut traffic, &mut out[written..]).map(|len| written += len).map_err(Failure::session)
                    }
                    None => Ok(()),
                },
                Ok(_) => Err(Failure::session("the handshake is not over, or the end was said")),
                Err(error) => Err(Failure::of(&error)),
            };
            self.partial.drain(..discard);
            result.map_err(|failure| self.broke(failure))?;
        }
        Ok(written)
    }
}

type Traffic<'a> = WriteTraffic<'a, ServerConnectionData>;

fn encode(mut data: EncodeTlsData<'_, ServerConnectionData>, out: &mut Vec<u8>) {
    let begin = out.len();
    // The first time it says how much room it needs.
    while let Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size })) =
        data.encode(&mut out[begin..]).map(|len| out.truncate(begin + len))
    {
        out.resize(begin + required_size, 0);
    }
}

/// The name of a cipher suite, as OpenSSL and the standards have it.
pub fn suite_name(number: u16) -> String {
    let name = CipherSuite::from(number).as_str().map(|name| name.replace("TLS13_", "TLS_"));
    name.unwrap_or_else(|| format!("0x{number:04x}"))
}
