//! A client in memory, and what it needs.

mod certificates;
mod clients;
mod files;
mod handshakes;
mod records;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::*;
pub use certificates::*;

/// A folder that goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("rotor-tls-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A file in it.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// What a port needs.
    pub fn options(&self) -> Options {
        Options {
            cert_file: Some(self.file("server.crt", SERVER)),
            key_file: Some(self.file("server.key", SERVER_KEY)),
            ..Options::default()
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// Any certificate with its key; each is its own.
pub fn certified() -> Arc<CertifiedKey> {
    let key = PrivateKeyDer::from_pem_slice(SERVER_KEY.as_bytes()).unwrap();
    Arc::new(CertifiedKey::from_der(vec![der(SERVER)], key, &ring::default_provider()).unwrap())
}

/// What a client is made of.
pub struct Client {
    pub versions: Versions,
    pub host: &'static str,
    pub alpn: Vec<Vec<u8>>,
    /// Its certificates and its key.
    pub certificate: Option<(&'static [&'static str], &'static str)>,
}

impl Default for Client {
    fn default() -> Self {
        Self { versions: Versions::Both, host: "localhost", alpn: Vec::new(), certificate: None }
    }
}

impl Client {
    pub fn config(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(der(CA)).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(load::versions(self.versions))
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match &self.certificate {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let chain = chain.iter().map(|pem| der(pem)).collect();
                builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap()
            }
        };
        config.alpn_protocols.clone_from(&self.alpn);
        Arc::new(config)
    }

    pub fn connect(&self) -> ClientConnection {
        ClientConnection::new(self.config(), ServerName::try_from(self.host).unwrap()).unwrap()
    }
}

/// Both ends of a connection. Bytes go between them in pieces of at most so many.
pub struct Pair {
    pub client: ClientConnection,
    pub server: Engine,
    pub piece: usize,
    /// What the server has received.
    pub plain: Vec<u8>,
    pub is_open: bool,
    pub is_ended: bool,
}

impl Pair {
    pub fn new(client: ClientConnection, port: &PortTls) -> Self {
        let server = port.engine().unwrap();
        Self { client, server, piece: usize::MAX, plain: Vec::new(), is_open: false, is_ended: false }
    }

    /// Lets the two talk until neither has anything to say.
    ///
    /// # Errors
    /// The server's, and the client's as text.
    pub fn talk(&mut self) -> Result<(), Result<String, Failure>> {
        loop {
            let mut sent = Vec::new();
            while self.client.wants_write() {
                self.client.write_tls(&mut sent).unwrap();
            }
            if sent.is_empty() {
                return Ok(());
            }
            let mut answer = Vec::new();
            for piece in sent.chunks_mut(self.piece) {
                let fed = self.server.feed(piece, &mut self.plain, &mut answer);
                let told = self.hear(&answer);
                answer.clear();
                let fed = fed.map_err(Err)?;
                told.map_err(Ok)?;
                self.is_open |= fed.is_open;
                self.is_ended |= fed.is_ended;
            }
        }
    }

    /// # Errors
    /// The client's.
    pub fn hear(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while !bytes.is_empty() {
            let mut piece = &bytes[..bytes.len().min(self.piece)];
            let len = piece.len();
            self.client.read_tls(&mut piece).unwrap();
            bytes = &bytes[len - piece.len()..];
            self.client.process_new_packets().map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Seals, and has the client read.
    pub fn answer(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut got = Vec::new();
        for part in bytes.chunks(MOST_SEALED) {
            let mut sealed = vec![0; sealed_len(part.len())];
            let len = self.server.seal(part, &mut sealed).unwrap();
            // The client has room for a record at a time.
            let (piece, sealed) = (self.piece.min(4096), &sealed[..len]);
            for some in sealed.chunks(piece) {
                self.hear(some).unwrap();
                let mut buffer = vec![0; MOST_SEALED];
                while let Ok(len @ 1..) = std::io::Read::read(&mut self.client.reader(), &mut buffer) {
                    got.extend_from_slice(&buffer[..len]);
                }
            }
        }
        got
    }
}

/// Both ends after the handshake.
pub fn open(client: &Client, options: &Options) -> Pair {
    let port = PortTls::load(options, "a port").unwrap();
    let mut pair = Pair::new(client.connect(), &port);
    pair.talk().unwrap();
    assert!(pair.is_open && !pair.client.is_handshaking());
    pair
}
