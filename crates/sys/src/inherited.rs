//! Listening sockets that were open when this process began.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::socket::{SockType, SockaddrStorage, getsockname, getsockopt, sockopt};

use crate::check;
use crate::socket::Listener;

/// A socket that this process was given by whoever has started it.
#[derive(Debug)]
pub struct Inherited {
    number: RawFd,
    kind: Kind,
}

/// What such a socket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A TCP socket that listens.
    Inet(SocketAddr),
    /// A unix stream socket that listens. The path is empty where it has no name, and begins with a NUL where the name is
    /// none of the file system.
    Unix(PathBuf),
    /// A stream socket that does not listen: a connection, perhaps.
    NotListening,
    /// A socket for datagrams.
    Datagrams,
    /// Something else.
    Other,
}

impl Inherited {
    /// Looks what a descriptor is. Fails with `EBADF` when it is not open, with `ENOTSOCK` when it is no socket.
    pub fn find(number: RawFd) -> io::Result<Self> {
        // SAFETY: no pointers; F_GETFD only looks.
        check(unsafe { libc::fcntl(number, libc::F_GETFD) })?;
        // SAFETY: it is open, and nobody closes it while it is looked at: it belongs to nobody yet.
        let fd = unsafe { BorrowedFd::borrow_raw(number) };
        Ok(Self { number, kind: kind_of(fd)? })
    }

    /// What it is.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Makes it this process's own: it is closed on exec, and never blocks.
    pub fn into_listener(self) -> io::Result<Listener> {
        // SAFETY: it was open when it was found, and whoever has started this process has given it away.
        let fd = unsafe { OwnedFd::from_raw_fd(self.number) };
        fcntl(&fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        let flags = OFlag::from_bits_retain(fcntl(&fd, FcntlArg::F_GETFL)?);
        fcntl(&fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        Ok(Listener::of(fd))
    }
}

fn kind_of(fd: BorrowedFd<'_>) -> io::Result<Kind> {
    match getsockopt(&fd, sockopt::SockType)? {
        SockType::Stream => {}
        SockType::Datagram => return Ok(Kind::Datagrams),
        _ => return Ok(Kind::Other),
    }
    let address: SockaddrStorage = getsockname(fd.as_raw_fd())?;
    let kind = if let Some(v4) = address.as_sockaddr_in() {
        Kind::Inet(SocketAddr::new(IpAddr::V4(v4.ip()), v4.port()))
    } else if let Some(v6) = address.as_sockaddr_in6() {
        Kind::Inet(SocketAddr::new(IpAddr::V6(v6.ip()), v6.port()))
    } else if let Some(unix) = address.as_unix_addr() {
        let name = match (unix.path(), unix.as_abstract()) {
            (Some(path), _) => path.to_owned(),
            (None, Some(name)) => std::ffi::OsStr::from_bytes(&[b"\0", name].concat()).into(),
            (None, None) => PathBuf::new(),
        };
        Kind::Unix(name)
    } else {
        return Ok(Kind::Other);
    };
    Ok(if getsockopt(&fd, sockopt::AcceptConn)? { kind } else { Kind::NotListening })
}

/// Takes variables out of this process's environment, which what it starts would get.
pub fn forget_variables(names: &[&str]) {
    for name in names {
        // SAFETY: called by the script's thread before the server has any other, and PHP without thread safety has
        // none; a thread of another extension that read the environment just now would race with any `putenv()`.
        unsafe { std::env::remove_var(name) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::{AsFd, IntoRawFd};

    fn kind(socket: impl IntoRawFd) -> io::Result<Kind> {
        let number = socket.into_raw_fd();
        let found = Inherited::find(number).map(|inherited| inherited.kind().clone());
        // SAFETY: given away by the line above.
        drop(unsafe { OwnedFd::from_raw_fd(number) });
        found
    }

    #[test]
    fn a_descriptor_is_told_by_what_it_leads_to() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = std::net::TcpStream::connect(address).unwrap();
        assert_eq!(kind(client).unwrap(), Kind::NotListening);
        assert_eq!(kind(listener).unwrap(), Kind::Inet(address));
        assert_eq!(kind(std::net::UdpSocket::bind("127.0.0.1:0").unwrap()).unwrap(), Kind::Datagrams);
        let path = std::env::temp_dir().join(format!("rotor-inherited-{}", std::process::id()));
        let unix = std::os::unix::net::UnixListener::bind(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(kind(unix).unwrap(), Kind::Unix(path));
        let file = kind(std::fs::File::open("/dev/null").unwrap()).unwrap_err();
        assert_eq!(file.raw_os_error(), Some(libc::ENOTSOCK));
        assert_eq!(Inherited::find(1 << 20).unwrap_err().raw_os_error(), Some(libc::EBADF));
    }

    #[test]
    fn one_that_was_taken_over_is_closed_on_exec_and_does_not_block() {
        let number = std::net::TcpListener::bind("127.0.0.1:0").unwrap().into_raw_fd();
        // SAFETY: no pointers; as a service manager leaves it.
        unsafe { libc::fcntl(number, libc::F_SETFD, 0) };
        let listener = Inherited::find(number).unwrap().into_listener().unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        // SAFETY: no pointers.
        assert_eq!(unsafe { libc::fcntl(listener.as_fd().as_raw_fd(), libc::F_GETFD) }, libc::FD_CLOEXEC);
    }
}
