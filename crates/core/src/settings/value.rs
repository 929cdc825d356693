//! A value as PHP gave it, and what can be read from it.

/// A PHP value, as far as a setting can use it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`: the setting is left at, or put back to, its default.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string, of any bytes.
    Str(Vec<u8>),
    /// An array that is a list.
    List(Vec<Value>),
    /// What can be called. Who gave it has it.
    Callable,
    /// An array with keys.
    Map(Vec<(String, Value)>),
    /// Anything else, by the name of its type, e.g. `array` or `Closure`.
    Other(&'static str),
}

impl Value {
    /// A string value.
    pub fn str(text: &str) -> Self {
        Self::Str(text.as_bytes().to_vec())
    }

    /// True and false; 1 and 0, also as a string. Words are not taken: `"false"` is true in PHP.
    pub(super) fn as_flag(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => match self.as_int()? {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            },
        }
    }

    /// An integer, also as a string or as a float without a fraction, which a division in PHP gives.
    pub(super) fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Float(float) => whole(*float),
            Self::Str(bytes) => trimmed(bytes)?.parse().ok(),
            _ => None,
        }
    }

    /// Permissions of a file: an integer, or octal digits.
    pub(super) fn as_mode(&self) -> Option<i64> {
        let Self::Str(bytes) = self else { return self.as_int() };
        i64::from_str_radix(trimmed(bytes)?, 8).ok()
    }

    /// A number, also as a string.
    pub(super) fn as_float(&self) -> Option<f64> {
        let number = match self {
            #[expect(clippy::cast_precision_loss, reason = "as PHP converts an integer")]
            Self::Int(number) => *number as f64,
            Self::Float(float) => *float,
            Self::Str(bytes) => trimmed(bytes)?.parse().ok()?,
            _ => return None,
        };
        number.is_finite().then_some(number)
    }

    /// Bytes: an integer, or a PHP quantity such as `8M`, in powers of 1024.
    pub(super) fn as_size(&self) -> Option<i64> {
        let Self::Str(bytes) = self else { return self.as_int() };
        let text = trimmed(bytes)?;
        let (digits, shift) = match text.as_bytes().last()? {
            b'k' | b'K' => (&text[..text.len() - 1], 10),
            b'm' | b'M' => (&text[..text.len() - 1], 20),
            b'g' | b'G' => (&text[..text.len() - 1], 30),
            _ => (text, 0),
        };
        digits.parse::<i64>().ok()?.checked_mul(1 << shift)
    }

    /// The value in a message: short, on one line, and told apart by type.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(flag) => flag.to_string(),
            Self::Int(number) => number.to_string(),
            Self::Float(float) if float.is_finite() => format!("{float:?}"),
            Self::Float(float) => float.to_string().to_uppercase(),
            Self::Str(bytes) => quote(&String::from_utf8_lossy(bytes)),
            Self::List(items) if items.is_empty() => "empty array".into(),
            Self::List(_) | Self::Map(_) => "array".into(),
            Self::Callable => "callable".into(),
            Self::Other(type_name) => (*type_name).into(),
        }
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::str(text)
    }
}

/// `text` in quotes, without control characters, and cut where it would drown the message.
pub(super) fn quote(text: &str) -> String {
    let mut chars = text.chars();
    let shown: String = chars.by_ref().take(LONGEST_QUOTE).flat_map(char::escape_debug).collect();
    let rest = if chars.next().is_some() { "..." } else { "" };
    format!("\"{shown}{rest}\"")
}

/// The integer that `float` is, if it is one that a float holds exactly.
fn whole(float: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "within the range in which floats count by ones")]
    (float.fract() == 0.0 && float.abs() <= EXACT_FLOATS).then_some(float as i64)
}

/// The text of a numeric string: PHP allows white space around the number.
fn trimmed(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes.trim_ascii()).ok()
}

/// 2^53: up to here a float holds every integer.
const EXACT_FLOATS: f64 = 9_007_199_254_740_992.0;
/// Characters of a value that a message shows.
const LONGEST_QUOTE: usize = 60;
