//! What a request looks like. Every byte of a request follows from the seed, the number of its connection and its own
//! number, so that nothing sent has to be kept: a part is rendered again where it is written or compared.
//!
//! A request is `framing prefix · header · pattern · framing suffix`. The header holds a checksum, the connection, the
//! request and the size; the pattern is a window of a table, at a place that only this request uses. The checksum
//! covers the header, and the header says what every other byte must be: an answer can be judged completely, even when
//! it was meant for another connection. A request smaller than the header is pattern alone.

use std::ops::Range;

/// How the bytes of a connection are cut into messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framing {
    /// Not at all: the echo is compared as a stream.
    Raw,
    /// By four bytes in front that hold the size (big endian, `N` of `pack()`).
    Length,
    /// By these bytes at the end.
    Eof(Vec<u8>),
}

/// Which request an answer claims to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The number of the connection, unique in a run: a connection that is opened again gets a new one.
    pub connection: u32,
    /// The number of the request on its connection, from 0.
    pub number: u64,
    /// Bytes between the framing's prefix and suffix.
    pub size: u64,
}

/// A size that one request in some has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Large {
    /// Bytes without the framing.
    pub size: u64,
    /// One in how many.
    pub one_in: u64,
}

/// The first bytes of a request that are not a plain window of the table: prefix and header.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    bytes: [u8; MAX_HEAD],
    len: usize,
}

impl Head {
    /// The rendered bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn extend(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
}

/// Renders requests and reads what came back.
#[derive(Debug)]
pub struct Recipe {
    seed: u64,
    smallest: u64,
    largest: u64,
    large: Option<Large>,
    framing: Framing,
    table: Vec<u8>,
}

impl Recipe {
    /// Requests of `sizes` (inclusive) bytes in `framing`; the same seed gives the same bytes.
    pub fn new(seed: u64, sizes: (u64, u64), framing: Framing) -> Self {
        let mut state = seed;
        let mut table = Vec::with_capacity(2 * PERIOD + 8);
        while table.len() < PERIOD {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            table.extend_from_slice(&mix(state).to_le_bytes());
        }
        table.truncate(PERIOD);
        if matches!(framing, Framing::Eof(_)) {
            for byte in &mut table {
                *byte = ALPHABET[usize::from(*byte) % ALPHABET.len()];
            }
        }
        // Twice, so that a window of up to PERIOD bytes is one slice wherever it starts.
        table.extend_from_within(..);
        Self { seed, smallest: sizes.0, largest: sizes.1, large: None, framing, table }
    }

    /// The same, but some of the requests have another size.
    #[must_use]
    pub fn with_large(self, large: Option<Large>) -> Self {
        Self { large, ..self }
    }

    /// The framing that requests are written in.
    pub fn framing(&self) -> &Framing {
        &self.framing
    }

    /// The size of a request, by the seed.
    pub fn size(&self, connection: u32, number: u64) -> u64 {
        if let Some(large) = self.large
            && self.hash(connection, number, 2).is_multiple_of(large.one_in)
        {
            return large.size;
        }
        if self.smallest == self.largest {
            return self.smallest;
        }
        let spread = self.largest - self.smallest + 1;
        self.smallest + self.hash(connection, number, 1) % spread
    }

    /// The identity of request `number` of `connection`.
    pub fn identity(&self, connection: u32, number: u64) -> Identity {
        Identity { connection, number, size: self.size(connection, number) }
    }

    /// Whether a request of ours can have this size.
    pub fn is_plausible(&self, size: u64) -> bool {
        (self.smallest..=self.largest).contains(&size) || self.large.is_some_and(|large| large.size == size)
    }

    /// All bytes of a request on the wire.
    pub fn wire_len(&self, size: u64) -> u64 {
        self.prefix_len() as u64 + size + self.suffix().len() as u64
    }

    /// Bytes in front of the header.
    pub fn prefix_len(&self) -> usize {
        if self.framing == Framing::Length { 4 } else { 0 }
    }

    /// Bytes of a header in this framing.
    pub fn header_len(&self) -> usize {
        if matches!(self.framing, Framing::Eof(_)) { 2 * HEADER } else { HEADER }
    }

    /// The bytes behind the pattern.
    pub fn suffix(&self) -> &[u8] {
        if let Framing::Eof(terminator) = &self.framing { terminator } else { &[] }
    }

    /// Prefix and header of a request; of a small one, prefix and pattern.
    pub fn head(&self, identity: &Identity) -> Head {
        let mut head = Head { bytes: [0; MAX_HEAD], len: 0 };
        if self.framing == Framing::Length {
            head.extend(&u32::try_from(identity.size).unwrap_or(u32::MAX).to_be_bytes());
        }
        if identity.size < self.header_len() as u64 {
            let len = usize::try_from(identity.size).unwrap_or(0);
            let start = self.window(identity);
            head.extend(&self.table[start..start + len]);
            return head;
        }
        let header = self.header(identity);
        if matches!(self.framing, Framing::Eof(_)) {
            for byte in header {
                head.extend(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
        } else {
            head.extend(&header);
        }
        head
    }

    /// The longest slice of the table that holds the pattern from byte `at` of the payload on.
    pub fn pattern(&self, identity: &Identity, at: u64) -> &[u8] {
        let left = usize::try_from(identity.size - at).unwrap_or(usize::MAX).min(PERIOD);
        let offset = usize::try_from(at % PERIOD as u64).unwrap_or(0);
        let start = (self.window(identity) + offset) % PERIOD;
        &self.table[start..start + left]
    }

    /// Reads a header; `None` when its checksum does not hold or no request of ours has this size.
    pub fn parse_header(&self, bytes: &[u8]) -> Option<Identity> {
        let mut plain = [0; HEADER];
        if matches!(self.framing, Framing::Eof(_)) {
            for (byte, pair) in plain.iter_mut().zip(bytes.chunks_exact(2)) {
                *byte = unhex(pair[0])? << 4 | unhex(pair[1])?;
            }
        } else {
            plain.copy_from_slice(bytes.get(..HEADER)?);
        }
        let field = |range: Range<usize>| plain[range].iter().fold(0u64, |value, &byte| value << 8 | u64::from(byte));
        let identity =
            Identity { connection: u32::try_from(field(4..8)).ok()?, number: field(8..16), size: field(16..HEADER) };
        let holds = self.header(&identity) == plain;
        (holds && identity.size == self.size(identity.connection, identity.number)).then_some(identity)
    }

    fn header(&self, identity: &Identity) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[4..8].copy_from_slice(&identity.connection.to_be_bytes());
        header[8..16].copy_from_slice(&identity.number.to_be_bytes());
        header[16..].copy_from_slice(&u32::try_from(identity.size).unwrap_or(u32::MAX).to_be_bytes());
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&header[4..]);
        // The seed is part of it: an answer left over from another run does not pass.
        let checksum = checksum.finalize() ^ u32::try_from(mix(self.seed) >> 32).unwrap_or(0);
        header[..4].copy_from_slice(&checksum.to_be_bytes());
        header
    }

    fn window(&self, identity: &Identity) -> usize {
        usize::try_from(self.hash(identity.connection, identity.number, 2) % PERIOD as u64).unwrap_or(0)
    }

    fn hash(&self, connection: u32, number: u64, purpose: u64) -> u64 {
        mix(self.seed ^ mix(u64::from(connection) << 2 | purpose) ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93))
    }
}

/// The bytes that a payload consists of under eof framing: a terminator must have another one.
pub fn in_alphabet(byte: u8) -> bool {
    ALPHABET.contains(&byte)
}

/// A number that looks random, from one that need not (splitmix64).
pub fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

fn unhex(digit: u8) -> Option<u8> {
    HEX.iter().position(|&known| known == digit).and_then(|value| u8::try_from(value).ok())
}

/// Checksum 4, connection 4, number 8, size 4.
const HEADER: usize = 20;
/// A length prefix and a binary header, or a header in hex.
pub(crate) const MAX_HEAD: usize = 2 * HEADER + 4;
/// A prime, so that no two blocks of a power of two at different places of a message look alike.
const PERIOD: usize = 65_521;
const HEX: &[u8; 16] = b"0123456789abcdef";
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz012345";

#[cfg(test)]
mod tests {
    use super::*;

    fn framings() -> [Framing; 3] {
        [Framing::Raw, Framing::Length, Framing::Eof(b"\r\n".to_vec())]
    }

    #[test]
    fn a_header_is_read_back_in_every_framing() {
        for framing in framings() {
            let recipe = Recipe::new(7, (100, 5000), framing);
            let identity = recipe.identity(3, 9);
            let head = recipe.head(&identity);
            assert_eq!(recipe.parse_header(&head.bytes()[recipe.prefix_len()..]), Some(identity));
        }
    }

    #[test]
    fn a_header_with_one_bit_flipped_is_refused() {
        let recipe = Recipe::new(7, (100, 100), Framing::Raw);
        let head = recipe.head(&recipe.identity(3, 9));
        for bit in 0..HEADER * 8 {
            let mut bytes = head.bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(recipe.parse_header(&bytes), None, "bit {bit}");
        }
    }

    #[test]
    fn an_answer_of_another_run_is_refused() {
        let (old, new) = (Recipe::new(1, (100, 100), Framing::Raw), Recipe::new(2, (100, 100), Framing::Raw));
        assert_eq!(new.parse_header(old.head(&old.identity(0, 0)).bytes()), None);
    }

    #[test]
    fn sizes_stay_in_their_range_and_reach_both_ends() {
        let recipe = Recipe::new(1, (1, 4), Framing::Raw);
        let seen: Vec<u64> = (0..100).map(|number| recipe.size(0, number)).collect();
        assert!(seen.iter().all(|size| (1..=4).contains(size)));
        assert!((1..=4).all(|size| seen.contains(&size)));
    }

    #[test]
    fn large_ones_are_as_many_as_was_asked_for() {
        let large = Large { size: 1 << 20, one_in: 50 };
        let recipe = Recipe::new(1, (20, 99), Framing::Raw).with_large(Some(large));
        let sizes: Vec<u64> = (0..5000).map(|number| recipe.size(0, number)).collect();
        let count = sizes.iter().filter(|&&size| size == large.size).count();
        assert!((70..130).contains(&count), "{count} of 5000");
        assert!(sizes.iter().all(|&size| recipe.is_plausible(size)));
        assert!(!recipe.is_plausible(100) && !recipe.is_plausible(large.size - 1));
    }

    #[test]
    fn a_payload_never_holds_a_byte_of_the_terminator() {
        let recipe = Recipe::new(1, (70_000, 70_000), Framing::Eof(b"\n".to_vec()));
        let identity = recipe.identity(0, 0);
        let mut at = recipe.header_len() as u64;
        while at < identity.size {
            let part = recipe.pattern(&identity, at);
            assert!(part.iter().all(|&byte| in_alphabet(byte)));
            at += part.len() as u64;
        }
        assert_eq!(at, identity.size);
    }

    #[test]
    fn two_requests_have_different_payloads() {
        let recipe = Recipe::new(1, (64, 64), Framing::Raw);
        assert_ne!(recipe.pattern(&recipe.identity(0, 0), 20), recipe.pattern(&recipe.identity(0, 1), 20));
        assert_ne!(recipe.pattern(&recipe.identity(0, 0), 20), recipe.pattern(&recipe.identity(1, 0), 20));
    }
}
