//! The PROXY protocol, versions 1 and 2: what a proxy says about a client before the client's own bytes. No sockets.
//!
//! A header is told apart by its first byte, so it can be refused before all of it has come. Nothing behind it is
//! looked at: that is the client's.
//!
//! The specification is <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>.

mod binary;
mod text;

use std::fmt;
use std::net::SocketAddr;

pub use binary::{LONGEST_BINARY, SIGNATURE};
pub use text::LONGEST_TEXT;

/// How far a header has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// It may be one; more has to come.
    More,
    /// It is one.
    Header {
        /// Its bytes; what is behind them is the client's.
        len: usize,
        /// Who the client is.
        client: Client,
    },
}

/// Who a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// Who has connected: the proxy itself, which looks whether the server is well, or does not know better.
    AsConnected,
    /// One that has connected to the proxy.
    Inet(SocketAddr),
    /// One that has connected to the proxy by a unix socket.
    Unix,
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyError {
    /// They begin otherwise.
    NoHeader,
    /// They begin as one of version 1, and go on otherwise.
    Text(&'static str),
    /// They begin as one of version 2, and go on otherwise.
    Binary(&'static str),
}

/// Looks at what has come so far, from its first byte on.
pub fn parse(bytes: &[u8]) -> Result<Parsed, ProxyError> {
    match bytes.first() {
        None => Ok(Parsed::More),
        Some(b'P') => text::parse(bytes),
        Some(b'\r') => binary::parse(bytes),
        Some(_) => Err(ProxyError::NoHeader),
    }
}

/// Whether `bytes` begin with `start`, as far as they go.
fn begin_alike(bytes: &[u8], start: &[u8]) -> bool {
    let len = bytes.len().min(start.len());
    bytes[..len] == start[..len]
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeader => f.write_str("no PROXY header came first (open_proxy_protocol)"),
            Self::Text(what) => write!(f, "the PROXY header, of version 1, {what}"),
            Self::Binary(what) => write!(f, "the PROXY header, of version 2, {what}"),
        }
    }
}

impl std::error::Error for ProxyError {}

#[cfg(test)]
mod tests;
