//! Why a connection's TLS broke, sorted by what the peer's error codes tell apart.

use std::fmt;

use rustls::{CertificateError, Error};

use crate::error::code;

/// Why a connection cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// One of [`code`].
    pub code: i32,
    /// What was wrong.
    what: String,
}

impl Failure {
    /// By rustls's judgement.
    pub(super) fn of(error: &Error) -> Self {
        let code = match error {
            Error::NoCertificatesPresented => code::SSL_EMPTY_PEER_CERTIFICATE,
            Error::InvalidCertificate(_) | Error::InvalidCertRevocationList(_) => code::SSL_VERIFY_FAILED,
            Error::InvalidMessage(_) => code::SSL_BAD_CLIENT,
            Error::InappropriateMessage { .. }
            | Error::InappropriateHandshakeMessage { .. }
            | Error::PeerMisbehaved(_)
            | Error::DecryptError
            | Error::PeerSentOversizedRecord => code::SSL_BAD_PROTOCOL,
            _ => code::SSL_HANDSHAKE_FAILED,
        };
        Self { code, what: words(error) }
    }

    /// What the client does not keep to.
    pub(super) fn bad_client(what: &str) -> Self {
        Self { code: code::SSL_BAD_CLIENT, what: what.to_owned() }
    }

    /// The state of a connection does not allow what is asked.
    pub(super) fn session(what: impl fmt::Display) -> Self {
        Self { code: code::SSL_SESSION_FAILED, what: what.to_string() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (error {})", self.what, self.code)
    }
}

impl std::error::Error for Failure {}

/// An error of ours inside a certificate's error is told in its own words.
fn words(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::Other(other)) => other.to_string(),
        Error::NoCertificatesPresented => "the client shows no certificate (ssl_verify_peer)".to_owned(),
        Error::InvalidMessage(message) => format!("what came is no TLS: {message:?}"),
        _ => error.to_string(),
    }
}
