//! Sockets that were open when this process began: those that listen, and those for datagrams.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::socket::{SockType, SockaddrStorage, getpeername, getsockname, getsockopt, sockopt};

use crate::check;
use crate::datagram::Datagrams;
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
    /// One that listens: TCP, or a unix stream socket.
    Listener(Name),
    /// One for datagrams of whoever sends some: UDP, or a unix socket.
    Datagrams(Name),
    /// A stream socket that does not listen: a connection, perhaps.
    NotListening,
    /// A socket for datagrams that has a single peer.
    Connected,
    /// Something else.
    Other,
}

/// What a socket is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// An address and number of the Internet protocols.
    Inet(SocketAddr),
    /// A path, which is empty where there is none, and begins with a NUL where the name is none of the file system.
    Unix(PathBuf),
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

    /// Makes one that listens this process's own: it is closed on exec, and never blocks.
    pub fn into_listener(self) -> io::Result<Listener> {
        Ok(Listener::of(self.take()?))
    }

    /// The same with one for datagrams.
    pub fn into_datagrams(self) -> io::Result<Datagrams> {
        Datagrams::of(self.take()?)
    }

    fn take(self) -> io::Result<OwnedFd> {
        // SAFETY: it was open when it was found, and whoever has started this process has given it away.
        let fd = unsafe { OwnedFd::from_raw_fd(self.number) };
        fcntl(&fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        let flags = OFlag::from_bits_retain(fcntl(&fd, FcntlArg::F_GETFL)?);
        fcntl(&fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        Ok(fd)
    }
}

fn kind_of(fd: BorrowedFd<'_>) -> io::Result<Kind> {
    let kind = getsockopt(&fd, sockopt::SockType)?;
    if !matches!(kind, SockType::Stream | SockType::Datagram) {
        return Ok(Kind::Other);
    }
    let Some(name) = name_of(fd)? else { return Ok(Kind::Other) };
    Ok(match kind {
        SockType::Datagram if getpeername::<SockaddrStorage>(fd.as_raw_fd()).is_ok() => Kind::Connected,
        SockType::Datagram => Kind::Datagrams(name),
        _ if getsockopt(&fd, sockopt::AcceptConn)? => Kind::Listener(name),
        _ => Kind::NotListening,
    })
}

/// What it is bound to; `None` for a family that is none of ours.
fn name_of(fd: BorrowedFd<'_>) -> io::Result<Option<Name>> {
    let address: SockaddrStorage = getsockname(fd.as_raw_fd())?;
    if let Some(v4) = address.as_sockaddr_in() {
        return Ok(Some(Name::Inet(SocketAddr::new(IpAddr::V4(v4.ip()), v4.port()))));
    }
    if let Some(v6) = address.as_sockaddr_in6() {
        return Ok(Some(Name::Inet(SocketAddr::new(IpAddr::V6(v6.ip()), v6.port()))));
    }
    Ok(address.as_unix_addr().map(|unix| {
        Name::Unix(match (unix.path(), unix.as_abstract()) {
            (Some(path), _) => path.to_owned(),
            (None, Some(name)) => std::ffi::OsStr::from_bytes(&[b"\0", name].concat()).into(),
            (None, None) => PathBuf::new(),
        })
    }))
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
        assert_eq!(kind(listener).unwrap(), Kind::Listener(Name::Inet(address)));
        let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = udp.local_addr().unwrap();
        let peer = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        peer.connect(address).unwrap();
        assert_eq!(kind(udp).unwrap(), Kind::Datagrams(Name::Inet(address)));
        assert_eq!(kind(peer).unwrap(), Kind::Connected);
        let path = std::env::temp_dir().join(format!("rotor-inherited-{}", std::process::id()));
        let unix = std::os::unix::net::UnixListener::bind(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(kind(unix).unwrap(), Kind::Listener(Name::Unix(path.clone())));
        let datagrams = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(kind(datagrams).unwrap(), Kind::Datagrams(Name::Unix(path)));
        let unbound = std::os::unix::net::UnixDatagram::unbound().unwrap();
        assert_eq!(kind(unbound).unwrap(), Kind::Datagrams(Name::Unix(PathBuf::new())));
        let file = kind(std::fs::File::open("/dev/null").unwrap()).unwrap_err();
        assert_eq!(file.raw_os_error(), Some(libc::ENOTSOCK));
        assert_eq!(Inherited::find(1 << 20).unwrap_err().raw_os_error(), Some(libc::EBADF));
    }

    #[test]
    fn one_for_datagrams_that_was_taken_over_knows_what_was_missed_before() {
        let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let peer = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = udp.local_addr().unwrap();
        nix::sys::socket::setsockopt(&udp, sockopt::RcvBuf, &0).unwrap();
        for _ in 0..64 {
            peer.send_to(&[7; 512], address).unwrap();
        }
        let taken = Inherited::find(udp.into_raw_fd()).unwrap().into_datagrams().unwrap();
        let missed = taken.missed();
        assert!(missed > 0, "64 datagrams do not fit");
        let mut received = crate::datagram::Received::new();
        let count = taken.receive(&mut received).unwrap();
        assert_eq!(count, 64 - missed as usize);
        assert!(received.iter().all(|datagram| datagram.bytes == [7; 512]));
        assert_eq!(taken.receive(&mut received).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(taken.missed(), missed);
        peer.send_to(b"next", address).unwrap();
        taken.receive(&mut received).unwrap();
        assert_eq!(received.take_missed(), Some(missed), "as the kernel says itself");
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
