//! Version 2: a signature, a command, a family, a length, the addresses, and fields of type, length and value.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Client, Parsed, ProxyError, begin_alike};

/// What a header begins with.
pub const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The longest header that is taken. The fields are few and short; the largest is a certificate.
pub const LONGEST_BINARY: usize = 16 << 10;

/// The signature, version and command, family and transport, and the length of the rest.
const FIXED: usize = 16;
/// The field with a sum over the whole header.
const CRC32C: u8 = 0x03;

/// Looks at bytes that begin with a carriage return.
pub fn parse(bytes: &[u8]) -> Result<Parsed, ProxyError> {
    if !begin_alike(bytes, &SIGNATURE) {
        return Err(ProxyError::NoHeader);
    }
    let is_local = match bytes.get(12) {
        None => return Ok(Parsed::More),
        Some(0x20) => true,
        Some(0x21) => false,
        Some(byte) if byte >> 4 != 2 => return Err(ProxyError::Binary("says that it is of another version")),
        Some(_) => return Err(ProxyError::Binary("has a command other than LOCAL and PROXY")),
    };
    let Some(&[family, high, low]) = bytes.get(13..FIXED) else { return Ok(Parsed::More) };
    let len = FIXED + usize::from(u16::from_be_bytes([high, low]));
    if len > LONGEST_BINARY {
        return Err(ProxyError::Binary("is longer than 16384 bytes"));
    }
    // Of the family, what can be known to be wrong is refused before the rest has come.
    let addresses = if is_local { 0 } else { address_len(family)? };
    if FIXED + addresses > len {
        return Err(ProxyError::Binary("is too short for the addresses of its family"));
    }
    let Some(header) = bytes.get(..len) else { return Ok(Parsed::More) };
    if is_local {
        // Everything but the length is to be ignored.
        return Ok(Parsed::Header { len, client: Client::AsConnected });
    }
    check_fields(header, FIXED + addresses)?;
    Ok(Parsed::Header { len, client: client(family, &header[FIXED..]) })
}

/// How many bytes the addresses of a family have.
fn address_len(family: u8) -> Result<usize, ProxyError> {
    match family {
        0x00 => Ok(0),
        0x11 | 0x12 => Ok(12),
        0x21 | 0x22 => Ok(36),
        0x31 | 0x32 => Ok(216),
        _ => Err(ProxyError::Binary("has a family or transport that does not exist")),
    }
}

/// The client among the addresses. Datagrams cannot have become this stream: what is said of them does not help.
fn client(family: u8, addresses: &[u8]) -> Client {
    match (family, addresses) {
        (0x11, &[a, b, c, d, _, _, _, _, high, low, ..]) => {
            Client::Inet(SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), u16::from_be_bytes([high, low])))
        }
        (0x21, addresses) => match (addresses.first_chunk::<16>(), addresses.get(32..34)) {
            (Some(client), Some(&[high, low])) => {
                Client::Inet(SocketAddr::new(IpAddr::V6(Ipv6Addr::from(*client)), u16::from_be_bytes([high, low])))
            }
            _ => Client::AsConnected,
        },
        (0x31, _) => Client::Unix,
        _ => Client::AsConnected,
    }
}

/// Walks the fields from `at` on: their lengths must come out even, and a sum must be right.
fn check_fields(header: &[u8], mut at: usize) -> Result<(), ProxyError> {
    const UNEVEN: ProxyError = ProxyError::Binary("has a field that ends behind it");
    let mut has_sum = false;
    while at < header.len() {
        let Some(&[kind, high, low]) = header.get(at..at + 3) else { return Err(UNEVEN) };
        let value = at + 3..at + 3 + usize::from(u16::from_be_bytes([high, low]));
        let Some(bytes) = header.get(value.clone()) else { return Err(UNEVEN) };
        if kind == CRC32C {
            if std::mem::replace(&mut has_sum, true) {
                return Err(ProxyError::Binary("has two sums"));
            }
            let Some(sum) = bytes.first_chunk::<4>().filter(|_| bytes.len() == 4) else {
                return Err(ProxyError::Binary("has a CRC32c that has not 4 bytes"));
            };
            let computed = crc32c(&[&header[..value.start], &[0; 4], &header[value.end..]]);
            if computed != u32::from_be_bytes(*sum) {
                return Err(ProxyError::Binary("has a wrong CRC32c"));
            }
        }
        at = value.end;
    }
    Ok(())
}

/// Castagnoli's sum. Headers that have one are few and short: bit by bit is fast enough.
pub fn crc32c(parts: &[&[u8]]) -> u32 {
    let mut sum = u32::MAX;
    for byte in parts.iter().copied().flatten() {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0x82f6_3b78 } else { sum >> 1 };
        }
    }
    !sum
}
