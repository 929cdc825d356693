//! Sockets: listening ones and accepted ones, all non-blocking.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, getsockname, listen, setsockopt,
    socket, sockopt,
};

use crate::check;
use crate::memory::SharedBytes;
use crate::own::Own;
use crate::regular::RegularFile;

/// A bound socket that listens once told to.
#[derive(Debug)]
pub struct Listener {
    fd: Own,
}

/// What comes to a socket of IPv6 that is bound to no address in particular.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ipv6 {
    /// What comes by IPv6.
    Alone,
    /// What comes by IPv4 as well, unless `net.ipv6.bindv6only` says otherwise.
    AsTheKernelHasIt,
}

impl Listener {
    /// Binds to `address` with `SO_REUSEADDR`.
    pub fn bind(address: SocketAddr, ipv6: Ipv6) -> io::Result<Self> {
        let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd = socket(family, SockType::Stream, flags, SockProtocol::Tcp)?;
        setsockopt(&fd, sockopt::ReuseAddr, &true)?;
        if address.is_ipv6() && ipv6 == Ipv6::Alone {
            setsockopt(&fd, sockopt::Ipv6V6Only, &true)?;
        }
        bind(fd.as_raw_fd(), &SockaddrStorage::from(address))?;
        Ok(Self { fd: Own::new(fd) })
    }

    /// Binds to a path, at which there is nothing yet.
    pub fn bind_unix(path: &std::path::Path) -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
        bind(fd.as_raw_fd(), &nix::sys::socket::UnixAddr::new(path)?)?;
        Ok(Self { fd: Own::new(fd) })
    }

    /// The address it is bound to, with the number the kernel chose for port 0.
    pub fn address(&self) -> io::Result<SocketAddr> {
        let address: SockaddrStorage = getsockname(self.fd.as_raw_fd())?;
        to_std(&address).ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }

    /// Starts to listen with room for `backlog` connections that nobody has accepted yet.
    pub fn listen(&self, backlog: u32) -> io::Result<()> {
        let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
        let backlog = Backlog::new(backlog).or_else(|_| Backlog::new(4096)).map_err(io::Error::from)?;
        listen(&*self.fd, backlog)?;
        Ok(())
    }

    /// One that listens already.
    pub(crate) fn of(fd: OwnedFd) -> Self {
        Self { fd: Own::new(fd) }
    }

    /// Ends listening for all descriptors of this socket: who has not been accepted is reset, who comes is refused.
    pub fn stop_listening(&self) -> io::Result<()> {
        nix::sys::socket::shutdown(self.fd.as_raw_fd(), nix::sys::socket::Shutdown::Read)?;
        Ok(())
    }

    /// Takes the next connection, and the address of its client if that has one; `WouldBlock` when there is none.
    pub fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        // SAFETY: a zeroed sockaddr_storage is valid; the kernel writes at most `len` bytes into it. The
        // descriptor that is returned is ours alone.
        let (stream, storage) = unsafe {
            let mut storage: libc::sockaddr_storage = std::mem::zeroed();
            let mut len = STORAGE_LEN;
            let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
            let fd = check(libc::accept4(self.fd.as_raw_fd(), (&raw mut storage).cast(), &raw mut len, flags))?;
            (Stream { fd: Own::new(OwnedFd::from_raw_fd(fd)) }, storage)
        };
        Ok((stream, from_storage(&storage)))
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "128 bytes")]
const STORAGE_LEN: libc::socklen_t = size_of::<libc::sockaddr_storage>() as libc::socklen_t;

/// An accepted connection.
#[derive(Debug)]
pub struct Stream {
    fd: Own,
}

/// One piece of a gathered write.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'a> {
    /// Bytes of this process.
    Private(&'a [u8]),
    /// Bytes of the segment.
    Shared(SharedBytes<'a>),
}

impl Piece<'_> {
    /// How many bytes it has.
    pub fn len(&self) -> usize {
        match self {
            Self::Private(bytes) => bytes.len(),
            Self::Shared(bytes) => bytes.len(),
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn as_iovec(&self) -> libc::iovec {
        match self {
            Self::Private(bytes) => libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() },
            Self::Shared(bytes) => libc::iovec { iov_base: bytes.as_ptr().cast(), iov_len: bytes.len() },
        }
    }
}

/// The most pieces that one gathered write takes; more are left for the next.
pub const MAX_PIECES: usize = 64;

impl Stream {
    /// Takes over a descriptor from its number, as [`Stream::into_raw`] gave it.
    ///
    /// # Errors
    /// `EBADF` when it is not open.
    pub fn from_raw(fd: RawFd) -> io::Result<Self> {
        // SAFETY: no pointers; F_GETFD only looks.
        check(unsafe { libc::fcntl(fd, libc::F_GETFD) })?;
        // SAFETY: it is open, and the number comes from `into_raw`, whose caller gave up the ownership.
        Ok(Self { fd: Own::new(unsafe { OwnedFd::from_raw_fd(fd) }) })
    }

    /// Gives up the ownership; the descriptor stays open.
    pub fn into_raw(self) -> RawFd {
        self.fd.into_raw()
    }

    /// Lets the close that follows reset the connection: what was not sent is dropped, the peer sees an error.
    pub fn reset_on_close(&self) -> io::Result<()> {
        setsockopt(&*self.fd, sockopt::Linger, &libc::linger { l_onoff: 1, l_linger: 0 })?;
        Ok(())
    }

    /// Tells the peer that nothing more will come.
    pub fn shutdown_write(&self) -> io::Result<()> {
        nix::sys::socket::shutdown(self.fd.as_raw_fd(), nix::sys::socket::Shutdown::Write)?;
        Ok(())
    }

    /// Receives into private memory; 0 is the end.
    pub fn recv(&self, into: &mut [u8]) -> io::Result<usize> {
        // SAFETY: `into` is writable for its length.
        self.recv_raw(into.as_mut_ptr(), into.len())
    }

    /// Receives straight into the segment; 0 is the end.
    pub fn recv_shared(&self, into: SharedBytes<'_>) -> io::Result<usize> {
        self.recv_raw(into.as_ptr(), into.len())
    }

    fn recv_raw(&self, into: *mut u8, len: usize) -> io::Result<usize> {
        loop {
            // SAFETY: both callers pass memory that is writable for `len` bytes and outlives the call.
            let received = unsafe { libc::recv(self.fd.as_raw_fd(), into.cast(), len, 0) };
            match usize::try_from(received) {
                Ok(received) => return Ok(received),
                Err(_) => {
                    let error = io::Error::last_os_error();
                    if error.kind() != io::ErrorKind::Interrupted {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Sends what the socket takes of one piece.
    pub fn send(&self, piece: &Piece<'_>) -> io::Result<usize> {
        let piece = piece.as_iovec();
        loop {
            // SAFETY: the piece's memory is readable for its length and outlives the call.
            let sent = unsafe { libc::send(self.fd.as_raw_fd(), piece.iov_base, piece.iov_len, libc::MSG_NOSIGNAL) };
            if let Some(result) = sent_or_error(sent) {
                return result;
            }
        }
    }

    /// Sends what the socket takes of the first [`MAX_PIECES`] pieces, in one system call.
    pub fn send_gathered(&self, pieces: &[Piece<'_>]) -> io::Result<usize> {
        if let [piece] = pieces {
            return self.send(piece);
        }
        let mut vectors = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; MAX_PIECES];
        let count = pieces.len().min(MAX_PIECES);
        for (vector, piece) in vectors.iter_mut().zip(pieces) {
            *vector = piece.as_iovec();
        }
        loop {
            // SAFETY: a zeroed msghdr is valid; its vectors are a local array of which `count` are filled, each
            // readable for its length for as long as `pieces` is borrowed.
            let sent = unsafe {
                let mut message: libc::msghdr = std::mem::zeroed();
                message.msg_iov = vectors.as_mut_ptr();
                message.msg_iovlen = count as _;
                libc::sendmsg(self.fd.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL)
            };
            if let Some(result) = sent_or_error(sent) {
                return result;
            }
        }
    }

    /// Sends what the socket takes of a part of a file, without a copy in this process; 0: the file ends before it. Fewer
    /// bytes than were asked for do not mean that the socket is full.
    pub fn send_file(&self, file: &RegularFile, offset: u64, len: usize) -> io::Result<usize> {
        let mut at = libc::off_t::try_from(offset).map_err(io::Error::other)?;
        loop {
            // SAFETY: the call reads and writes one offset, which is a local.
            let sent = unsafe { libc::sendfile(self.fd.as_raw_fd(), file.as_fd().as_raw_fd(), &raw mut at, len) };
            if let Some(result) = sent_or_error(sent) {
                return result;
            }
        }
    }

    /// Bytes that were handed to the kernel and that the peer has not confirmed.
    pub fn unsent(&self) -> io::Result<usize> {
        let mut count: libc::c_int = 0;
        // SAFETY: the call writes one int.
        check(unsafe { libc::ioctl(self.fd.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) })?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// The error that broke the connection, if one did; asking clears it.
    pub fn take_error(&self) -> io::Result<i32> {
        Ok(nix::sys::socket::getsockopt(&*self.fd, sockopt::SocketError)?)
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn sent_or_error(sent: isize) -> Option<io::Result<usize>> {
    match usize::try_from(sent) {
        Ok(sent) => Some(Ok(sent)),
        Err(_) => {
            let error = io::Error::last_os_error();
            (error.kind() != io::ErrorKind::Interrupted).then_some(Err(error))
        }
    }
}

fn to_std(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(SocketAddr::new(IpAddr::V4(v4.ip()), v4.port()));
    }
    address.as_sockaddr_in6().map(|v6| SocketAddr::new(IpAddr::V6(v6.ip()), v6.port()))
}

fn from_storage(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    let place = (&raw const *storage).cast::<u8>();
    match i32::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says which of the address types lies here, and the storage is large enough and
            // aligned for each of them.
            let v4 = unsafe { &*place.cast::<libc::sockaddr_in>() };
            Some(SocketAddr::new(Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr)).into(), u16::from_be(v4.sin_port)))
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let v6 = unsafe { &*place.cast::<libc::sockaddr_in6>() };
            Some(SocketAddr::new(Ipv6Addr::from(v6.sin6_addr.s6_addr).into(), u16::from_be(v6.sin6_port)))
        }
        _ => None,
    }
}

/// Waits until `fd` is readable or `timeout` has passed; says whether it is.
pub fn wait_readable(fd: BorrowedFd<'_>, timeout: Duration) -> io::Result<bool> {
    let mut poll = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: one valid pollfd.
    let ready = check(unsafe { libc::poll(&raw mut poll, 1, timeout_ms) })?;
    Ok(ready > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn an_accepted_connection_echoes_gathered_pieces_in_order() {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), Ipv6::Alone).unwrap();
        listener.listen(8).unwrap();
        let mut client = std::net::TcpStream::connect(listener.address().unwrap()).unwrap();
        client.write_all(b"ping").unwrap();
        assert!(wait_readable(listener.as_fd(), Duration::from_secs(10)).unwrap());
        let (stream, peer) = listener.accept().unwrap();
        assert_eq!(peer, Some(client.local_addr().unwrap()));
        assert!(wait_readable(stream.as_fd(), Duration::from_secs(10)).unwrap());
        let mut received = [0; 16];
        assert_eq!(stream.recv(&mut received).unwrap(), 4);
        assert_eq!(stream.send_gathered(&[Piece::Private(b"po"), Piece::Private(b"ng")]).unwrap(), 4);
        drop(Stream::from_raw(stream.into_raw()).unwrap());
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "pong");
    }

    #[test]
    fn an_address_in_use_is_refused() {
        let first = Listener::bind("127.0.0.1:0".parse().unwrap(), Ipv6::Alone).unwrap();
        first.listen(1).unwrap();
        let error = Listener::bind(first.address().unwrap(), Ipv6::Alone).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EADDRINUSE));
    }
}
