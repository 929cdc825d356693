//! The codes of `getLastError()` and `onProtocolError` that are no errnos: the constants of `Rotor\Error`. Names and numbers
//! are the peer's, also of what does not arise here, since applications compare with them.

use rotor_core::error::code;

use crate::zend::{Answer, Call, ClassRef, Constant, Value, functions};

/// The class `Rotor\Error`.
pub static CLASS: ClassRef = ClassRef::new();

/// The class constants.
pub static CONSTANTS: [Constant; CODES.len()] = {
    let mut all: [Constant; CODES.len()] = [("", 0); CODES.len()];
    let mut place = 0;
    while place < all.len() {
        all[place] = (CODES[place].0, CODES[place].1 as i64);
        place += 1;
    }
    all
};

/// What a code means, in words.
pub fn describe(number: i32) -> Option<&'static str> {
    CODES.iter().find(|(_, known, _)| *known == number).map(|(_, _, words)| *words)
}

functions! {
    /// The methods of `Rotor\Error`.
    pub static METHODS = [
        private "__construct" () => construct;
    ]
}

/// Private: there is nothing to make.
fn construct(_call: &mut Call<'_>) -> Answer {
    Ok(Value::Null)
}

/// Each code's name, number and meaning.
const CODES: &[(&str, i32, &str)] = &[
    ("MALLOC_FAIL", 501, "out of memory"),
    ("SYSTEM_CALL_FAIL", 502, "a system call has failed"),
    ("PHP_FATAL_ERROR", 503, "fatal error of PHP"),
    ("NAME_TOO_LONG", 504, "name is too long"),
    ("INVALID_PARAMS", code::INVALID_PARAMS, "invalid parameters"),
    ("QUEUE_FULL", code::QUEUE_FULL, "queue is full"),
    ("OPERATION_NOT_SUPPORT", code::UNSUPPORTED, "not supported here"),
    ("PROTOCOL_ERROR", 508, "protocol error"),
    ("WRONG_OPERATION", code::WRONG_OPERATION, "wrong operation in this state or process"),
    ("NO_PAYLOAD", 550, "no payload"),
    ("FILE_NOT_EXIST", 700, "file does not exist"),
    ("FILE_TOO_LARGE", 701, "file is too large"),
    ("FILE_EMPTY", 702, "file is empty"),
    ("DIR_NOT_EXIST", 703, "directory does not exist"),
    ("BAD_IPV6_ADDRESS", 720, "bad IPv6 address"),
    ("UNREGISTERED_SIGNAL", 721, "signal without a callback"),
    ("BAD_HOST_ADDR", 722, "bad address"),
    ("BAD_PORT", 723, "bad port number"),
    ("BAD_SOCKET_TYPE", 724, "bad type of socket"),
    ("EVENT_REMOVE_FAILED", 800, "cannot remove from the event loop"),
    ("EVENT_ADD_FAILED", 801, "cannot add to the event loop"),
    ("EVENT_UPDATE_FAILED", 802, "cannot update in the event loop"),
    ("EVENT_UNKNOWN_DATA", 803, "unknown event"),
    ("SESSION_CLOSED_BY_SERVER", 1001, "session closed by the server"),
    ("SESSION_CLOSED_BY_CLIENT", 1002, "session closed by the client"),
    ("SESSION_CLOSING", code::SESSION_CLOSING, "session is being closed"),
    ("SESSION_CLOSED", code::SESSION_CLOSED, "session is closed"),
    ("SESSION_NOT_EXIST", code::SESSION_NOT_EXIST, "session does not exist"),
    ("SESSION_INVALID_ID", code::SESSION_INVALID_ID, "invalid session id"),
    ("SESSION_DISCARD_TIMEOUT_DATA", 1007, "data of a closed session discarded"),
    ("SESSION_DISCARD_DATA", 1008, "data discarded"),
    ("OUTPUT_BUFFER_OVERFLOW", code::OUTPUT_BUFFER_OVERFLOW, "output buffer overflow"),
    ("OUTPUT_SEND_YIELD", 1010, "send has to wait"),
    ("SSL_NOT_READY", code::SSL_NOT_READY, "TLS handshake not over"),
    ("SSL_CANNOT_USE_SENDFILE", 1012, "no sendfile over TLS"),
    ("SSL_EMPTY_PEER_CERTIFICATE", code::SSL_EMPTY_PEER_CERTIFICATE, "no client certificate"),
    ("SSL_VERIFY_FAILED", code::SSL_VERIFY_FAILED, "client certificate not taken"),
    ("SSL_BAD_CLIENT", code::SSL_BAD_CLIENT, "no TLS"),
    ("SSL_BAD_PROTOCOL", code::SSL_BAD_PROTOCOL, "TLS broken"),
    ("SSL_RESET", code::SSL_RESET, "ended without the end of TLS"),
    ("SSL_HANDSHAKE_FAILED", code::SSL_HANDSHAKE_FAILED, "TLS handshake failed"),
    ("SSL_CREATE_CONTEXT_FAILED", 1019, "TLS cannot be prepared"),
    ("SSL_CREATE_SESSION_FAILED", code::SSL_SESSION_FAILED, "TLS connection cannot go on"),
    ("PACKAGE_LENGTH_TOO_LARGE", code::PACKAGE_TOO_LARGE, "package is too large"),
    ("PACKAGE_LENGTH_NOT_FOUND", code::PACKAGE_LENGTH_NOT_FOUND, "length of the package not found"),
    ("DATA_LENGTH_TOO_LARGE", code::DATA_TOO_LARGE, "data is too large"),
    ("PACKAGE_MALFORMED_DATA", code::PACKAGE_MALFORMED, "malformed package"),
    ("TASK_PACKAGE_TOO_BIG", 2001, "task is too large"),
    ("TASK_DISPATCH_FAIL", 2002, "task cannot be dispatched"),
    ("TASK_TIMEOUT", 2003, "task not done in time"),
    ("SERVER_MUST_CREATED_BEFORE_CLIENT", 9001, "the server must be made before clients"),
    ("SERVER_TOO_MANY_SOCKET", 9002, "too many sockets"),
    ("SERVER_WORKER_TERMINATED", 9003, "worker has ended"),
    ("SERVER_INVALID_LISTEN_PORT", 9004, "invalid port to listen on"),
    ("SERVER_TOO_MANY_LISTEN_PORT", 9005, "too many ports"),
    ("SERVER_PIPE_BUFFER_FULL", 9006, "pipe is full"),
    ("SERVER_NO_IDLE_WORKER", 9007, "no idle worker"),
    ("SERVER_ONLY_START_ONE", 9008, "one server only"),
    ("SERVER_SEND_IN_MASTER", 9009, "cannot send in the master"),
    ("SERVER_INVALID_REQUEST", 9010, "invalid request"),
    ("SERVER_CONNECT_FAIL", 9011, "connection failed"),
    ("SERVER_INVALID_COMMAND", 9012, "invalid command"),
    ("SERVER_IS_NOT_REGULAR_FILE", 9013, "not a regular file"),
    ("SERVER_SEND_TO_WORKER_TIMEOUT", 9014, "sending to the worker takes too long"),
    ("SERVER_INVALID_CALLBACK", 9015, "invalid callback"),
    ("SERVER_UNRELATED_THREAD", 9016, "unrelated thread"),
    ("SERVER_WORKER_EXIT_TIMEOUT", 9101, "worker does not leave in time"),
    ("SERVER_WORKER_ABNORMAL_PIPE_DATA", 9102, "abnormal data in the pipe"),
    ("SERVER_WORKER_UNPROCESSED_DATA", 9103, "data left unprocessed"),
];
