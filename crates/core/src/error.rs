//! Errors, sorted by who is at fault.

use std::fmt;

/// Why a server could not be set up or run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The caller used the API in a way that cannot work; the message says what to do.
    Misuse(String),
    /// A system call failed.
    System {
        /// What was being done, e.g. `cannot listen on 0.0.0.0:80`.
        doing: String,
        /// The errno.
        errno: i32,
        /// What the user can do about it; empty when the errno says it all.
        hint: String,
    },
    /// An invariant of ours does not hold: a bug, or shared memory that a process has overwritten.
    Broken(String),
}

impl Error {
    /// A failed system call, from the error it returned.
    pub fn system(doing: impl Into<String>, error: &std::io::Error) -> Self {
        Self::System { doing: doing.into(), errno: error.raw_os_error().unwrap_or(0), hint: String::new() }
    }

    /// The same error with advice behind it.
    #[must_use]
    pub fn with_hint(self, advice: impl Into<String>) -> Self {
        match self {
            Self::System { doing, errno, .. } => Self::System { doing, errno, hint: advice.into() },
            other => other,
        }
    }

    /// The errno of a failed system call, 0 otherwise: the code of the exception that PHP sees.
    pub fn errno(&self) -> i32 {
        match self {
            Self::System { errno, .. } => *errno,
            Self::Misuse(_) | Self::Broken(_) => 0,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misuse(message) => f.write_str(message),
            Self::System { doing, errno, hint } => {
                write!(f, "{doing}: {}", describe_errno(*errno))?;
                if hint.is_empty() { Ok(()) } else { write!(f, " ({hint})") }
            }
            Self::Broken(what) => write!(f, "internal error: {what}"),
        }
    }
}

impl std::error::Error for Error {}

/// The kernel's words for an errno, without the number that the standard library appends.
pub fn describe_errno(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// Why a run-time method returned false: what `getLastError()` gives, and the words of the warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// One of [`code`].
    pub code: i32,
    /// What was wrong and what to do, without the method's name.
    pub message: String,
}

impl CallError {
    /// An error with one of the codes of [`code`].
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CallError {}

/// Codes of `getLastError()`; those below 500 are errnos. The numbers are the peer's.
pub mod code {
    /// EMSGSIZE: no datagram is that large.
    pub const MESSAGE_TOO_LONG: i32 = 90;
    /// A path is longer than the kernel takes.
    pub const NAME_TOO_LONG: i32 = 504;
    /// A parameter makes no sense.
    pub const INVALID_PARAMS: i32 = 505;
    /// A bounded queue has no room.
    pub const QUEUE_FULL: i32 = 506;
    /// Something that it needs is not there.
    pub const UNSUPPORTED: i32 = 507;
    /// Not possible in this process or state.
    pub const WRONG_OPERATION: i32 = 509;
    /// The server is closing the session already.
    pub const SESSION_CLOSING: i32 = 1003;
    /// The session is closed.
    pub const SESSION_CLOSED: i32 = 1004;
    /// No session has this id.
    pub const SESSION_NOT_EXIST: i32 = 1005;
    /// A session id is a positive number.
    pub const SESSION_INVALID_ID: i32 = 1006;
    /// The connection's output queue is at `socket_buffer_size`.
    pub const OUTPUT_BUFFER_OVERFLOW: i32 = 1009;
    /// The TLS handshake of a connection is not over.
    pub const SSL_NOT_READY: i32 = 1011;
    /// A client that has to show a certificate shows none.
    pub const SSL_EMPTY_PEER_CERTIFICATE: i32 = 1013;
    /// A client's certificate is not taken.
    pub const SSL_VERIFY_FAILED: i32 = 1014;
    /// What a client sends is no TLS.
    pub const SSL_BAD_CLIENT: i32 = 1015;
    /// A client breaks the rules of TLS.
    pub const SSL_BAD_PROTOCOL: i32 = 1016;
    /// A connection has ended without the end that TLS has.
    pub const SSL_RESET: i32 = 1017;
    /// A TLS handshake has failed for another reason.
    pub const SSL_HANDSHAKE_FAILED: i32 = 1018;
    /// A TLS connection cannot do what is asked of it.
    pub const SSL_SESSION_FAILED: i32 = 1020;
    /// A message is larger than `package_max_length`.
    pub const PACKAGE_TOO_LARGE: i32 = 1201;
    /// A message's length or end was not found within `package_max_length`.
    pub const PACKAGE_LENGTH_NOT_FOUND: i32 = 1202;
    /// A `send` is larger than `output_buffer_size`.
    pub const DATA_TOO_LARGE: i32 = 1203;
    /// A message's length field makes no sense.
    pub const PACKAGE_MALFORMED: i32 = 1204;
    /// What was to be sent is no regular file.
    pub const NOT_REGULAR_FILE: i32 = 9013;
}
