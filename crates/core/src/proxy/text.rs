//! Version 1: one line, as `PROXY TCP4 203.0.113.9 198.51.100.1 35646 80\r\n`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::{FromStr, Split};

use super::{Client, Parsed, ProxyError, begin_alike};

/// The longest line, its end included.
pub const LONGEST_TEXT: usize = 107;

const START: &[u8] = b"PROXY ";
const UNKNOWN: &[u8] = b"UNKNOWN";

/// Looks at bytes that begin with a `P`.
pub fn parse(bytes: &[u8]) -> Result<Parsed, ProxyError> {
    if !begin_alike(bytes, START) {
        return Err(ProxyError::NoHeader);
    }
    let window = &bytes[..bytes.len().min(LONGEST_TEXT)];
    let Some(end) = window.iter().position(|byte| *byte == b'\n') else {
        return if window.len() < LONGEST_TEXT {
            Ok(Parsed::More)
        } else {
            Err(ProxyError::Text("has no end within 107 bytes"))
        };
    };
    let Some(line) = window[..end].strip_suffix(b"\r") else {
        return Err(ProxyError::Text("ends without a carriage return"));
    };
    let Some(line) = line.strip_prefix(START) else { return Err(ProxyError::NoHeader) };
    Ok(Parsed::Header { len: end + 1, client: parse_line(line)? })
}

/// The line behind `PROXY `, without its end.
fn parse_line(line: &[u8]) -> Result<Client, ProxyError> {
    // What follows the word is to be ignored.
    if line == UNKNOWN || line.strip_prefix(UNKNOWN).is_some_and(|rest| rest.starts_with(b" ")) {
        return Ok(Client::AsConnected);
    }
    let line = std::str::from_utf8(line).map_err(|_| ProxyError::Text("is no text"))?;
    let mut words = line.split(' ');
    let client = match words.next() {
        Some("TCP4") => addresses::<Ipv4Addr>(&mut words)?,
        Some("TCP6") => addresses::<Ipv6Addr>(&mut words)?,
        _ => return Err(ProxyError::Text("names no protocol of TCP4, TCP6 and UNKNOWN")),
    };
    match words.next() {
        None => Ok(Client::Inet(client)),
        Some(_) => Err(ProxyError::Text("has something behind the ports")),
    }
}

/// The two addresses and the two ports; all four have to be right, the client's are returned.
fn addresses<A: FromStr + Into<IpAddr>>(words: &mut Split<'_, char>) -> Result<SocketAddr, ProxyError> {
    let mut address = || words.next().and_then(|word| word.parse::<A>().ok());
    let (Some(client), Some(_)) = (address(), address()) else {
        return Err(ProxyError::Text("has no two addresses of its protocol"));
    };
    let mut port = || words.next().and_then(parse_port);
    let (Some(port), Some(_)) = (port(), port()) else {
        return Err(ProxyError::Text("has no two ports from 0 to 65535"));
    };
    Ok(SocketAddr::new(client.into(), port))
}

/// A decimal number without leading zeros.
fn parse_port(word: &str) -> Option<u16> {
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit()) && (word == "0" || !word.starts_with('0'));
    if is_number { word.parse().ok() } else { None }
}
