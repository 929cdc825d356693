//! Numbers that a socket is told. What a listening TCP socket is told, the connections that it takes have from it, so
//! that no accept costs a system call more.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use crate::check;

/// What a socket can be told by a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketOption {
    /// 1: small writes leave at once; 0: they are gathered.
    Nodelay,
    /// 1: a silent peer is asked whether it is still there.
    KeepAlive,
    /// Seconds of silence before it is asked.
    KeepIdle,
    /// Seconds between two questions.
    KeepInterval,
    /// Questions without an answer after which the connection is over.
    KeepCount,
    /// Milliseconds that sent bytes may stay unconfirmed before the connection is over.
    UserTimeout,
    /// Seconds that a connection may wait for its first bytes before it can be accepted without them.
    DeferAccept,
    /// Connections that may wait with bytes in their first packet, before their handshake is over.
    FastOpen,
    /// Bytes of the kernel's receive buffer.
    ReceiveBuffer,
    /// Bytes of the kernel's send buffer.
    SendBuffer,
}

impl SocketOption {
    fn level_and_name(self) -> (libc::c_int, libc::c_int) {
        match self {
            Self::Nodelay => (libc::IPPROTO_TCP, libc::TCP_NODELAY),
            Self::KeepAlive => (libc::SOL_SOCKET, libc::SO_KEEPALIVE),
            Self::KeepIdle => (libc::IPPROTO_TCP, libc::TCP_KEEPIDLE),
            Self::KeepInterval => (libc::IPPROTO_TCP, libc::TCP_KEEPINTVL),
            Self::KeepCount => (libc::IPPROTO_TCP, libc::TCP_KEEPCNT),
            Self::UserTimeout => (libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT),
            Self::DeferAccept => (libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT),
            Self::FastOpen => (libc::IPPROTO_TCP, libc::TCP_FASTOPEN),
            Self::ReceiveBuffer => (libc::SOL_SOCKET, libc::SO_RCVBUF),
            Self::SendBuffer => (libc::SOL_SOCKET, libc::SO_SNDBUF),
        }
    }

    /// Tells a socket.
    pub fn set(self, socket: &impl AsFd, value: i32) -> io::Result<()> {
        let (level, name) = self.level_and_name();
        let fd = socket.as_fd().as_raw_fd();
        // SAFETY: the kernel reads one int, which is a local.
        check(unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), INT_LEN) })?;
        Ok(())
    }

    /// Asks a socket. Buffers are given as they were asked for: the kernel doubles them for its own needs.
    pub fn get(self, socket: &impl AsFd) -> io::Result<i32> {
        let (level, name) = self.level_and_name();
        let fd = socket.as_fd().as_raw_fd();
        let (mut value, mut len): (libc::c_int, _) = (0, INT_LEN);
        // SAFETY: the kernel writes at most `len` bytes, which is one int.
        check(unsafe { libc::getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut len) })?;
        Ok(if matches!(self, Self::ReceiveBuffer | Self::SendBuffer) { value / 2 } else { value })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "4 bytes")]
const INT_LEN: libc::socklen_t = size_of::<libc::c_int>() as libc::socklen_t;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::{Ipv6, Listener, wait_readable};
    use std::time::Duration;

    #[test]
    fn an_accepted_connection_has_the_options_of_its_listener() {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), Ipv6::Alone).unwrap();
        let told = [
            (SocketOption::Nodelay, 1),
            (SocketOption::KeepAlive, 1),
            (SocketOption::KeepIdle, 77),
            (SocketOption::KeepInterval, 11),
            (SocketOption::KeepCount, 3),
            (SocketOption::UserTimeout, 4321),
            (SocketOption::ReceiveBuffer, 8192),
            (SocketOption::SendBuffer, 16384),
        ];
        for (option, value) in told {
            assert_ne!(option.get(&listener).unwrap(), value, "{option:?}");
            option.set(&listener, value).unwrap();
        }
        listener.listen(8).unwrap();
        let _client = std::net::TcpStream::connect(listener.address().unwrap()).unwrap();
        assert!(wait_readable(listener.as_fd(), Duration::from_secs(10)).unwrap());
        let (stream, _) = listener.accept().unwrap();
        for (option, value) in told {
            assert_eq!(option.get(&stream).unwrap(), value, "{option:?}");
        }
    }

    #[test]
    fn a_unix_socket_knows_no_options_of_tcp() {
        let path = std::env::temp_dir().join(format!("rotor-option-{}", std::process::id()));
        let listener = Listener::bind_unix(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let error = SocketOption::Nodelay.set(&listener, 1).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EOPNOTSUPP));
        SocketOption::SendBuffer.set(&listener, 8192).unwrap();
    }
}
