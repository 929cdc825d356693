//! What the fuzzer checks, apart from the fuzzer: the tests of `rotor-core` replay the corpus with it.
//!
//! An input chooses a framing, a limit, and how the stream that follows is divided into reads. At each step
//! the framer must say what an oracle without state says, which looks at every unread byte anew.

mod settings;

pub use settings::check_settings;

use rotor_core::framer::{ByteOrder, Cut, FrameError, Framer, Framing, LengthField, LengthType};
use rotor_core::proxy::{self, Client, LONGEST_BINARY, LONGEST_TEXT, Parsed, ProxyError, SIGNATURE};

/// `open_eof_check` and `open_eof_split`. Layout: bit 0 of the first byte splits, bits 1 to 3 are the
/// terminator's length less 1; the limit; the reads; the terminator; the stream.
pub fn check_eof(data: &[u8]) {
    let mut input = Input(data);
    let options = input.byte();
    let split = options & 1 == 1;
    let limit = input.limit();
    let reads = input.reads();
    let terminator = input.take(usize::from(options >> 1 & 7) + 1).to_vec();
    if terminator.is_empty() {
        return;
    }
    let framing = Framing::Eof { terminator: terminator.clone(), split };
    let oracle = |unread: &[u8]| eof_oracle(&terminator, split, limit, unread);
    let trace = drive(Framer::new(&framing, limit), input.0, &reads, Taking::AsCut, oracle);
    for message in trace.messages(input.0) {
        assert!(message.ends_with(&terminator), "a message ends with its terminator");
    }
    if split {
        let whole = drive(Framer::new(&framing, limit), input.0, &[input.0.len()], Taking::AsCut, oracle);
        assert_eq!(trace, whole, "the reads do not matter");
    }
}

/// Length framing. Layout: the letter's index; offset; body offset; the limit; the reads; the stream.
pub fn check_length(data: &[u8]) {
    let mut input = Input(data);
    let field = LengthField {
        kind: LengthType::ALL[usize::from(input.byte()) % LengthType::ALL.len()],
        offset: u32::from(input.byte() % 16),
        body_offset: match input.byte() {
            byte @ 0..=0xf0 => byte.into(),
            byte => u32::MAX - u32::from(0xff - byte),
        },
    };
    let limit = input.limit();
    let reads = input.reads();
    let framing = Framing::Length(field);
    let oracle = |unread: &[u8]| length_oracle(field, limit, unread);
    let framer = || Framer::new(&framing, limit);
    let whole = drive(framer(), input.0, &[input.0.len()], Taking::AsCut, oracle);
    assert_eq!(drive(framer(), input.0, &reads, Taking::AsCut, oracle), whole, "the reads do not matter");
    assert_eq!(drive(framer(), input.0, &reads, Taking::ByItself, oracle), whole, "nor does who takes the message");
}

/// The PROXY protocol. The input is the stream: the header's answer must not depend on how much is behind it, nor on
/// how it came.
pub fn check_proxy(data: &[u8]) {
    let longest = LONGEST_BINARY.max(LONGEST_TEXT);
    let first =
        (0..=data.len().min(longest)).map(|len| proxy::parse(&data[..len])).find(|answer| *answer != Ok(Parsed::More));
    let whole = proxy::parse(data);
    match first {
        None => {
            assert_eq!(whole, Ok(Parsed::More), "it was not complete before");
            assert!(data.len() < longest, "what has come says how much is to come");
        }
        Some(Ok(Parsed::Header { len, client })) => {
            assert_eq!(whole, Ok(Parsed::Header { len, client }), "what is behind a header does not matter");
            assert_eq!(proxy::parse(&data[..len - 1]), Ok(Parsed::More), "all of a header is needed");
            check_header(&data[..len], client);
        }
        Some(Ok(Parsed::More)) => unreachable!("it was looked for something else"),
        Some(Err(ProxyError::NoHeader)) => assert_eq!(whole, Err(ProxyError::NoHeader)),
        Some(Err(_)) => assert!(whole.is_err(), "a header that was refused is taken when more of it has come"),
    }
}

/// What a header says of the client stands in it.
fn check_header(header: &[u8], client: Client) {
    if header[0] == b'P' {
        assert!(header.len() <= LONGEST_TEXT && header.ends_with(b"\r\n"));
        let line = String::from_utf8_lossy(header);
        let words: Vec<_> = line.trim_end().split(' ').collect();
        match client {
            Client::Inet(client) => {
                assert_eq!(words.len(), 6);
                assert_eq!(words[1], if client.is_ipv4() { "TCP4" } else { "TCP6" });
                assert_eq!(words[2].parse(), Ok(client.ip()));
                assert_eq!(words[4], client.port().to_string());
            }
            Client::AsConnected => assert_eq!(words[1], "UNKNOWN"),
            Client::Unix => unreachable!("a line does not tell of unix sockets"),
        }
        return;
    }
    assert!(header.starts_with(&SIGNATURE) && header.len() <= LONGEST_BINARY);
    assert_eq!(header.len(), 16 + usize::from(header[14]) * 256 + usize::from(header[15]));
    let is_proxied = header[12] == 0x21;
    match client {
        Client::Inet(client) => {
            let (family, ip, port) = match client.ip() {
                std::net::IpAddr::V4(ip) => (0x11, ip.octets().to_vec(), &header[24..26]),
                std::net::IpAddr::V6(ip) => (0x21, ip.octets().to_vec(), &header[48..50]),
            };
            assert!(is_proxied && header[13] == family);
            assert!(header[16..].starts_with(&ip) && port == client.port().to_be_bytes());
        }
        Client::Unix => assert!(is_proxied && header[13] == 0x31),
        Client::AsConnected => assert!(!is_proxied || ![0x11, 0x21, 0x31].contains(&header[13])),
    }
}

/// What a caller does when it knows how long the message will be.
#[derive(Clone, Copy, PartialEq)]
enum Taking {
    /// It goes on asking the framer.
    AsCut,
    /// It takes the message when it has come, and resets the framer.
    ByItself,
}

/// Where each message ended, and what stopped the stream.
#[derive(Debug, PartialEq)]
struct Trace {
    ends: Vec<usize>,
    error: Option<FrameError>,
}

impl Trace {
    fn messages<'a>(&'a self, stream: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &stream[start..*end])
    }
}

/// Shows `stream` to the framer in reads of the sizes given, over and over; when they come to nothing, at once.
fn drive(
    mut framer: Framer,
    stream: &[u8],
    reads: &[usize],
    taking: Taking,
    oracle: impl Fn(&[u8]) -> Result<Cut, FrameError>,
) -> Trace {
    let mut trace = Trace { ends: Vec::new(), error: None };
    let (mut start, mut received) = (0, 0);
    let mut sizes = reads.iter().cycle();
    let is_stuck = reads.iter().all(|size| *size == 0);
    loop {
        let size = if is_stuck { stream.len() } else { *sizes.next().expect("a cycle of at least one") };
        received = stream.len().min(received + size);
        loop {
            let unread = &stream[start..received];
            let answer = framer.next(unread);
            assert_eq!(answer, oracle(unread), "unread bytes {start}..{received}");
            match answer {
                Ok(Cut::Message(len)) => {
                    assert!(len > 0, "each message makes progress");
                    start += len;
                    trace.ends.push(start);
                }
                Ok(Cut::More { total: Some(total) }) if taking == Taking::ByItself => {
                    let rest = (stream.len() - start) as u64;
                    if total > rest {
                        return trace;
                    }
                    start += usize::try_from(total).expect("at most the length of the stream");
                    received = start;
                    trace.ends.push(start);
                    framer.reset();
                }
                Ok(Cut::More { .. }) => break,
                Ok(Cut::Ask(_)) => unreachable!("nobody is asked for these framings"),
                Err(error) => {
                    assert_eq!(framer.next(unread), Err(error), "the error is repeated");
                    trace.error = Some(error);
                    return trace;
                }
            }
        }
        if received == stream.len() {
            return trace;
        }
    }
}

fn eof_oracle(terminator: &[u8], split: bool, limit: u64, unread: &[u8]) -> Result<Cut, FrameError> {
    let is_end = |end: &usize| *end as u64 <= limit && unread[..*end].ends_with(terminator);
    let is_full = unread.len() as u64 >= limit;
    let end = if split {
        (1..=unread.len()).find(is_end)
    } else if is_full {
        (1..=unread.len()).rfind(is_end)
    } else {
        Some(unread.len()).filter(is_end)
    };
    match end {
        Some(end) => Ok(Cut::Message(end)),
        None if is_full => Err(FrameError::NoTerminator { limit }),
        None => Ok(Cut::More { total: None }),
    }
}

fn length_oracle(field: LengthField, limit: u64, unread: &[u8]) -> Result<Cut, FrameError> {
    let (begin, size) = (field.offset as usize, field.kind.size());
    let header = (begin + size) as u64;
    if limit < header {
        let is_full = unread.len() as u64 >= limit;
        return if is_full { Err(FrameError::NoLength { limit }) } else { Ok(Cut::More { total: None }) };
    }
    if unread.len() < begin + size {
        return Ok(Cut::More { total: None });
    }
    let is_little = match field.kind.byte_order() {
        ByteOrder::Machine => cfg!(target_endian = "little"),
        ByteOrder::Little => true,
        ByteOrder::Big => false,
    };
    let digit = |nr: usize| i128::from(unread[begin + if is_little { size - 1 - nr } else { nr }]);
    let mut length = (0..size).fold(0, |number, nr| (number << 8) + digit(nr));
    if field.kind.is_signed() && digit(0) > 127 {
        length -= 1 << (8 * size);
    }
    let total = length + i128::from(field.body_offset);
    if length < 0 || total < i128::from(header) {
        let length = i64::try_from(length).expect("negative, or less than a header");
        Err(FrameError::Malformed { length, body_offset: field.body_offset, header })
    } else if total > i128::from(limit) {
        Err(FrameError::TooLarge { length: u64::try_from(total).unwrap_or(u64::MAX), limit })
    } else if total > unread.len() as i128 {
        Ok(Cut::More { total: Some(u64::try_from(total).expect("at most the limit")) })
    } else {
        Ok(Cut::Message(usize::try_from(total).expect("at most the unread bytes")))
    }
}

/// The bytes of an input that are not used yet. Those that are missing are 0.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    /// At most `len` bytes.
    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// One byte: a small limit, or one of those where arithmetic changes.
    fn limit(&mut self) -> u64 {
        match self.byte() {
            0 => 1,
            byte @ 1..=0xf0 => byte.into(),
            0xf1 => 0xff,
            0xf2 => 0x100,
            0xf3 => 0x7fff,
            0xf4 => 0xffff,
            0xf5 => 0x1_0000,
            0xf6 => 0x7fff_ffff,
            0xf7 => 0xffff_fffe,
            0xf8 => 0xffff_ffff,
            0xf9 => 0x1_0000_0000,
            0xfa => 0x1_0000_0003,
            0xfb => 0x7fff_ffff_ffff_fffe,
            0xfc => 0x7fff_ffff_ffff_ffff,
            0xfd => 0x8000_0000_0000_0000,
            0xfe => 0xffff_ffff_ffff_fffe,
            0xff => 0xffff_ffff_ffff_ffff,
        }
    }

    /// A count of at most 7, then so many sizes. None is one read of everything.
    fn reads(&mut self) -> Vec<usize> {
        let count = usize::from(self.byte() % 8);
        self.take(count).iter().map(|size| usize::from(*size)).collect()
    }
}
