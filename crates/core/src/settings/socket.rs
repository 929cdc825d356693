//! What the kernel is told of a port's sockets.

/// What the kernel is told of a port's sockets. What is for TCP means nothing to a unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketSettings {
    /// TCP: whether small writes leave at once.
    pub nodelay: bool,
    /// TCP: seconds that a connection may take to send its first bytes before it is accepted without them.
    pub defer_accept_seconds: Option<i32>,
    /// TCP: whether a client may send its first bytes with its first packet.
    pub fast_open: bool,
    /// TCP: when a silent peer is asked whether it is still there.
    pub keep_alive: Option<KeepAlive>,
    /// TCP: milliseconds that sent bytes may stay unconfirmed.
    pub user_timeout_ms: Option<i32>,
    /// Bytes of the kernel's receive buffer.
    pub receive_buffer: Option<i32>,
    /// Bytes of the kernel's send buffer.
    pub send_buffer: Option<i32>,
}

/// When a silent peer is asked whether it is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// Seconds of silence before the first question.
    pub idle_seconds: i32,
    /// Seconds between two of them.
    pub interval_seconds: i32,
    /// So many without an answer end the connection.
    pub count: i32,
}

impl Default for SocketSettings {
    fn default() -> Self {
        Self {
            nodelay: true,
            defer_accept_seconds: None,
            fast_open: false,
            keep_alive: None,
            user_timeout_ms: None,
            receive_buffer: None,
            send_buffer: None,
        }
    }
}
