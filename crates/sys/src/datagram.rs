//! Sockets that carry datagrams, non-blocking: many received and sent in one system call.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::sys::socket::{
    AddressFamily, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, getsockname, setsockopt, socket, sockopt,
};

use crate::memory::SharedBytes;
use crate::own::Own;
use crate::socket::Ipv6;

/// The most datagrams of one system call.
pub const MAX_DATAGRAMS: usize = 32;
/// Room for one that is received: the largest that the Internet protocols carry, and as much from a unix socket.
pub const LARGEST: usize = 64 << 10;
/// The longest name of a unix socket in bytes, with the NUL that an abstract one begins with.
pub const LONGEST_NAME: usize = 108;

/// Where a datagram comes from or goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// A unix socket without a name: nobody can send to it.
    Unnamed,
    /// An address and number of the Internet protocols.
    Inet(SocketAddr),
    /// A unix socket's name.
    Unix(UnixName),
}

/// The name of a unix socket: a path, or any bytes behind a NUL.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnixName {
    bytes: [u8; LONGEST_NAME],
    len: u8,
}

impl UnixName {
    /// The name with these bytes; `None` when they are too many, or none.
    pub fn new(name: &[u8]) -> Option<Self> {
        // A path needs the NUL behind it.
        let most = if name.first()? == &0 { LONGEST_NAME } else { LONGEST_NAME - 1 };
        if name.len() > most {
            return None;
        }
        let mut bytes = [0; LONGEST_NAME];
        bytes[..name.len()].copy_from_slice(name);
        Some(Self { bytes, len: u8::try_from(name.len()).ok()? })
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Debug for UnixName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for UnixName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().escape_ascii().fmt(f)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unnamed => f.write_str("a socket without a name"),
            Self::Inet(address) => address.fmt(f),
            Self::Unix(name) => name.fmt(f),
        }
    }
}

/// The number of a network interface, from its name.
pub fn interface_named(name: &str) -> io::Result<u32> {
    Ok(nix::net::if_::if_nametoindex(name)?)
}

/// A socket that is bound, and so receives.
#[derive(Debug)]
pub struct Datagrams {
    fd: Own,
}

/// A datagram to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// To whom.
    pub to: &'a Address,
    /// What.
    pub bytes: Bytes<'a>,
}

/// The bytes of a datagram to be sent.
#[derive(Clone, Copy, Debug)]
pub enum Bytes<'a> {
    /// Of this process.
    Private(&'a [u8]),
    /// Of the segment.
    Shared(SharedBytes<'a>),
}

impl Datagrams {
    /// Binds to `address`. The kernel's count of datagrams that found no room comes with what is received.
    pub fn bind(address: SocketAddr, ipv6: Ipv6) -> io::Result<Self> {
        let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd = socket(family, SockType::Datagram, flags, SockProtocol::Udp)?;
        if address.is_ipv6() && ipv6 == Ipv6::Alone {
            setsockopt(&fd, sockopt::Ipv6V6Only, &true)?;
        }
        setsockopt(&fd, sockopt::RxqOvfl, &1)?;
        bind(fd.as_raw_fd(), &SockaddrStorage::from(address))?;
        Ok(Self { fd: Own::new(fd) })
    }

    /// Binds to a path, at which there is nothing yet. Nobody may send to it before its file's permissions are set:
    /// whoever has connected could go on. Gives also the permissions that the umask would have left it.
    pub fn bind_unix(path: &Path) -> io::Result<(Self, u32)> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd = socket(AddressFamily::Unix, SockType::Datagram, flags, None)?;
        let name = nix::sys::socket::UnixAddr::new(path)?;
        let umask = nix::sys::stat::umask(nix::sys::stat::Mode::all());
        let bound = bind(fd.as_raw_fd(), &name);
        nix::sys::stat::umask(umask);
        bound?;
        Ok((Self { fd: Own::new(fd) }, 0o777 & !umask.bits()))
    }

    /// The address it is bound to, with the number the kernel chose for port 0.
    pub fn address(&self) -> io::Result<SocketAddr> {
        let address: SockaddrStorage = getsockname(self.fd.as_raw_fd())?;
        let v4 = address.as_sockaddr_in().map(|v4| SocketAddrV4::from(*v4).into());
        let v6 = || address.as_sockaddr_in6().map(|v6| SocketAddrV6::from(*v6).into());
        v4.or_else(v6).ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }

    /// One that somebody else has bound, and that does not block.
    pub(crate) fn of(fd: OwnedFd) -> io::Result<Self> {
        setsockopt(&fd, sockopt::RxqOvfl, &1)?;
        Ok(Self { fd: Own::new(fd) })
    }

    /// How many the kernel has dropped for want of room since the socket was made; a count that wraps.
    pub fn missed(&self) -> u32 {
        let mut counts = [0_u32; MEMINFO_COUNTS];
        let mut len = MEMINFO_LEN;
        // SAFETY: `counts` has room for as many bytes as `len` says, and both outlive the call.
        let result = unsafe {
            let place = counts.as_mut_ptr().cast();
            libc::getsockopt(self.fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_MEMINFO, place, &raw mut len)
        };
        if result == 0 { counts[MEMINFO_DROPS] } else { 0 }
    }

    /// Receives up to [`MAX_DATAGRAMS`]; fewer have emptied the socket. `WouldBlock` when there is none.
    pub fn receive(&self, into: &mut Received) -> io::Result<usize> {
        into.count = 0;
        // SAFETY: zeroed headers, vectors and names are valid.
        let mut headers: [libc::mmsghdr; MAX_DATAGRAMS] = unsafe { std::mem::zeroed() };
        let mut vectors = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: LARGEST }; MAX_DATAGRAMS];
        let mut controls = [[0_u64; CONTROL_WORDS]; MAX_DATAGRAMS];
        for (place, header) in headers.iter_mut().enumerate() {
            vectors[place].iov_base = into.bytes[place * LARGEST..].as_mut_ptr().cast();
            header.msg_hdr.msg_iov = &raw mut vectors[place];
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_name = (&raw mut into.names[place]).cast();
            header.msg_hdr.msg_namelen = NAME_LEN;
            header.msg_hdr.msg_control = (&raw mut controls[place]).cast();
            header.msg_hdr.msg_controllen = size_of::<[u64; CONTROL_WORDS]>() as _;
        }
        let count = loop {
            // SAFETY: each header points to a vector, a name and a control buffer of its own, all of which outlive the
            // call; its vector to LARGEST bytes of the buffer, of which there are MAX_DATAGRAMS times as many.
            let received = unsafe {
                libc::recvmmsg(self.fd.as_raw_fd(), headers.as_mut_ptr(), MAX_VECTOR, 0, std::ptr::null_mut())
            };
            match usize::try_from(received) {
                Ok(count) => break count,
                Err(_) => {
                    let error = io::Error::last_os_error();
                    if error.kind() != io::ErrorKind::Interrupted {
                        return Err(error);
                    }
                }
            }
        };
        for (place, header) in headers[..count].iter().enumerate() {
            let flags = header.msg_hdr.msg_flags;
            into.found[place] = Found {
                len: (header.msg_len as usize).min(LARGEST),
                from: address_from(&into.names[place], header.msg_hdr.msg_namelen as usize),
                is_truncated: flags & libc::MSG_TRUNC != 0,
            };
            if let Some(missed) = missed_before(&header.msg_hdr) {
                into.missed = Some(missed);
            }
        }
        into.count = count;
        Ok(count)
    }

    /// Sends up to [`MAX_DATAGRAMS`] of these. Says how many of the first were taken; an error is about the first.
    pub fn send(&self, outgoing: &[Outgoing<'_>]) -> io::Result<usize> {
        let count = outgoing.len().min(MAX_DATAGRAMS);
        // SAFETY: as in `receive`.
        let mut headers: [libc::mmsghdr; MAX_DATAGRAMS] = unsafe { std::mem::zeroed() };
        let mut vectors = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; MAX_DATAGRAMS];
        // SAFETY: as above.
        let mut names: [libc::sockaddr_storage; MAX_DATAGRAMS] = unsafe { std::mem::zeroed() };
        for (place, datagram) in outgoing[..count].iter().enumerate() {
            vectors[place] = match datagram.bytes {
                Bytes::Private(bytes) => {
                    libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() }
                }
                Bytes::Shared(bytes) => libc::iovec { iov_base: bytes.as_ptr().cast(), iov_len: bytes.len() },
            };
            let header = &mut headers[place].msg_hdr;
            header.msg_iov = &raw mut vectors[place];
            header.msg_iovlen = 1;
            header.msg_namelen = address_into(datagram.to, &mut names[place]);
            header.msg_name = (&raw mut names[place]).cast();
        }
        loop {
            // SAFETY: `count` headers are filled, each with a name and a vector that outlive the call; the vectors point
            // to bytes that `outgoing` borrows, which are only read.
            let sent = unsafe {
                let count = libc::c_uint::try_from(count).unwrap_or(0);
                libc::sendmmsg(self.fd.as_raw_fd(), headers.as_mut_ptr(), count, libc::MSG_NOSIGNAL)
            };
            match usize::try_from(sent) {
                Ok(sent) => return Ok(sent),
                Err(_) => {
                    let error = io::Error::last_os_error();
                    if error.kind() != io::ErrorKind::Interrupted {
                        return Err(error);
                    }
                }
            }
        }
    }
}

impl AsFd for Datagrams {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Room for datagrams that are received together, and what the last call has brought.
pub struct Received {
    bytes: Vec<u8>,
    names: Box<[libc::sockaddr_storage; MAX_DATAGRAMS]>,
    found: Box<[Found; MAX_DATAGRAMS]>,
    count: usize,
    missed: Option<u32>,
}

#[derive(Clone, Copy)]
struct Found {
    len: usize,
    from: Address,
    is_truncated: bool,
}

/// A datagram that was received.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// From whom.
    pub from: &'a Address,
    /// What.
    pub bytes: &'a [u8],
    /// It was larger than [`LARGEST`], and the rest is lost.
    pub is_truncated: bool,
}

impl Received {
    /// Room that is touched only as far as it is needed.
    pub fn new() -> Self {
        // SAFETY: zeroed names are valid.
        let names = unsafe { std::mem::zeroed() };
        Self {
            bytes: vec![0; MAX_DATAGRAMS * LARGEST],
            names: Box::new(names),
            found: Box::new([Found { len: 0, from: Address::Unnamed, is_truncated: false }; MAX_DATAGRAMS]),
            count: 0,
            missed: None,
        }
    }

    /// What the last call has brought, in order.
    pub fn iter(&self) -> impl Iterator<Item = Incoming<'_>> {
        self.found[..self.count].iter().enumerate().map(|(place, found)| Incoming {
            from: &found.from,
            bytes: &self.bytes[place * LARGEST..][..found.len],
            is_truncated: found.is_truncated,
        })
    }

    /// How many the kernel had dropped for want of room when it received the last of these, since the socket was made;
    /// a count that wraps. `None`: it has not said so since it was asked last.
    pub fn take_missed(&mut self) -> Option<u32> {
        self.missed.take()
    }
}

impl Default for Received {
    fn default() -> Self {
        Self::new()
    }
}

/// Room for one control message with a number of 32 bits: 24 bytes.
const CONTROL_WORDS: usize = 4;
#[expect(clippy::cast_possible_truncation, reason = "128 bytes")]
const NAME_LEN: libc::socklen_t = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
#[expect(clippy::cast_possible_truncation, reason = "a handful")]
const MAX_VECTOR: libc::c_uint = MAX_DATAGRAMS as libc::c_uint;
/// What the kernel tells of a socket's memory: so many counts, of which this one is of what it has dropped.
const MEMINFO_COUNTS: usize = 9;
const MEMINFO_DROPS: usize = 8;
#[expect(clippy::cast_possible_truncation, reason = "36 bytes")]
const MEMINFO_LEN: libc::socklen_t = size_of::<[u32; MEMINFO_COUNTS]>() as libc::socklen_t;
/// Where the name begins in a `sockaddr_un`.
const NAME_AT: usize = std::mem::offset_of!(libc::sockaddr_un, sun_path);

/// The kernel's count of datagrams that found no room, if it comes with this one.
fn missed_before(header: &libc::msghdr) -> Option<u32> {
    // SAFETY: the kernel has filled the control buffer that the header points to, and says how far; what the first
    // message carries lies in it whole where its type is the one that is expected.
    unsafe {
        let control = libc::CMSG_FIRSTHDR(header).as_ref()?;
        let is_count = control.cmsg_level == libc::SOL_SOCKET && control.cmsg_type == libc::SO_RXQ_OVFL;
        is_count.then(|| libc::CMSG_DATA(control).cast::<u32>().read_unaligned())
    }
}

/// The address that the kernel has written into `len` bytes of the storage.
fn address_from(storage: &libc::sockaddr_storage, len: usize) -> Address {
    let place = (&raw const *storage).cast::<u8>();
    if len < size_of::<libc::sa_family_t>() {
        return Address::Unnamed;
    }
    match i32::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says which of the address types lies here, and the storage is large enough and
            // aligned for each of them.
            let v4 = unsafe { &*place.cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Address::Inet(SocketAddr::new(IpAddr::V4(ip), u16::from_be(v4.sin_port)))
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let v6 = unsafe { &*place.cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            Address::Inet(SocketAddrV6::new(ip, u16::from_be(v6.sin6_port), 0, v6.sin6_scope_id).into())
        }
        libc::AF_UNIX => {
            // SAFETY: the storage has room for the whole name, and all its bytes are initialised.
            let name = unsafe { std::slice::from_raw_parts(place.add(NAME_AT), LONGEST_NAME) };
            let name = &name[..len.saturating_sub(NAME_AT).min(LONGEST_NAME)];
            let path = || name.iter().position(|byte| *byte == 0).map_or(name, |end| &name[..end]);
            let name = if name.first() == Some(&0) { name } else { path() };
            UnixName::new(name).map_or(Address::Unnamed, Address::Unix)
        }
        _ => Address::Unnamed,
    }
}

/// Writes an address as the kernel reads it, and says how long it is; 0 for one that does not exist.
#[expect(clippy::cast_possible_truncation, reason = "families and lengths are small")]
fn address_into(address: &Address, storage: &mut libc::sockaddr_storage) -> libc::socklen_t {
    let place = (&raw mut *storage).cast::<u8>();
    match address {
        Address::Unnamed => 0,
        Address::Inet(SocketAddr::V4(v4)) => {
            // SAFETY: the storage is large enough and aligned for each type of address, and zero is a valid one.
            let to = unsafe { &mut *place.cast::<libc::sockaddr_in>() };
            to.sin_family = libc::AF_INET as libc::sa_family_t;
            to.sin_port = v4.port().to_be();
            to.sin_addr.s_addr = u32::from(*v4.ip()).to_be();
            size_of::<libc::sockaddr_in>() as libc::socklen_t
        }
        Address::Inet(SocketAddr::V6(v6)) => {
            // SAFETY: as above.
            let to = unsafe { &mut *place.cast::<libc::sockaddr_in6>() };
            to.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            to.sin6_port = v6.port().to_be();
            to.sin6_addr.s6_addr = v6.ip().octets();
            to.sin6_scope_id = v6.scope_id();
            size_of::<libc::sockaddr_in6>() as libc::socklen_t
        }
        Address::Unix(name) => {
            storage.ss_family = libc::AF_UNIX as libc::sa_family_t;
            let bytes = name.as_bytes();
            // SAFETY: a name has at most LONGEST_NAME bytes, for which the storage has room behind the family.
            unsafe { place.add(NAME_AT).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
            // The NUL behind a path is there: the storage was zero, and a path is shorter than the longest name.
            let nul = usize::from(bytes.first() != Some(&0));
            (NAME_AT + bytes.len() + nul) as libc::socklen_t
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    use std::time::Duration;

    use super::*;
    use crate::socket::wait_readable;

    fn receive(socket: &Datagrams, into: &mut Received) -> usize {
        assert!(wait_readable(socket.as_fd(), Duration::from_secs(10)).unwrap());
        socket.receive(into).unwrap()
    }

    #[test]
    fn datagrams_of_every_length_come_and_go_whole_with_their_addresses() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(server) = Datagrams::bind(host.parse().unwrap(), Ipv6::Alone) else { continue };
            let client = std::net::UdpSocket::bind(host).unwrap();
            client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let mut received = Received::new();
            for len in [0, 1, 1500, 65_507] {
                let bytes = vec![7; len];
                client.send_to(&bytes, server.address().unwrap()).unwrap();
                assert_eq!(receive(&server, &mut received), 1);
                let incoming = received.iter().next().unwrap();
                assert_eq!((incoming.bytes.len(), incoming.is_truncated), (len, false));
                assert_eq!(*incoming.from, Address::Inet(client.local_addr().unwrap()));
                let answer = Outgoing { to: incoming.from, bytes: Bytes::Private(incoming.bytes) };
                assert_eq!(server.send(&[answer, answer]).unwrap(), 2);
                let mut echo = vec![0; 70_000];
                for _ in 0..2 {
                    assert_eq!(client.recv_from(&mut echo).unwrap(), (len, server.address().unwrap()));
                    assert_eq!(echo[..len], bytes);
                }
            }
            assert_eq!(server.receive(&mut received).unwrap_err().kind(), io::ErrorKind::WouldBlock);
            assert_eq!(received.iter().count(), 0);
        }
    }

    #[test]
    fn a_unix_socket_tells_named_peers_from_those_without_and_what_was_too_large_is_marked() {
        let folder = std::env::temp_dir().join(format!("rotor-datagrams-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("server");
        let (server, _) = Datagrams::bind_unix(&path).unwrap();
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0, "nobody may send yet");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let (named, unnamed) = (UnixDatagram::bind(folder.join("client")).unwrap(), UnixDatagram::unbound().unwrap());
        named.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut received = Received::new();
        named.send_to(b"hello", &path).unwrap();
        unnamed.send_to(&vec![1; LARGEST], &path).unwrap();
        unnamed.send_to(&vec![1; LARGEST + 1], &path).unwrap();
        assert_eq!(receive(&server, &mut received), 3);
        let all: Vec<_> = received.iter().map(|incoming| (incoming.bytes.len(), incoming.is_truncated)).collect();
        assert_eq!(all, [(5, false), (LARGEST, false), (LARGEST, true)]);
        let from: Vec<_> = received.iter().map(|incoming| *incoming.from).collect();
        let name = UnixName::new(folder.join("client").to_str().unwrap().as_bytes()).unwrap();
        assert_eq!(from, [Address::Unix(name), Address::Unnamed, Address::Unnamed]);
        server.send(&[Outgoing { to: &from[0], bytes: Bytes::Private(b"back") }]).unwrap();
        let mut answer = [0; 8];
        assert_eq!(named.recv(&mut answer).unwrap(), 4);
        drop(named);
        let error = server.send(&[Outgoing { to: &from[0], bytes: Bytes::Private(b"back") }]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn an_abstract_name_is_an_address_too() {
        let name = format!("\0rotor-datagrams-{}", std::process::id());
        let address = Address::Unix(UnixName::new(name.as_bytes()).unwrap());
        let peer = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name.as_bytes()[1..]).unwrap()).unwrap();
        peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let path = std::env::temp_dir().join(format!("rotor-datagrams-abstract-{}", std::process::id()));
        let (server, _) = Datagrams::bind_unix(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        server.send(&[Outgoing { to: &address, bytes: Bytes::Private(b"hello") }]).unwrap();
        assert_eq!(peer.recv(&mut [0; 8]).unwrap(), 5);
        peer.send_to(b"back", &path).unwrap();
        let mut received = Received::new();
        assert_eq!(receive(&server, &mut received), 1);
        assert_eq!(received.iter().next().unwrap().from, &address);
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_finds_no_room_is_counted_by_the_kernel() {
        let server = Datagrams::bind("127.0.0.1:0".parse().unwrap(), Ipv6::Alone).unwrap();
        let client = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut received = Received::new();
        for _ in 0..2000 {
            client.send_to(&[0; 8000], server.address().unwrap()).unwrap();
        }
        while server.receive(&mut received).is_ok() {}
        assert_eq!(received.take_missed(), None, "those that had room came before");
        client.send_to(&[0], server.address().unwrap()).unwrap();
        receive(&server, &mut received);
        assert!(received.take_missed().is_some_and(|missed| missed > 0));
        assert_eq!(received.take_missed(), None);
    }

    #[test]
    fn a_name_has_its_bounds() {
        assert!(UnixName::new(b"").is_none());
        assert!(UnixName::new(&[b'x'; 108]).is_none());
        assert!(UnixName::new(&[b'x'; 107]).is_some());
        assert!(UnixName::new(&[0; 108]).is_some());
        assert!(UnixName::new(&[0; 109]).is_none());
    }
}
