//! The same echo over TLS, by rustls's ordinary interface.

use std::io::{self, IoSlice, Read, Write};
use std::os::fd::RawFd;
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, MsgFlags, SockaddrIn, recv, sendmsg};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{Error as TlsError, ServerConfig, ServerConnection};

/// The server's side of a connection.
pub struct Secured {
    tls: Option<ServerConnection>,
}

/// What connections begin with: the same certificate and the same tickets as Rotor's.
pub fn config() -> Result<Arc<ServerConfig>, TlsError> {
    let damaged = |error| TlsError::General(format!("the bench's certificate is damaged: {error}"));
    let chain = CertificateDer::pem_slice_iter(include_bytes!("../../tls/server.crt"));
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(damaged)?;
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../../tls/server.key")).map_err(damaged)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.ticketer = ring::Ticketer::new()?;
    config.ignore_client_order = true;
    Ok(Arc::new(config))
}

impl Secured {
    /// A new connection; one that cannot be made ends at its first event.
    pub fn new(config: &Arc<ServerConfig>) -> Self {
        let mut tls = ServerConnection::new(Arc::clone(config)).ok();
        if let Some(tls) = &mut tls {
            tls.set_buffer_limit(None);
        }
        Self { tls }
    }

    /// Echoes what has come; an error is the end of the connection.
    pub fn serve(&mut self, fd: RawFd, buffer: &mut [u8]) -> io::Result<()> {
        let tls = self.tls.as_mut().ok_or(io::ErrorKind::ConnectionAborted)?;
        loop {
            // A client that does not read stops being read.
            while tls.wants_write() {
                match tls.write_tls(&mut Socket(fd)) {
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
            let received = match recv(fd, buffer, MsgFlags::empty()) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(received) => received,
                Err(Errno::EAGAIN) => return Ok(()),
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(error.into()),
            };
            let mut rest = &buffer[..received];
            let mut plain = [0; 16 << 10];
            while !rest.is_empty() {
                tls.read_tls(&mut rest)?;
                tls.process_new_packets().map_err(io::Error::other)?;
                while let Ok(len @ 1..) = tls.reader().read(&mut plain) {
                    tls.writer().write_all(&plain[..len])?;
                }
            }
        }
    }
}

/// A socket to write to.
struct Socket(RawFd);

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        const NOTHING: &[ControlMessage<'_>] = &[];
        Ok(sendmsg::<SockaddrIn>(self.0, slices, NOTHING, MsgFlags::MSG_NOSIGNAL, None)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
