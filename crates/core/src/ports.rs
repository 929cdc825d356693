//! Ports: what a server listens on.

mod activation;
pub mod options;

use std::fmt;
use std::fs::Permissions;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, lchown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use rotor_sys::datagram::Datagrams;
use rotor_sys::process;
use rotor_sys::socket::{Ipv6, Listener};

use crate::datagram::parse_ip;
use crate::error::{CallError, Error, describe_errno};
use crate::settings::{Names, PortSettings};

/// What a port listens on. The numbers are the peer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SockType {
    /// TCP over IPv4.
    Tcp = 1,
    /// UDP over IPv4.
    Udp = 2,
    /// TCP over IPv6.
    Tcp6 = 3,
    /// UDP over IPv6.
    Udp6 = 4,
    /// A unix socket that carries streams.
    UnixStream = 5,
    /// A unix socket that carries datagrams.
    UnixDgram = 6,
}

/// Where a port listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// An address and number of the Internet protocols.
    Inet(SocketAddr),
    /// A path.
    Unix(PathBuf),
}

/// What all processes know of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortInfo {
    /// Where it listens.
    pub address: Address,
    /// On what.
    pub sock_type: SockType,
    /// Whether it speaks TLS.
    pub is_tls: bool,
}

/// A port that is bound, and listens once the server starts.
#[derive(Debug)]
pub struct Bound {
    /// Its socket.
    pub socket: Socket,
    /// What is known of it.
    pub info: PortInfo,
    /// The file of a unix socket.
    pub file: Option<SocketFile>,
    /// Somebody else has opened it, keeps it open, and will give it to the next server.
    pub is_inherited: bool,
}

/// The socket of a port.
#[derive(Clone, Debug)]
pub enum Socket {
    /// It takes connections.
    Stream(Arc<Listener>),
    /// It receives.
    Datagrams(Arc<Datagrams>),
}

/// The socket of a port, for those that do not keep it open.
#[derive(Clone, Debug)]
pub enum WeakSocket {
    /// It takes connections.
    Stream(Weak<Listener>),
    /// It receives.
    Datagrams(Weak<Datagrams>),
}

impl Socket {
    /// Knows it and does not keep it open.
    pub fn downgrade(&self) -> WeakSocket {
        match self {
            Self::Stream(listener) => WeakSocket::Stream(Arc::downgrade(listener)),
            Self::Datagrams(datagrams) => WeakSocket::Datagrams(Arc::downgrade(datagrams)),
        }
    }
}

impl WeakSocket {
    /// The socket, if it is open.
    pub fn upgrade(&self) -> Option<Socket> {
        Some(match self {
            Self::Stream(listener) => Socket::Stream(listener.upgrade()?),
            Self::Datagrams(datagrams) => Socket::Datagrams(datagrams.upgrade()?),
        })
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Stream(listener) => listener.as_fd(),
            Self::Datagrams(datagrams) => datagrams.as_fd(),
        }
    }
}

/// The file of a unix socket. Whoever has it removes it in the end; a process that was forked meanwhile does not.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    inode: u64,
    owner: i32,
    /// The permissions that it gets where none are set; `None`: it has them.
    mode: Option<u32>,
}

/// The most ports: records carry the number in 15 bits.
pub const MOST_PORTS: usize = 1 << 15;
/// A unix socket's path may be no longer: the kernel's structure has room for so many bytes.
const LONGEST_PATH: usize = 107;

impl SockType {
    /// The type with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        Some(match number {
            1 => Self::Tcp,
            2 => Self::Udp,
            3 => Self::Tcp6,
            4 => Self::Udp6,
            5 => Self::UnixStream,
            6 => Self::UnixDgram,
            _ => return None,
        })
    }

    /// Whether it carries datagrams: there are no connections then.
    pub fn is_datagram(self) -> bool {
        matches!(self, Self::Udp | Self::Udp6 | Self::UnixDgram)
    }

    fn is_v6(self) -> bool {
        matches!(self, Self::Tcp6 | Self::Udp6)
    }
}

impl PortInfo {
    /// Whether both cannot be there at once: TCP and UDP have numbers of their own.
    pub fn is_at_the_same_place(&self, other: &Self) -> bool {
        self.address == other.address && self.sock_type.is_datagram() == other.sock_type.is_datagram()
    }
}

impl fmt::Display for PortInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if matches!(self.sock_type, SockType::Udp | SockType::Udp6) {
            f.write_str("udp:")?;
        }
        self.address.fmt(f)
    }
}

impl Address {
    /// The number of the port; 0 for a path.
    pub fn number(&self) -> u16 {
        match self {
            Self::Inet(address) => address.port(),
            Self::Unix(_) => 0,
        }
    }

    /// The error for an address that somebody has.
    pub fn in_use(&self) -> Error {
        cannot_listen(self, &std::io::Error::from_raw_os_error(EADDRINUSE))
    }

    /// The address without the number, or the path.
    pub fn host(&self) -> String {
        match self {
            Self::Inet(address) => address.ip().to_string(),
            Self::Unix(path) => shown(path),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", shown(path)),
        }
    }
}

impl Bound {
    /// Binds to an address of this machine, where port 0 lets the kernel choose one, or to a path. Under the peer's names
    /// all addresses of IPv6 are those of IPv4, too.
    pub fn bind(host: &str, port: u16, sock_type: SockType, names: Names) -> Result<Self, Error> {
        match sock_type {
            SockType::Tcp | SockType::Tcp6 | SockType::Udp | SockType::Udp6 => {
                let asked = inet_address(host, port, sock_type)?;
                let ipv6 = if names == Names::Swoole { Ipv6::AsTheKernelHasIt } else { Ipv6::Alone };
                let failed = |error: std::io::Error| cannot_listen(&Address::Inet(asked), &error);
                let (socket, address) = if sock_type.is_datagram() {
                    let datagrams = Datagrams::bind(asked, ipv6).map_err(failed)?;
                    let address = datagrams.address().map_err(failed)?;
                    (Socket::Datagrams(Arc::new(datagrams)), address)
                } else {
                    let listener = Listener::bind(asked, ipv6).map_err(failed)?;
                    let address = listener.address().map_err(failed)?;
                    (Socket::Stream(Arc::new(listener)), address)
                };
                let info = PortInfo { address: Address::Inet(address), sock_type, is_tls: false };
                Ok(Self { socket, info, file: None, is_inherited: false })
            }
            SockType::UnixStream | SockType::UnixDgram => {
                let path = socket_path(host)?;
                replace_stale(&path)?;
                let address = Address::Unix(path.clone());
                let failed = |error: std::io::Error| cannot_listen(&address, &error);
                let (socket, mode) = if sock_type.is_datagram() {
                    let (datagrams, mode) = Datagrams::bind_unix(&path).map_err(failed)?;
                    (Socket::Datagrams(Arc::new(datagrams)), Some(mode))
                } else {
                    (Socket::Stream(Arc::new(Listener::bind_unix(&path).map_err(failed)?)), None)
                };
                let file = SocketFile::of(path, mode).map_err(failed)?;
                let info = PortInfo { address, sock_type, is_tls: false };
                Ok(Self { socket, info, file: Some(file), is_inherited: false })
            }
        }
    }

    /// Lets the kernel take connections. The file of a unix socket gets its owner and permissions before that: until then
    /// nobody connects, and nobody may send to one that carries datagrams. Returns what is not as it was asked for.
    pub fn listen(&self, settings: &PortSettings) -> Result<Vec<String>, Error> {
        let is_stream = !self.info.sock_type.is_datagram();
        if is_stream
            && settings.proxy_trusted.as_ref().is_some_and(Vec::is_empty)
            && matches!(self.info.address, Address::Inet(_))
        {
            return Err(Error::Misuse(format!(
                "open_proxy_protocol on {} needs proxy_trusted: the addresses or networks of the proxies, such as \
                 [\"10.0.0.0/8\"]; nobody else may say who a client is",
                self.info.address
            )));
        }
        if let Some(file) = &self.file {
            self.give_away(file, settings)?;
        }
        let warnings = options::tell_port(self, &settings.socket)?;
        if let Socket::Stream(listener) = &self.socket
            && !self.is_inherited
        {
            listener.listen(settings.backlog).map_err(|error| cannot_listen(&self.info.address, &error))?;
        }
        Ok(warnings)
    }

    /// The sockets that systemd has opened, where host and port ask for them.
    pub fn passed(host: &str, port: u16) -> Option<Result<Vec<Self>, Error>> {
        Self::means_passed(host, port).then(activation::take)
    }

    /// Whether a host and a port stand for the sockets that systemd has opened.
    pub fn means_passed(host: &str, port: u16) -> bool {
        port == 0 && host.eq_ignore_ascii_case(activation::HOST)
    }

    /// Another descriptor of the socket.
    pub fn copy(&self) -> Result<OwnedFd, CallError> {
        copy_of(&self.socket)
    }

    /// Gives the file to its owner, then the permissions, which a new owner might lose.
    fn give_away(&self, file: &SocketFile, settings: &PortSettings) -> Result<(), Error> {
        let to_whom = [
            (settings.unix_socket_owner.map(|uid| (Some(uid), None)), "owner", "unix_socket_owner"),
            (settings.unix_socket_group.map(|gid| (None, Some(gid))), "group", "unix_socket_group"),
        ];
        for (ids, what, setting) in to_whom {
            let Some((uid, gid)) = ids else { continue };
            lchown(&file.path, uid, gid).map_err(|error| {
                let id = uid.or(gid).unwrap_or_default();
                Error::system(format!("cannot make {id} the {what} of {} ({setting})", self.info.address), &error)
                    .with_hint("another user, and a group that this process is no member of, need root or CAP_CHOWN")
            })?;
        }
        if let Some(mode) = settings.unix_socket_mode.or(file.mode) {
            std::fs::set_permissions(&file.path, Permissions::from_mode(mode)).map_err(|error| {
                Error::system(format!("cannot set the permissions of {} (unix_socket_mode)", self.info.address), &error)
            })?;
        }
        Ok(())
    }
}

/// Another descriptor of a port's socket.
pub fn copy_of(socket: &Socket) -> Result<OwnedFd, CallError> {
    socket.as_fd().try_clone_to_owned().map_err(|error| {
        let errno = error.raw_os_error().unwrap_or(0);
        CallError::new(errno, format!("cannot have another descriptor of the socket: {}", describe_errno(errno)))
    })
}

/// The place of the first port with a number; 0 is the primary one.
pub fn place_of_number<'a>(mut ports: impl Iterator<Item = &'a PortInfo>, number: i64) -> Option<usize> {
    if number == 0 { Some(0) } else { ports.position(|port| i64::from(port.address.number()) == number) }
}

impl SocketFile {
    fn of(path: PathBuf, mode: Option<u32>) -> std::io::Result<Self> {
        let inode = path.symlink_metadata()?.ino();
        Ok(Self { path, inode, owner: process::id(), mode })
    }

    /// This process, which was forked from the one that had it, has it now.
    pub fn adopt(&mut self) {
        self.owner = process::id();
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody may have replaced it by another one.
        let is_ours = || self.path.symlink_metadata().is_ok_and(|metadata| metadata.ino() == self.inode);
        if self.owner == process::id() && is_ours() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A path, or a name outside the file system, which begins with a NUL and is written with an `@`.
fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.strip_prefix('\0').map_or_else(|| text.to_string(), |name| format!("@{name}"))
}

fn socket_path(host: &str) -> Result<PathBuf, Error> {
    let problem = if host.is_empty() {
        "must be the path of the socket, \"\" given".to_owned()
    } else if host.len() > LONGEST_PATH {
        format!("must be a path of at most {LONGEST_PATH} bytes, {} given", host.len())
    } else if host.contains('\0') {
        "must be a path without NUL bytes".to_owned()
    } else {
        // From the root: a daemon leaves the directory that a relative one counts from, and removes it in the end.
        return std::path::absolute(host)
            .map_err(|error| Error::system(format!("cannot find the directory of {host}"), &error));
    };
    Err(Error::Misuse(format!("$host {problem}")))
}

/// Removes a socket that nobody listens on any more. One that somebody does, and what is no socket, is refused.
fn replace_stale(path: &Path) -> Result<(), Error> {
    let Ok(metadata) = path.symlink_metadata() else { return Ok(()) };
    let shown = path.display();
    if !metadata.file_type().is_socket() {
        return Err(Error::Misuse(format!("cannot listen on unix:{shown}: there is a file that is no socket")));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => std::fs::remove_file(path)
            .map_err(|error| Error::system(format!("cannot remove the stale socket {shown}"), &error)),
        Ok(_) | Err(_) => Err(Address::Unix(path.to_owned()).in_use()),
    }
}

fn inet_address(host: &str, port: u16, sock_type: SockType) -> Result<SocketAddr, Error> {
    let is_v6 = sock_type.is_v6();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match parse_ip(bare) {
        Some((IpAddr::V6(ip), interface)) if is_v6 => Ok(SocketAddrV6::new(ip, port, 0, interface).into()),
        Some((ip @ IpAddr::V4(_), _)) if !is_v6 => Ok(SocketAddr::new(ip, port)),
        _ if bare == "localhost" && is_v6 => Ok((Ipv6Addr::LOCALHOST, port).into()),
        _ if bare == "localhost" => Ok((Ipv4Addr::LOCALHOST, port).into()),
        _ => {
            let family = if is_v6 {
                "an IPv6 address such as :: or ::1"
            } else {
                "an IPv4 address such as 0.0.0.0 or 127.0.0.1"
            };
            Err(Error::Misuse(format!("$host must be {family}, \"{host}\" given")))
        }
    }
}

fn cannot_listen(address: &Address, error: &std::io::Error) -> Error {
    let hint = match error.raw_os_error() {
        Some(EADDRINUSE) if matches!(address, Address::Unix(_)) => {
            "another process listens there; stop it or choose another path"
        }
        Some(EADDRINUSE) => "another process listens there; stop it or choose another port",
        Some(EACCES) if matches!(address, Address::Inet(_)) => "ports below 1024 need root or CAP_NET_BIND_SERVICE",
        Some(EADDRNOTAVAIL) => "no interface of this machine has this address",
        Some(ENOENT) => "the directory does not exist",
        _ => "",
    };
    Error::system(format!("cannot listen on {address}"), error).with_hint(hint)
}

const ENOENT: i32 = 2;
const EACCES: i32 = 13;
const EADDRINUSE: i32 = 98;
const EADDRNOTAVAIL: i32 = 99;

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("rotor-ports-{}-{name}", std::process::id()))
    }

    fn bind(path: &Path) -> Result<Bound, Error> {
        Bound::bind(path.to_str().unwrap(), 0, SockType::UnixStream, Names::Rotor)
    }

    #[test]
    fn a_socket_file_goes_with_its_port_and_a_live_one_is_refused() {
        let path = path("live");
        let bound = bind(&path).unwrap();
        let Socket::Stream(listener) = &bound.socket else { panic!("it is no stream socket") };
        listener.listen(1).unwrap();
        let error = bind(&path).unwrap_err();
        assert_eq!(error.errno(), EADDRINUSE);
        assert!(path.exists());
        drop(bound);
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_socket_file_is_replaced_and_another_file_is_left_alone() {
        let path = path("stale");
        drop(Listener::bind_unix(&path).unwrap());
        assert!(path.exists());
        drop(bind(&path).unwrap());
        std::fs::write(&path, "precious").unwrap();
        assert!(bind(&path).unwrap_err().to_string().contains("a file that is no socket"));
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_file_that_was_replaced_meanwhile_is_anothers() {
        let path = path("replaced");
        let bound = bind(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let other = Listener::bind_unix(&path).unwrap();
        drop(bound);
        assert!(path.exists());
        drop(other);
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_datagram_socket_is_live_from_the_begin_and_its_file_is_let_in_to_when_it_listens() {
        let path = path("datagrams");
        let bind = || Bound::bind(path.to_str().unwrap(), 0, SockType::UnixDgram, Names::Rotor);
        let bound = bind().unwrap();
        assert_eq!(bind().unwrap_err().errno(), EADDRINUSE);
        assert_eq!(
            Bound::bind(path.to_str().unwrap(), 0, SockType::UnixStream, Names::Rotor).unwrap_err().errno(),
            EADDRINUSE
        );
        let mode = || path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0);
        assert_ne!(bound.file.as_ref().unwrap().mode, Some(0));
        drop(bound);
        assert!(!path.exists());
        drop(Datagrams::bind_unix(&path).unwrap());
        drop(bind().unwrap());
        assert!(!path.exists(), "a stale one was replaced");
    }

    #[test]
    fn tcp_and_udp_have_numbers_of_their_own() {
        let tcp = Bound::bind("127.0.0.1", 0, SockType::Tcp, Names::Rotor).unwrap();
        let udp = Bound::bind("127.0.0.1", tcp.info.address.number(), SockType::Udp, Names::Rotor).unwrap();
        assert!(!tcp.info.is_at_the_same_place(&udp.info));
        assert!(udp.info.is_at_the_same_place(&udp.info));
        assert_eq!(udp.info.to_string(), format!("udp:{}", tcp.info.address));
        let again = Bound::bind("127.0.0.1", udp.info.address.number(), SockType::Udp, Names::Rotor);
        assert_eq!(again.unwrap_err().errno(), EADDRINUSE);
    }

    #[test]
    fn hosts_that_do_not_fit_the_type_are_refused_with_what_was_expected() {
        let refused = |host: &str, sock_type| Bound::bind(host, 0, sock_type, Names::Rotor).unwrap_err().to_string();
        assert!(refused("::1", SockType::Tcp).contains("must be an IPv4 address"));
        assert!(refused("127.0.0.1", SockType::Tcp6).contains("must be an IPv6 address"));
        assert!(refused("", SockType::UnixStream).contains("the path of the socket"));
        assert!(refused(&"x".repeat(108), SockType::UnixStream).contains("at most 107 bytes, 108 given"));
        assert!(refused("/nowhere/at/all", SockType::UnixStream).contains("the directory does not exist"));
    }
}
