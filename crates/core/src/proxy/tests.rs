//! Headers of both versions, right and wrong, whole and in parts.

use proptest::prelude::*;

use super::binary::crc32c;
use super::*;

fn header(bytes: &[u8], client: Client) -> Result<Parsed, ProxyError> {
    Ok(Parsed::Header { len: bytes.len(), client })
}

fn inet(address: &str) -> Client {
    Client::Inet(address.parse().unwrap())
}

/// A header of version 2 with a right length.
fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let len = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [SIGNATURE.as_slice(), &[command, family], &len, rest].concat()
}

fn inet4() -> Vec<u8> {
    vec![203, 0, 113, 9, 198, 51, 100, 1, 0x8b, 0x3e, 0, 80]
}

fn field(kind: u8, value: &[u8]) -> Vec<u8> {
    let len = u16::try_from(value.len()).unwrap().to_be_bytes();
    [&[kind], len.as_slice(), value].concat()
}

/// A header of version 2 whose last field is its sum.
fn summed(fields: &[u8]) -> Vec<u8> {
    let mut bytes = binary(0x21, 0x11, &[inet4().as_slice(), fields, &field(3, &[0; 4])].concat());
    let sum = crc32c(&[&bytes]).to_be_bytes();
    let at = bytes.len() - 4;
    bytes[at..].copy_from_slice(&sum);
    bytes
}

#[test]
fn a_line_says_who_the_client_is() {
    for (line, client) in [
        ("PROXY TCP4 203.0.113.9 198.51.100.1 35646 80\r\n", inet("203.0.113.9:35646")),
        ("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", inet("255.255.255.255:65535")),
        ("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", inet("0.0.0.0:0")),
        ("PROXY TCP6 2001:db8::1 ::1 1 2\r\n", inet("[2001:db8::1]:1")),
        ("PROXY UNKNOWN\r\n", Client::AsConnected),
        ("PROXY UNKNOWN ffff::1 whatever 65536 -1\r\n", Client::AsConnected),
    ] {
        assert_eq!(parse(line.as_bytes()), header(line.as_bytes(), client), "{line}");
    }
    let longest = "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n";
    assert_eq!(parse(longest.as_bytes()), header(longest.as_bytes(), Client::AsConnected));
}

#[test]
fn a_line_that_says_it_otherwise_is_refused() {
    for (line, what) in [
        ("PROXY TCP4 203.0.113.9 198.51.100.1 35646 80\n", "carriage return"),
        ("PROXY TCP4 203.0.113.9 198.51.100.1 35646 80 \r\n", "behind the ports"),
        ("PROXY TCP4 203.0.113.9 198.51.100.1 35646 80 1\r\n", "behind the ports"),
        ("PROXY TCP4 203.0.113.9 198.51.100.1 35646\r\n", "two ports"),
        ("PROXY TCP4 203.0.113.9 198.51.100.1 65536 80\r\n", "two ports"),
        ("PROXY TCP4 203.0.113.9 198.51.100.1 +1 80\r\n", "two ports"),
        ("PROXY TCP4 203.0.113.9 198.51.100.1 01 80\r\n", "two ports"),
        ("PROXY TCP4 203.0.113.9 198.51.100.1 1 \r\n", "two ports"),
        ("PROXY TCP4 203.0.113.9  198.51.100.1 1 2\r\n", "two addresses"),
        ("PROXY TCP4 203.0.113.09 198.51.100.1 1 2\r\n", "two addresses"),
        ("PROXY TCP4 203.0.113 198.51.100.1 1 2\r\n", "two addresses"),
        ("PROXY TCP4 2001:db8::1 ::1 1 2\r\n", "two addresses"),
        ("PROXY TCP6 203.0.113.9 198.51.100.1 1 2\r\n", "two addresses"),
        ("PROXY TCP4 203.0.113.9\r\n", "two addresses"),
        ("PROXY UDP4 203.0.113.9 198.51.100.1 1 2\r\n", "no protocol"),
        ("PROXY tcp4 203.0.113.9 198.51.100.1 1 2\r\n", "no protocol"),
        ("PROXY UNKNOWNS\r\n", "no protocol"),
        ("PROXY \r\n", "no protocol"),
        ("PROXY TCP4 \u{e9} \r\n", "two addresses"),
    ] {
        let error = parse(line.as_bytes()).unwrap_err();
        assert!(matches!(error, ProxyError::Text(_)) && error.to_string().contains(what), "{line}: {error}");
    }
    assert_eq!(parse(b"PROXY TCP4 \xff\r\n"), Err(ProxyError::Text("is no text")));
}

#[test]
fn a_line_has_its_end_within_107_bytes_or_none() {
    let line = |len: usize| format!("PROXY UNKNOWN {}\r\n", "x".repeat(len - 16)).into_bytes();
    assert_eq!(parse(&line(107)), header(&line(107), Client::AsConnected));
    let error = Err(ProxyError::Text("has no end within 107 bytes"));
    assert_eq!(parse(&line(108)), error);
    assert_eq!(parse(&line(107)[..106]), Ok(Parsed::More));
    assert_eq!(parse(&line(1000)[..107]), error);
}

#[test]
fn bytes_that_begin_otherwise_are_refused_at_the_first_that_differs() {
    for bytes in
        [b"G".as_slice(), b"GET / HTTP/1.1\r\n", b"\x16\x03\x01", b"PO", b"PROXY\r\n", b"\r\nx", b"\0", b"proxy "]
    {
        assert_eq!(parse(bytes), Err(ProxyError::NoHeader), "{bytes:?}");
    }
    assert_eq!(parse(b""), Ok(Parsed::More));
}

#[test]
fn a_binary_header_says_who_the_client_is() {
    let addresses = |len: usize| (1..=u8::try_from(len).unwrap()).collect::<Vec<u8>>();
    let inet6 = [
        [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9].as_slice(),
        &[9; 8],
        &[1, 2, 3, 4],
    ]
    .concat();
    for (bytes, client) in [
        (binary(0x21, 0x11, &inet4()), inet("203.0.113.9:35646")),
        (binary(0x21, 0x21, &inet6), inet("[2001:db8::1]:258")),
        (binary(0x21, 0x31, &addresses(216)), Client::Unix),
        (binary(0x21, 0x00, &[]), Client::AsConnected),
        (binary(0x21, 0x12, &inet4()), Client::AsConnected),
        (binary(0x21, 0x22, &addresses(36)), Client::AsConnected),
        (binary(0x21, 0x32, &addresses(216)), Client::AsConnected),
        // What LOCAL has beside its length is ignored.
        (binary(0x20, 0x00, &[]), Client::AsConnected),
        (binary(0x20, 0xff, b"abc"), Client::AsConnected),
        // Fields, known or not.
        (
            binary(0x21, 0x11, &[inet4(), field(0x02, b"example.org"), field(0xee, &[])].concat()),
            inet("203.0.113.9:35646"),
        ),
        (binary(0x21, 0x00, &field(0x04, &[0; 99])), Client::AsConnected),
        (summed(&field(0x05, b"id")), inet("203.0.113.9:35646")),
    ] {
        assert_eq!(parse(&bytes), header(&bytes, client), "{bytes:x?}");
    }
}

#[test]
fn a_binary_header_that_says_it_otherwise_is_refused() {
    let mut broken_sum = summed(&[]);
    broken_sum[16] ^= 1;
    let two_sums = [inet4(), field(3, &crc32c(&[]).to_be_bytes()), field(3, &[0; 4])].concat();
    for (bytes, what) in [
        (binary(0x11, 0x11, &inet4()), "another version"),
        (binary(0x31, 0x11, &inet4()), "another version"),
        (binary(0x22, 0x11, &inet4()), "command"),
        (binary(0x21, 0x13, &inet4()), "does not exist"),
        (binary(0x21, 0x10, &inet4()), "does not exist"),
        (binary(0x21, 0x01, &[]), "does not exist"),
        (binary(0x21, 0x41, &inet4()), "does not exist"),
        (binary(0x21, 0x11, &inet4()[..11]), "too short"),
        (binary(0x21, 0x21, &inet4()), "too short"),
        (binary(0x21, 0x31, &[0; 215]), "too short"),
        (binary(0x21, 0x11, &[inet4(), vec![4]].concat()), "ends behind it"),
        (binary(0x21, 0x11, &[inet4(), vec![4, 0, 2, 1]].concat()), "ends behind it"),
        (binary(0x21, 0x00, &[4, 0xff, 0xff]), "ends behind it"),
        (binary(0x21, 0x11, &[inet4(), field(3, &[0; 3])].concat()), "not 4 bytes"),
        (binary(0x21, 0x11, &[inet4(), field(3, &[0; 5])].concat()), "not 4 bytes"),
        (broken_sum, "wrong CRC32c"),
        (binary(0x21, 0x11, &two_sums), "CRC32c"),
        (binary(0x21, 0x00, &vec![0; (16 << 10) - 15]), "longer than 16384 bytes"),
    ] {
        let error = parse(&bytes).unwrap_err();
        assert!(matches!(error, ProxyError::Binary(_)) && error.to_string().contains(what), "{bytes:x?}: {error}");
    }
    let longest = binary(0x21, 0x00, &field(4, &vec![0; (16 << 10) - 19]));
    assert_eq!(parse(&longest), header(&longest, Client::AsConnected));
}

#[test]
fn a_second_sum_is_refused_before_it_is_computed() {
    let mut bytes = summed(&[]);
    bytes.extend(field(3, &[0; 4]));
    let len = u16::try_from(bytes.len() - 16).unwrap();
    bytes[14..16].copy_from_slice(&len.to_be_bytes());
    // The first is right again.
    bytes[31..35].fill(0);
    let sum = crc32c(&[&bytes]).to_be_bytes();
    bytes[31..35].copy_from_slice(&sum);
    assert_eq!(parse(&bytes), Err(ProxyError::Binary("has two sums")));
}

#[test]
fn the_sum_is_castagnolis() {
    assert_eq!(crc32c(&[b"123456789"]), 0xe306_9283);
    assert_eq!(crc32c(&[b"1234", b"", b"56789"]), 0xe306_9283);
}

/// Headers of all kinds, and what looks like them.
fn headers() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (any::<[u8; 4]>(), any::<u16>()).prop_map(|(address, port)| {
            let address = std::net::Ipv4Addr::from(address);
            format!("PROXY TCP4 {address} 127.0.0.1 {port} 80\r\n").into_bytes()
        }),
        (any::<[u16; 8]>(), any::<u16>()).prop_map(|(address, port)| {
            let address = std::net::Ipv6Addr::from(address);
            format!("PROXY TCP6 {address} ::1 {port} 80\r\n").into_bytes()
        }),
        "PROXY (UNKNOWN|TCP4|TCP6)[ -~]{0,100}\r?\n?".prop_map(String::into_bytes),
        (
            0x1fu8..0x23,
            prop_oneof![Just(0u8), Just(0x11), Just(0x21), any::<u8>()],
            prop::collection::vec(any::<u8>(), 0..300)
        )
            .prop_map(|(command, family, rest)| binary(command, family, &rest)),
        prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..20)), 0..5).prop_map(
            |fields| summed(
                &fields
                    .iter()
                    .filter(|(kind, _)| *kind != 3)
                    .flat_map(|(kind, value)| field(*kind, value))
                    .collect::<Vec<_>>()
            )
        ),
        prop::collection::vec(any::<u8>(), 0..200),
    ]
}

proptest! {
    #[test]
    fn nothing_behind_a_header_is_looked_at(bytes in headers(), behind in prop::collection::vec(any::<u8>(), 1..50)) {
        if let Ok(Parsed::Header { len, client }) = parse(&bytes) {
            prop_assert!(len <= bytes.len() && len >= 15);
            let more = [&bytes[..len], behind.as_slice()].concat();
            prop_assert_eq!(parse(&more), Ok(Parsed::Header { len, client }));
        }
    }

    /// However many bytes come at once, the first answer that is not "more" is the same.
    #[test]
    fn it_does_not_matter_in_how_many_parts_it_comes(bytes in headers()) {
        let by_byte = (0..=bytes.len()).map(|len| parse(&bytes[..len])).find(|answer| *answer != Ok(Parsed::More));
        match (by_byte, parse(&bytes)) {
            (None, whole) => prop_assert_eq!(whole, Ok(Parsed::More)),
            (Some(first), whole) => prop_assert_eq!(first.is_ok(), whole.is_ok(), "{:?} {:?}", first, whole),
        }
        if let Some(Ok(Parsed::Header { len, client })) = by_byte {
            prop_assert_eq!(parse(&bytes), Ok(Parsed::Header { len, client }));
        }
    }
}
