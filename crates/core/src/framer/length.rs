//! Messages that say their length in a field of their header.
//!
//! A message has `body_offset + field` bytes, and at least as many as its header, which ends with the length
//! field: a shorter one would leave a part of its header to be taken for the next message's. (Swoole takes
//! it so.) Since a field has at least one byte, each message makes progress. A negative field is refused even
//! when the sum would do.

use super::{Cut, FrameError};

/// Where the length of a message stands, and what it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthField {
    /// How the number is written (`package_length_type`).
    pub kind: LengthType,
    /// Bytes of a message before the field (`package_length_offset`).
    pub offset: u32,
    /// Bytes of a message that the number does not count (`package_body_offset`): 0 when it counts all.
    pub body_offset: u32,
}

impl LengthField {
    /// Bytes from the beginning of a message to the end of the field: the smallest message.
    pub fn header(&self) -> u64 {
        u64::from(self.offset) + self.kind.size() as u64
    }
}

/// How a length is written: the integers of PHP's `pack()`, each by its letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LengthType {
    /// `c`: signed, 8 bit.
    I8,
    /// `C`: unsigned, 8 bit.
    U8,
    /// `s`: signed, 16 bit, machine order.
    I16,
    /// `S`: unsigned, 16 bit, machine order.
    U16,
    /// `n`: unsigned, 16 bit, big endian.
    U16Big,
    /// `v`: unsigned, 16 bit, little endian.
    U16Little,
    /// `l`: signed, 32 bit, machine order.
    I32,
    /// `L`: unsigned, 32 bit, machine order.
    U32,
    /// `N`: unsigned, 32 bit, big endian.
    U32Big,
    /// `V`: unsigned, 32 bit, little endian.
    U32Little,
    /// `q`: signed, 64 bit, machine order.
    I64,
    /// `Q`: unsigned, 64 bit, machine order.
    U64,
    /// `J`: unsigned, 64 bit, big endian.
    U64Big,
    /// `P`: unsigned, 64 bit, little endian.
    U64Little,
}

/// In which order the bytes of a number stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// That of the machine the server runs on.
    Machine,
    /// Most significant byte first.
    Big,
    /// Least significant byte first.
    Little,
}

impl LengthType {
    /// All of them, in the order in which PHP's manual lists the letters.
    pub const ALL: [Self; 14] = [
        Self::I8,
        Self::U8,
        Self::I16,
        Self::U16,
        Self::U16Big,
        Self::U16Little,
        Self::I32,
        Self::U32,
        Self::U32Big,
        Self::U32Little,
        Self::I64,
        Self::U64,
        Self::U64Big,
        Self::U64Little,
    ];

    /// The type that `pack()` writes for `letter`; `None` when it writes no integer of fixed size.
    pub fn from_letter(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.letter() == letter)
    }

    /// Its letter.
    pub fn letter(self) -> u8 {
        self.traits().0
    }

    /// Its bytes: 1, 2, 4 or 8.
    pub fn size(self) -> usize {
        self.traits().1
    }

    /// Whether it can be negative.
    pub fn is_signed(self) -> bool {
        matches!(self, Self::I8 | Self::I16 | Self::I32 | Self::I64)
    }

    /// The order of its bytes; of a single byte, the machine's.
    pub fn byte_order(self) -> ByteOrder {
        self.traits().2
    }

    fn traits(self) -> (u8, usize, ByteOrder) {
        match self {
            Self::I8 => (b'c', 1, ByteOrder::Machine),
            Self::U8 => (b'C', 1, ByteOrder::Machine),
            Self::I16 => (b's', 2, ByteOrder::Machine),
            Self::U16 => (b'S', 2, ByteOrder::Machine),
            Self::U16Big => (b'n', 2, ByteOrder::Big),
            Self::U16Little => (b'v', 2, ByteOrder::Little),
            Self::I32 => (b'l', 4, ByteOrder::Machine),
            Self::U32 => (b'L', 4, ByteOrder::Machine),
            Self::U32Big => (b'N', 4, ByteOrder::Big),
            Self::U32Little => (b'V', 4, ByteOrder::Little),
            Self::I64 => (b'q', 8, ByteOrder::Machine),
            Self::U64 => (b'Q', 8, ByteOrder::Machine),
            Self::U64Big => (b'J', 8, ByteOrder::Big),
            Self::U64Little => (b'P', 8, ByteOrder::Little),
        }
    }

    /// The number at the beginning of `bytes`; `None` when they are too few.
    fn read(self, bytes: &[u8]) -> Option<i128> {
        Some(match self {
            Self::I8 => i8::from_ne_bytes(*bytes.first_chunk()?).into(),
            Self::U8 => u8::from_ne_bytes(*bytes.first_chunk()?).into(),
            Self::I16 => i16::from_ne_bytes(*bytes.first_chunk()?).into(),
            Self::U16 => u16::from_ne_bytes(*bytes.first_chunk()?).into(),
            Self::U16Big => u16::from_be_bytes(*bytes.first_chunk()?).into(),
            Self::U16Little => u16::from_le_bytes(*bytes.first_chunk()?).into(),
            Self::I32 => i32::from_ne_bytes(*bytes.first_chunk()?).into(),
            Self::U32 => u32::from_ne_bytes(*bytes.first_chunk()?).into(),
            Self::U32Big => u32::from_be_bytes(*bytes.first_chunk()?).into(),
            Self::U32Little => u32::from_le_bytes(*bytes.first_chunk()?).into(),
            Self::I64 => i64::from_ne_bytes(*bytes.first_chunk()?).into(),
            Self::U64 => u64::from_ne_bytes(*bytes.first_chunk()?).into(),
            Self::U64Big => u64::from_be_bytes(*bytes.first_chunk()?).into(),
            Self::U64Little => u64::from_le_bytes(*bytes.first_chunk()?).into(),
        })
    }
}

/// Remembers nothing: a header is cheaper to read again than to keep.
#[derive(Clone, Debug)]
pub(super) struct Length {
    field: LengthField,
    limit: u64,
}

impl Length {
    pub(super) fn new(field: LengthField, limit: u64) -> Self {
        Self { field, limit }
    }

    #[inline]
    pub(super) fn next(&self, unread: &[u8]) -> Result<Cut, FrameError> {
        let LengthField { kind, offset, body_offset } = self.field;
        let header = self.field.header();
        if header > self.limit {
            // Asked before the field is read, so that the answer does not depend on how much has come.
            return if (unread.len() as u64) < self.limit {
                Ok(Cut::More { total: None })
            } else {
                Err(FrameError::NoLength { limit: self.limit })
            };
        }
        let Some(length) = unread.get(offset as usize..).and_then(|field| kind.read(field)) else {
            return Ok(Cut::More { total: None });
        };
        // Wider than any field, so that no sum overflows.
        let total = length + i128::from(body_offset);
        if length < 0 || total < i128::from(header) {
            let length = i64::try_from(length).expect("negative, or less than a header");
            return Err(FrameError::Malformed { length, body_offset, header });
        }
        let total = match u64::try_from(total) {
            Ok(total) if total <= self.limit => total,
            announced => {
                return Err(FrameError::TooLarge { length: announced.unwrap_or(u64::MAX), limit: self.limit });
            }
        };
        match usize::try_from(total) {
            Ok(end) if end <= unread.len() => Ok(Cut::Message(end)),
            _ => Ok(Cut::More { total: Some(total) }),
        }
    }
}
