//! Addresses of datagrams: as records carry them, and as users write them.
//!
//! | word | content |
//! |---|---|
//! | 0 | family (8 bits), bytes of the address (8), port (16), interface (32) |
//! | 1… | the address, up to a whole word |

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

use rotor_ipc::lane::{self, Record};
use rotor_ipc::payload::{Payload, PoolView, Reference};
use rotor_ipc::record::Where;
use rotor_ipc::ring::Broken;
use rotor_sys::datagram::{Address, LONGEST_NAME, UnixName, interface_named};

use crate::ports::SockType;

/// The largest datagram over IPv4: what a packet's length can say without the two headers.
pub const LARGEST_UDP: usize = 65_507;
/// The same over IPv6, where the length does not count the first header.
pub const LARGEST_UDP6: usize = 65_527;
/// The largest to and from a unix socket.
pub const LARGEST_UNIX: usize = 64 << 10;

/// An address as a record carries it.
#[derive(Debug)]
pub struct Coded {
    bytes: [u8; MOST],
    len: usize,
}

const MOST: usize = 8 + LONGEST_NAME.next_multiple_of(8);
const UNNAMED: u8 = 0;
const V4: u8 = 4;
const V6: u8 = 6;
const UNIX: u8 = 1;
/// The words of a [`Reference`].
const REFERENCE_WORDS: usize = 2;

impl Coded {
    /// Its bytes: whole words.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Codes an address.
pub fn encode(address: &Address) -> Coded {
    match address {
        Address::Unnamed => coded(UNNAMED, 0, 0, &[]),
        Address::Inet(SocketAddr::V4(v4)) => coded(V4, v4.port(), 0, &v4.ip().octets()),
        Address::Inet(SocketAddr::V6(v6)) => coded(V6, v6.port(), v6.scope_id(), &v6.ip().octets()),
        Address::Unix(name) => coded(UNIX, 0, 0, name.as_bytes()),
    }
}

fn coded(family: u8, port: u16, interface: u32, address: &[u8]) -> Coded {
    let mut bytes = [0; MOST];
    bytes[0] = family;
    bytes[1] = u8::try_from(address.len()).unwrap_or(0);
    bytes[2..4].copy_from_slice(&port.to_ne_bytes());
    bytes[4..8].copy_from_slice(&interface.to_ne_bytes());
    bytes[8..][..address.len()].copy_from_slice(address);
    Coded { bytes, len: 8 + address.len().next_multiple_of(8) }
}

/// Reads an address from words, and says how many of them it takes; `None` where there is none.
fn decode(word: impl Fn(usize) -> Option<u64>) -> Option<(Address, usize)> {
    let [family, len, port_a, port_b, interface @ ..] = word(0)?.to_ne_bytes();
    let len = usize::from(len);
    if len > LONGEST_NAME {
        return None;
    }
    let words = 1 + len.div_ceil(8);
    let mut bytes = [0; MOST];
    for index in 1..words {
        bytes[(index - 1) * 8..][..8].copy_from_slice(&word(index)?.to_ne_bytes());
    }
    let port = u16::from_ne_bytes([port_a, port_b]);
    let address = match (family, &bytes[..len]) {
        (UNNAMED, []) => Address::Unnamed,
        (V4, bytes) => Address::Inet((<[u8; 4]>::try_from(bytes).ok()?, port).into()),
        (V6, bytes) => {
            let ip = Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?);
            Address::Inet(SocketAddrV6::new(ip, port, 0, u32::from_ne_bytes(interface)).into())
        }
        (UNIX, bytes) => Address::Unix(UnixName::new(bytes)?),
        _ => return None,
    };
    Some((address, words))
}

/// The address and the bytes of a record that carries a datagram. `consumer` is the reader's number among those that
/// the owner of `pool` posts to.
pub fn of_record(
    lane: &lane::Consumer,
    record: &Record,
    pool: &PoolView,
    consumer: u16,
) -> Result<(Address, Payload<'static>), Broken> {
    let broken = || Broken { what: "a datagram's address is in a record of length", found: record.body as u64 };
    let address_at = if record.header.location == Where::Inline { 0 } else { REFERENCE_WORDS };
    let (address, words) = decode(|index| lane.word(record, address_at + index)).ok_or_else(broken)?;
    let payload = if record.header.location == Where::Inline {
        let bytes = lane.bytes(record);
        // Within the body: each of these words was read from it.
        Payload::Inline(bytes.slice(words * 8, bytes.len() - words * 8))
    } else {
        let (Some(index), Some(len)) = (lane.word(record, 0), lane.word(record, 1)) else { return Err(broken()) };
        pool.payload(&record.header, Reference { index, len }, consumer, record.position)?
    };
    Ok((address, payload))
}

/// The address that a user means: a path, an IPv6 address (where there is a colon; the interface of a link-local one
/// stands behind `%`), or an IPv4 address; and the type of port that sends there.
pub fn parse(host: &[u8], port: u16) -> Result<(Address, SockType), String> {
    if let Some(b'/' | 0) = host.first() {
        let name = UnixName::new(host).ok_or_else(|| {
            let most = LONGEST_NAME - usize::from(host[0] != 0);
            format!("the path of a unix socket has at most {most} bytes, {} given", host.len())
        })?;
        if host[0] != 0 && host.contains(&0) {
            return Err("the path of a unix socket has no NUL bytes".into());
        }
        return Ok((Address::Unix(name), SockType::UnixDgram));
    }
    let shown: String = String::from_utf8_lossy(host).chars().take(60).flat_map(char::escape_debug).collect();
    let text = std::str::from_utf8(host).unwrap_or("");
    let (ip, interface) = parse_ip(text).ok_or_else(|| {
        format!("$ip must be an IPv4 or IPv6 address, or the path of a unix socket, \"{shown}\" given")
    })?;
    match ip {
        IpAddr::V4(ip) => Ok((Address::Inet((ip, port).into()), SockType::Udp)),
        IpAddr::V6(ip) => Ok((Address::Inet(SocketAddrV6::new(ip, port, 0, interface).into()), SockType::Udp6)),
    }
}

/// An IP address, and the number of the interface that a link-local one may name behind `%`.
pub fn parse_ip(text: &str) -> Option<(IpAddr, u32)> {
    let Some((ip, interface)) = text.split_once('%') else { return Some((text.parse().ok()?, 0)) };
    let ip: Ipv6Addr = ip.parse().ok()?;
    let is_number = interface.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is_number { interface.parse().ok() } else { interface_named(interface).ok() };
    Some((ip.into(), number?))
}

/// An address as users see it: without the port, and with the interface of a link-local one.
pub fn host(address: &Address, show: &mut dyn FnMut(&[u8])) {
    use std::io::Write;
    let mut text = std::io::Cursor::new([0_u8; 64]);
    // No address is longer than that.
    let _ = match address {
        Address::Unnamed => Ok(()),
        Address::Unix(name) => return show(name.as_bytes()),
        Address::Inet(SocketAddr::V4(v4)) => write!(text, "{}", v4.ip()),
        Address::Inet(SocketAddr::V6(v6)) if v6.scope_id() != 0 => write!(text, "{}%{}", v6.ip(), v6.scope_id()),
        Address::Inet(SocketAddr::V6(v6)) => write!(text, "{}", v6.ip()),
    };
    let len = usize::try_from(text.position()).unwrap_or(0);
    show(&text.get_ref()[..len]);
}

/// The port of an address; 0 where there is none.
pub fn port(address: &Address) -> u16 {
    match address {
        Address::Inet(address) => address.port(),
        Address::Unix(_) | Address::Unnamed => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(name: &[u8]) -> Address {
        Address::Unix(UnixName::new(name).unwrap())
    }

    #[test]
    fn an_address_is_read_as_it_was_coded_and_garbage_is_none() {
        for address in [
            Address::Unnamed,
            Address::Inet("1.2.3.4:5".parse().unwrap()),
            Address::Inet("[2001:db8::1]:65535".parse().unwrap()),
            Address::Inet("[fe80::1%7]:9".parse().unwrap()),
            unix(b"/"),
            unix(&[b'x'; 107]),
            unix(&[0; 108]),
        ] {
            let coded = encode(&address);
            let words: Vec<u64> =
                coded.as_bytes().chunks(8).map(|word| u64::from_ne_bytes(word.try_into().unwrap())).collect();
            assert_eq!(decode(|index| words.get(index).copied()), Some((address, words.len())));
            assert_eq!(decode(|index| words[..words.len() - 1].get(index).copied()), None, "{address} cut off");
        }
        for garbage in [u64::MAX, 9, 4, 6 | 7 << 8, 1 | 109 << 8, 1 << 8] {
            assert_eq!(
                decode(|_| Some(garbage)).filter(|(address, _)| *address != Address::Unnamed),
                None,
                "{garbage:x}"
            );
        }
    }

    #[test]
    fn users_write_addresses_and_see_them_alike() {
        for (text, expected) in [("10.0.0.1", SockType::Udp), ("::1", SockType::Udp6), ("fe80::1%3", SockType::Udp6)] {
            let (address, kind) = parse(text.as_bytes(), 9).unwrap();
            assert_eq!((kind, port(&address)), (expected, 9));
            host(&address, &mut |shown| assert_eq!(shown, text.as_bytes()));
        }
        let (address, kind) = parse(b"/run/a", 9).unwrap();
        assert_eq!((address, kind, port(&address)), (unix(b"/run/a"), SockType::UnixDgram, 0));
        host(&address, &mut |shown| assert_eq!(shown, b"/run/a"));
        host(&Address::Unnamed, &mut |shown| assert!(shown.is_empty()));
        assert_eq!(parse(b"fe80::1%lo", 1).unwrap().0, Address::Inet("[fe80::1%1]:1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_was_expected() {
        for text in ["", "localhost", "10.0.0.256", "1.2.3.4%lo", "fe80::1%nowhere", "fe80::1%", "relative/path"] {
            assert!(parse(text.as_bytes(), 1).unwrap_err().contains("must be an IPv4 or IPv6 address"), "{text}");
        }
        let long = [&b"/"[..], &[b'x'; 200]].concat();
        assert!(parse(&long, 1).unwrap_err().contains("at most 107 bytes, 201 given"));
        assert!(parse(b"/a\0b", 1).unwrap_err().contains("no NUL bytes"));
        assert!(parse(b"\xff", 1).is_err());
    }
}
