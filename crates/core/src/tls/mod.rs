//! TLS on a port: what its handshakes begin with ([`PortTls`]), and a connection's side of it ([`Engine`]): bytes in,
//! bytes out, no socket. The protocol itself is rustls's.
//!
//! The way of a setting: its text → [`Options`], which names no file's content → [`PortTls::load`], which reads the
//! files, at `start()` and again at each reload.

mod ciphers;
mod engine;
mod error;
mod files;
mod groups;
mod load;
mod shown;
mod sni;
#[cfg(test)]
mod tests;
mod validity;
mod verify;

use std::path::PathBuf;

use rustls::{CipherSuite, NamedGroup};

pub use ciphers::{parse as parse_ciphers, without as ciphers_without};
pub use engine::{Engine, Fed, MOST_SEALED, Terms, sealed_len, suite_name};
pub use error::Failure;
pub use groups::parse as parse_groups;
pub use load::PortTls;
pub use shown::{CertificateReader, CertificateWriter, certificates, to_pem};
pub use sni::parse as parse_host;

/// What a port was told about TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The server's certificate and those between it and a root, in PEM.
    pub cert_file: Option<PathBuf>,
    /// Its private key, in PEM.
    pub key_file: Option<PathBuf>,
    /// Other certificates, by the host that the client asks for.
    pub hosts: Vec<(String, KeyPair)>,
    /// The versions of the protocol.
    pub versions: Versions,
    /// The cipher suites, the best first.
    pub ciphers: Vec<CipherSuite>,
    /// Whether the order of the suites counts, and not the client's.
    pub prefers_own_order: bool,
    /// The groups for the key exchange, the best first.
    pub groups: Vec<NamedGroup>,
    /// How clients show who they are; `None`: they need not.
    pub clients: Option<ClientCheck>,
    /// The protocols that a client may choose from, the best first; empty: it is not asked.
    pub alpn: Vec<Vec<u8>>,
    /// Whether clients get tickets to resume a session.
    pub has_tickets: bool,
}

/// The files of a certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    /// The certificate, and those between it and a root.
    pub cert_file: PathBuf,
    /// The private key.
    pub key_file: PathBuf,
}

/// Versions of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    /// 1.2 and 1.3.
    Both,
    /// 1.2 alone.
    Tls12,
    /// 1.3 alone.
    Tls13,
}

/// What a client's certificate must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCheck {
    /// Certificates that are trusted, and whose names the client is told.
    pub client_cert_file: Option<PathBuf>,
    /// More that are trusted.
    pub ca_file: Option<PathBuf>,
    /// A folder of files with more.
    pub ca_path: Option<PathBuf>,
    /// The most certificates between the client's and a trusted one; `None`: as many as are verified at all.
    pub depth: Option<usize>,
    /// Whether a certificate that has signed itself is taken, of whomever.
    pub allows_self_signed: bool,
}

impl Default for Options {
    /// As rustls would have it, and nothing to begin with.
    fn default() -> Self {
        Self {
            cert_file: None,
            key_file: None,
            hosts: Vec::new(),
            versions: Versions::Both,
            ciphers: parse_ciphers("").unwrap_or_default(),
            prefers_own_order: true,
            groups: parse_groups("").unwrap_or_default(),
            clients: None,
            alpn: Vec::new(),
            has_tickets: true,
        }
    }
}

impl Versions {
    /// The versions that a sum of the peer's bits means; 0: all.
    pub fn from_bits(bits: i64) -> Option<Self> {
        Some(match bits {
            0 | 96 => Self::Both,
            32 => Self::Tls12,
            64 => Self::Tls13,
            _ => return None,
        })
    }
}
