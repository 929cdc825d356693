//! What a connection reads and writes: its socket, with or without TLS.

use std::io::{self, IoSlice, Read, Write};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error as TlsError, SignatureScheme};

use crate::socket::Socket;

/// A socket, and its TLS if it has some.
#[derive(Debug)]
pub struct Wire {
    /// The socket.
    pub socket: Socket,
    tls: Option<Box<ClientConnection>>,
}

impl Wire {
    /// A socket that is being connected.
    pub fn new(socket: Socket, tls: Option<&Arc<ClientConfig>>) -> io::Result<Self> {
        let tls = tls.map(|config| connection(config).map(Box::new)).transpose().map_err(io::Error::other)?;
        Ok(Self { socket, tls })
    }

    /// Whether a read that brought less than it had room for has left nothing in the socket.
    pub fn drains(&self) -> bool {
        self.tls.is_none()
    }

    /// Sends what TLS has of its own: of a handshake, and what the socket did not take before.
    pub fn flush(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        while tls.wants_write() {
            match tls.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// As of a socket. With TLS all is taken, unless something of before waits for the socket.
    pub fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.flush()?;
        let Some(tls) = &mut self.tls else { return self.socket.write_vectored(slices) };
        if tls.wants_write() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut written = 0;
        for slice in slices {
            tls.writer().write_all(slice)?;
            written += slice.len();
        }
        self.flush()?;
        Ok(written)
    }

    /// As of a socket; an end that TLS was not told of is an error.
    pub fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.socket.read(into) };
        loop {
            match tls.reader().read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
            tls.read_tls(&mut self.socket)?;
            tls.process_new_packets().map_err(io::Error::other)?;
        }
    }

    /// Says that nothing more will be written.
    pub fn finish(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
        }
        // An error here means that the server ended first: reading tells how.
        _ = self.flush();
        self.socket.finish();
    }
}

fn connection(config: &Arc<ClientConfig>) -> Result<ClientConnection, TlsError> {
    let host = ServerName::try_from("localhost").map_err(|_| TlsError::General("localhost is no name".into()))?;
    let mut connection = ClientConnection::new(Arc::clone(config), host)?;
    // How much is written at once is the caller's to say.
    connection.set_buffer_limit(None);
    Ok(connection)
}

/// Takes whatever certificate the server has, and has no ticket: each handshake is a whole one.
pub fn client_config() -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

/// Believes every certificate whose key has signed.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
